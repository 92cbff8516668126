package io.llamaorch.orchestratord.adapters.mock;

import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * What the mock engine says: a pure function of prompt, sampling parameters, {@code max_tokens} and seed. The words lie
 * in one shared buffer, escaped as the inside of JSON strings, so that a token is an offset into it. Immutable.
 */
final class MockText {
    private static final String[] WORDS = {
        "the",
        "and",
        "of",
        "to",
        "a",
        "in",
        "is",
        "that",
        "it",
        "was",
        "for",
        "on",
        "are",
        "with",
        "as",
        "his",
        "they",
        "at",
        "be",
        "this",
        "from",
        "have",
        "or",
        "by",
        "one",
        "had",
        "not",
        "but",
        "what",
        "all",
        "were",
        "when",
        "we",
        "there",
        "can",
        "an",
        "your",
        "which",
        "their",
        "said",
        "if",
        "do",
        "will",
        "each",
        "about",
        "how",
        "up",
        "out",
        "them",
        "then",
        "she",
        "many",
        "some",
        "so",
        "these",
        "would",
        "other",
        "into",
        "has",
        "more",
        "her",
        "two",
        "like",
        "him",
        "see",
        "time",
        "could",
        "no",
        "make",
        "than",
        "first",
        "been",
        "its",
        "who",
        "now",
        "people",
        "my",
        "made",
        "over",
        "did",
        "down",
        "only",
        "way",
        "find",
        "use",
        "may",
        "water",
        "long",
        "little",
        "very",
        "after",
        "words",
        "called",
        "just",
        "where",
        "most",
        "know",
        "café",
        "naïve",
        "中",
        "文",
        "🙂",
        "🚀",
        "\\\"so\\\"",
        "\\\\",
        "re\\u0301sume\\u0301"
    };

    private static final String[] MARKS = {".", ",", ".\\n", ";", "?", "!"};

    private static final int[] OFFSET = new int[WORDS.length + MARKS.length + 1];
    private static final ByteBuf BYTES;

    static {
        ByteBuf bytes = Unpooled.buffer(2048);
        for (int i = 0; i < WORDS.length; i++) {
            OFFSET[i] = bytes.writerIndex();
            bytes.writeCharSequence(" " + WORDS[i], StandardCharsets.UTF_8);
        }
        for (int i = 0; i < MARKS.length; i++) {
            OFFSET[WORDS.length + i] = bytes.writerIndex();
            bytes.writeCharSequence(MARKS[i], StandardCharsets.UTF_8);
        }
        OFFSET[WORDS.length + MARKS.length] = bytes.writerIndex();
        BYTES = Unpooled.unreleasableBuffer(bytes);
    }

    private static final int CHARS_PER_TOKEN = 4;

    private final long key;
    private final int tokensIn;
    private final int tokensOut;
    private final FinishReason finishReason;

    MockText(TaskRequest request) {
        String prompt = request.prompt() == null ? "" : request.prompt();
        long h = request.seed().orElse(0);
        for (int i = 0; i < prompt.length(); i++) {
            h = h * 0x100000001b3L + prompt.charAt(i);
        }
        TaskRequest.Sampling s = request.sampling();
        h = h * 31 + Objects.hash(s.temperature(), s.topP(), s.topK(), s.minP(), s.repeatPenalty(), s.stop());
        key = mix(h);
        tokensIn = Math.max(1, (prompt.length() + CHARS_PER_TOKEN - 1) / CHARS_PER_TOKEN);
        // Of four texts one never ends by itself; the others end after 8 to 1,031 tokens.
        long lengthHash = mix(key ^ 0x6c656e677468L);
        int natural = (lengthHash & 3) == 0 ? Integer.MAX_VALUE : 8 + (int) (lengthHash >>> 8 & 1023);
        tokensOut = Math.min(natural, request.maxTokens());
        finishReason = natural <= request.maxTokens() ? FinishReason.STOP : FinishReason.LENGTH;
    }

    int tokensIn() {
        return tokensIn;
    }

    int tokensOut() {
        return tokensOut;
    }

    FinishReason finishReason() {
        return finishReason;
    }

    /** Which word token {@code i} is. */
    int word(int i) {
        long h = mix(key + i * 0x9e3779b97f4a7c15L);
        return i % 9 == 8
                ? WORDS.length + (int) Long.remainderUnsigned(h, MARKS.length)
                : (int) Long.remainderUnsigned(h, WORDS.length);
    }

    static ByteBuf bytes() {
        return BYTES;
    }

    static int offset(int word) {
        return OFFSET[word];
    }

    static int length(int word) {
        return OFFSET[word + 1] - OFFSET[word];
    }

    private static long mix(long value) {
        long z = value;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
