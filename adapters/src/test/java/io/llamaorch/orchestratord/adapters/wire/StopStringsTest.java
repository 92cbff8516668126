package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    private final ByteBuf out = Unpooled.buffer();

    /** Feeds escaped pieces; what came out, a piece each, and at the end. */
    private List<String> run(List<String> stops, String... pieces) {
        StopStrings strings = new StopStrings(stops);
        List<String> given = new ArrayList<>();
        for (String piece : pieces) {
            ByteBuf in = Unpooled.copiedBuffer("xx" + piece, StandardCharsets.UTF_8);
            out.clear();
            strings.accept(in, 2, in.readableBytes() - 2, out);
            given.add(out.toString(StandardCharsets.UTF_8));
        }
        out.clear();
        strings.flush(out, Long.MAX_VALUE);
        given.add(strings.isFound() ? "!" : out.toString(StandardCharsets.UTF_8));
        return given;
    }

    @Test
    void shouldCutWhenTheStopStringIsSpreadOverPieces() {
        assertThat(run(List.of("STOP"), "one S", "TO", "P two")).containsExactly("one ", "", "", "!");
        assertThat(run(List.of("STOP"), "one S", "TO", "K two")).containsExactly("one ", "", "STOK two", "");
        assertThat(run(List.of("STOP"), "one STO")).containsExactly("one ", "STO");
    }

    @Test
    void shouldCompareMeaningNotEscapes() {
        assertThat(run(List.of("\n\n"), "a\\n", "\\u000ab")).containsExactly("a", "", "!");
        assertThat(run(List.of("é\""), "a\\u00e9", "\\\"b")).containsExactly("a", "", "!");
        assertThat(run(List.of("🙂"), "a\\ud83d\\ude42b")).containsExactly("a", "!");
        assertThat(run(List.of("\\"), "a\\\\b")).containsExactly("a", "!");
    }

    @Test
    void shouldGiveBackWellFormedText() {
        assertThat(run(List.of("zz"), "q\\\"\\\\\\/\\t\\r\\u0001é中🙂\\n"))
                .containsExactly("q\\\"\\\\/\\u0009\\u000d\\u0001é中🙂\\n", "");
    }

    @Test
    void shouldTakeTheLongestWhenSeveralEndTogether() {
        assertThat(run(List.of("b", "ab"), "xab")).containsExactly("x", "!");
        assertThat(run(List.of("abc", "b"), "xabc")).containsExactly("xa", "!");
    }

    @Test
    void shouldDropWhatTheEngineTookBack() {
        StopStrings strings = new StopStrings(List.of("é!!"));
        byte[] text = "a\\n\\u00e9!".getBytes(StandardCharsets.UTF_8);
        strings.accept(Unpooled.wrappedBuffer(text), 0, text.length, out);
        assertThat(StopStrings.meaningBytes(text, 0, text.length)).isEqualTo(5);
        strings.flush(out, 4);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("a\\né");
        assertThat(StopStrings.meaningBytes("🙂\\ud83d\\ude42\\u4e2d".getBytes(StandardCharsets.UTF_8), 0, 22))
                .isEqualTo(11);
    }

    @Test
    void shouldCutWhereIndexOfFindsItWhateverThePieces() {
        long seed = 20260107;
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            String text = letters(random, random.nextInt(30));
            List<String> stops = new ArrayList<>();
            for (int k = random.nextInt(3); k >= 0; k--) {
                stops.add(letters(random, 1 + random.nextInt(4)));
            }
            int end = Integer.MAX_VALUE;
            int from = text.length();
            for (String stop : stops) {
                int at = text.indexOf(stop);
                if (at >= 0 && (at + stop.length() < end || (at + stop.length() == end && at < from))) {
                    end = at + stop.length();
                    from = at;
                }
            }
            List<String> pieces = new ArrayList<>();
            for (int at = 0; at < text.length(); ) {
                int n = Math.min(text.length() - at, 1 + random.nextInt(5));
                pieces.add(new String(JsonStringEncoder.getInstance().quoteAsString(text.substring(at, at + n))));
                at += n;
            }
            List<String> given = run(stops, pieces.toArray(new String[0]));
            String last = given.get(given.size() - 1);
            String all = String.join("", given.subList(0, given.size() - 1)) + (last.equals("!") ? "" : last);
            assertThat(all)
                    .as("seed %d round %d: %s in %s", seed, round, stops, pieces)
                    .isEqualTo(new String(JsonStringEncoder.getInstance().quoteAsString(text.substring(0, from))));
            assertThat(last.equals("!")).isEqualTo(end != Integer.MAX_VALUE);
        }
    }

    private static String letters(Random random, int length) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < length; i++) {
            out.append("ab\n\"é".charAt(random.nextInt(5)));
        }
        return out.toString();
    }
}
