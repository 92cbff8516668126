package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * A strict walk over the JSON object of one frame, without an object made for it.
 *
 * <pre>
 *   if (walk.load(buf, offset, length) &amp;&amp; walk.beginObject()) {
 *     while (walk.nextKey()) {
 *       if (walk.keyIs("text")) walk.string(); else walk.skipValue();
 *     }
 *   }
 *   walk.isWhole()
 * </pre>
 *
 * <p>Whatever it does not understand (a nested value that nobody asked for, an escaped key, text that is not well-formed,
 * see {@link JsonText}) breaks the walk: every method answers false from then on, and the frame goes to a full parser,
 * which must find the same in whatever is whole here. Repeated keys are the caller's to notice.
 *
 * <p>One object a thread ({@link #ofThread}). The frame is copied to a scratch array in one go, for plain array access is
 * several times faster than checked access to a direct buffer; the array grows to the longest frame met, up to
 * {@link #FRAME_MAX_BYTES}. Results are valid until the next {@link #load} on the same thread.
 */
public final class JsonWalk {
    /** Longest frame walked, bytes. */
    public static final int FRAME_MAX_BYTES = 1 << 20;

    private static final int SCRATCH_BYTES = 4096;
    private static final int NUMBER_MAX_BYTES = 64;

    private static final FastThreadLocal<JsonWalk> OF_THREAD = new FastThreadLocal<>() {
        @Override
        protected JsonWalk initialValue() {
            return new JsonWalk();
        }
    };

    private byte[] a = new byte[SCRATCH_BYTES];
    private int end;
    private int at;
    private int from;
    private int to;
    private int depth;
    private boolean fresh;
    private boolean broken;

    private JsonWalk() {}

    /** The walk of the calling thread. */
    public static JsonWalk ofThread() {
        return OF_THREAD.get();
    }

    /** Takes the frame {@code buf[offset, offset + length)} (absolute index); false where it is too long. */
    public boolean load(ByteBuf buf, int offset, int length) {
        broken = length > FRAME_MAX_BYTES;
        if (broken) {
            return false;
        }
        if (length > a.length) {
            a = new byte[Math.min(FRAME_MAX_BYTES, Integer.highestOneBit(length) << 1)];
        }
        ByteCopy.copy(buf, offset, a, 0, length);
        end = length;
        at = 0;
        depth = 0;
        return true;
    }

    /** The frame's bytes; index 0 is its first. */
    public byte[] bytes() {
        return a;
    }

    /** First byte of the inside of the string read last, or of the key. */
    public int from() {
        return from;
    }

    /** End of it, exclusive. */
    public int to() {
        return to;
    }

    /** Enters an object. */
    public boolean beginObject() {
        skipSpace();
        if (!need('{')) {
            return false;
        }
        depth++;
        fresh = true;
        return true;
    }

    /** Reads the next key and its colon; false where the object ends, which leaves it. */
    public boolean nextKey() {
        if (broken) {
            return false;
        }
        skipSpace();
        if (take('}')) {
            depth--;
            fresh = false;
            return false;
        }
        if (!fresh && !need(',')) {
            return false;
        }
        fresh = false;
        skipSpace();
        if (!need('"')) {
            return false;
        }
        from = at;
        while (at < end && a[at] != '"') {
            if (a[at] == '\\' || (a[at] >= 0 && a[at] < 0x20)) {
                return breaks();
            }
            at++;
        }
        to = at;
        if (!need('"')) {
            return false;
        }
        skipSpace();
        if (!need(':')) {
            return false;
        }
        skipSpace();
        return true;
    }

    /** Whether the key read last is {@code name}, which is ASCII. */
    public boolean keyIs(String name) {
        return to - from == name.length() && is(from, name);
    }

    /** Whether the string read last is {@code text}, which is ASCII and needs no escape. */
    public boolean stringIs(String text) {
        return keyIs(text);
    }

    /** Whether the walk came to the end of the one object without a doubt. */
    public boolean isWhole() {
        if (broken || depth != 0) {
            return false;
        }
        skipSpace();
        return at == end;
    }

    /** Reads a well-formed string: {@link #from}, {@link #to}. */
    public boolean string() {
        int inside = openString();
        return inside >= 0 && closeString(inside);
    }

    /** Enters a string; the index of its first inner byte, or −1. */
    public int openString() {
        return need('"') ? at : -1;
    }

    /** Bytes of the frame: nothing inside lies past this index. */
    public int end() {
        return end;
    }

    /**
     * Leaves the string entered last. What lies before {@code scanFrom} is not looked at: the caller knows it to be
     * well-formed, and without a quote.
     */
    public boolean closeString(int scanFrom) {
        int quote = JsonText.scan(a, scanFrom, end);
        if (quote < 0) {
            return breaks();
        }
        from = at;
        to = quote;
        at = quote + 1;
        return true;
    }

    /** Reads {@code word} where it is next; moves on only then. */
    public boolean takeWord(String word) {
        if (broken || end - at < word.length() || !is(at, word)) {
            return false;
        }
        at += word.length();
        return true;
    }

    /** Reads a whole number, 0 … 2^31−1; −1, and a broken walk, where it is something else. */
    public int integer() {
        int start = at;
        long value = 0;
        while (!broken && at < end && a[at] >= '0' && a[at] <= '9' && value <= Integer.MAX_VALUE) {
            value = 10 * value + a[at++] - '0';
        }
        boolean isOne = at > start && value <= Integer.MAX_VALUE && (a[start] != '0' || at == start + 1);
        if (!isOne || (at < end && (a[at] == '.' || (a[at] | 0x20) == 'e'))) {
            breaks();
            return -1;
        }
        return (int) value;
    }

    /** Reads past a string, a number, a boolean, a null or an array of numbers and strings. */
    public boolean skipValue() {
        if (broken || at >= end) {
            return breaks();
        }
        return a[at] == '[' ? skipArray() : skipScalar();
    }

    private boolean skipScalar() {
        if (at >= end) {
            return breaks();
        }
        return switch (a[at]) {
            case '"' -> {
                int quote = JsonText.scan(a, at + 1, end);
                at = quote + 1;
                yield quote >= 0 || breaks();
            }
            case 't' -> takeWord("true") || breaks();
            case 'f' -> takeWord("false") || breaks();
            case 'n' -> takeWord("null") || breaks();
            default -> number() || breaks();
        };
    }

    private boolean skipArray() {
        at++;
        skipSpace();
        if (take(']')) {
            return true;
        }
        do {
            skipSpace();
            if (!skipScalar()) {
                return false;
            }
            skipSpace();
        } while (take(','));
        return need(']');
    }

    private boolean number() {
        int start = at;
        int i = at;
        if (i < end && a[i] == '-') {
            i++;
        }
        int first = i;
        i = digits(i);
        if (i == first || (a[first] == '0' && i > first + 1)) {
            return false;
        }
        if (i < end && a[i] == '.') {
            int fraction = i + 1;
            i = digits(fraction);
            if (i == fraction) {
                return false;
            }
        }
        if (i < end && (a[i] | 0x20) == 'e') {
            i++;
            if (i < end && (a[i] == '+' || a[i] == '-')) {
                i++;
            }
            int exponent = i;
            i = digits(exponent);
            if (i == exponent) {
                return false;
            }
        }
        at = i;
        return i - start <= NUMBER_MAX_BYTES;
    }

    private int digits(int start) {
        int i = start;
        while (i < end && a[i] >= '0' && a[i] <= '9') {
            i++;
        }
        return i;
    }

    private boolean is(int start, String word) {
        for (int i = 0; i < word.length(); i++) {
            if (a[start + i] != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean need(char c) {
        return (!broken && take(c)) || breaks();
    }

    private boolean take(char c) {
        if (at < end && a[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private boolean breaks() {
        broken = true;
        return false;
    }

    private void skipSpace() {
        while (at < end && (a[at] == ' ' || a[at] == '\t' || a[at] == '\n' || a[at] == '\r')) {
            at++;
        }
    }
}
