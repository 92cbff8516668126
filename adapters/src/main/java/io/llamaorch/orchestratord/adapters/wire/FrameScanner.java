package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;

/**
 * The fast path through an engine's frames: scans one in place and finds its text, without allocating. Each engine's
 * subclass says which shape its common frame has ({@link #walk}), by the strict pieces of JSON given here.
 *
 * <p>A subclass accepts only what it fully understands. All else (last frames, errors, escaped or repeated keys that
 * matter, text that is not well-formed) is {@link #ODD} and goes to the engine's slow path, which must find the same in
 * whatever this accepts.
 *
 * <p>One object a loop, kept in a {@code FastThreadLocal} by the subclass, with a scratch array: the frame is copied there
 * in one go, for plain array access is several times faster than checked access to a direct buffer. The results are
 * valid until the next scan on the same thread.
 */
public abstract class FrameScanner {
    /** Size of the scratch array at first, and longest frame scanned where the subclass does not say otherwise, bytes. */
    public static final int SCRATCH_BYTES = 4096;

    /** Not for this scanner. */
    public static final int ODD = 0;
    /** A partial frame with text: {@link #textFrom}, {@link #textTo}. */
    public static final int TEXT = 1;
    /** A partial frame without text. */
    public static final int EMPTY = 2;

    private static final int NUMBER_MAX_BYTES = 64;
    private static final int DEPTH_MAX = 8;

    private final int frameMaxBytes;
    private byte[] a = new byte[SCRATCH_BYTES];
    private int end;
    private int at;
    private int keyFrom;
    private int keyTo;
    private int textFrom;
    private int textTo;

    /** A scanner with a scratch array of its own. */
    protected FrameScanner() {
        this(SCRATCH_BYTES);
    }

    /**
     * A scanner whose scratch array grows with the longest frame met.
     *
     * @param frameMaxBytes longest frame scanned; longer ones are odd
     */
    protected FrameScanner(int frameMaxBytes) {
        this.frameMaxBytes = frameMaxBytes;
    }

    /** Start of the text, relative to the frame's first byte. */
    public final int textFrom() {
        return textFrom;
    }

    /** End of the text, exclusive, relative to the frame's first byte. */
    public final int textTo() {
        return textTo;
    }

    /** The scanned frame's bytes; index 0 is its first. */
    public final byte[] bytes() {
        return a;
    }

    /** Scans the frame {@code buf[offset, offset + length)}; {@link #ODD}, {@link #TEXT} or {@link #EMPTY}. */
    public final int scan(ByteBuf buf, int offset, int length) {
        if (length > frameMaxBytes || length < 2) {
            return ODD;
        }
        if (length > a.length) {
            a = new byte[Math.min(frameMaxBytes, Integer.highestOneBit(length) << 1)];
        }
        ByteCopy.copy(buf, offset, a, 0, length);
        end = length;
        at = 0;
        textFrom = -1;
        textTo = -1;
        skipSpace();
        if (!walk()) {
            return ODD;
        }
        skipSpace();
        return at != end ? ODD : textFrom == textTo ? EMPTY : TEXT;
    }

    /** Walks the whole frame, from its first byte that is not white; false where it is not the common one. */
    protected abstract boolean walk();

    /**
     * Reads a key and its colon, after the brace or comma before it. Then {@link #keyIs} tells the key, one of the value
     * methods must follow, and after that {@link #hasMore}.
     *
     * @return false where there is no plain key
     */
    protected final boolean nextKey() {
        skipSpace();
        if (!take('"')) {
            return false;
        }
        int i = at;
        keyFrom = i;
        while (i < end && a[i] != '"') {
            if (a[i] == '\\' || a[i] < 0x20) {
                return false;
            }
            i++;
        }
        if (i >= end) {
            return false;
        }
        keyTo = i;
        at = i + 1;
        skipSpace();
        if (!take(':')) {
            return false;
        }
        skipSpace();
        return true;
    }

    /** Whether the key just read is {@code name}. */
    protected final boolean keyIs(String name) {
        return keyTo - keyFrom == name.length() && is(keyFrom, name);
    }

    /** Whether a comma follows. */
    protected final boolean hasMore() {
        skipSpace();
        return take(',');
    }

    /** Reads a string that is the frame's text; false where there was one, or it is not well-formed. */
    protected final boolean text() {
        if (textFrom >= 0 || !take('"')) {
            return false;
        }
        int quote = JsonText.scan(a, at, end);
        if (quote < 0) {
            return false;
        }
        textFrom = at;
        textTo = quote;
        at = quote + 1;
        return true;
    }

    /** Whether text was found, perhaps of no length. */
    protected final boolean hasText() {
        return textFrom >= 0;
    }

    /** Reads any value and passes over it. */
    protected final boolean value() {
        return value(0);
    }

    private boolean value(int depth) {
        if (at >= end || depth > DEPTH_MAX) {
            return false;
        }
        return switch (a[at]) {
            case '"' -> string();
            case '[' -> array(depth);
            case '{' -> object(depth);
            case 't' -> word("true");
            case 'f' -> word("false");
            case 'n' -> word("null");
            default -> number();
        };
    }

    private boolean object(int depth) {
        at++;
        skipSpace();
        if (take('}')) {
            return true;
        }
        do {
            skipSpace();
            if (at >= end || a[at] != '"' || !string()) {
                return false;
            }
            skipSpace();
            if (!take(':')) {
                return false;
            }
            skipSpace();
            if (!value(depth + 1)) {
                return false;
            }
        } while (hasMore());
        return take('}');
    }

    private boolean array(int depth) {
        at++;
        skipSpace();
        if (take(']')) {
            return true;
        }
        do {
            skipSpace();
            if (!value(depth + 1)) {
                return false;
            }
        } while (hasMore());
        return take(']');
    }

    private boolean string() {
        int quote = JsonText.scan(a, at + 1, end);
        at = quote + 1;
        return quote >= 0;
    }

    private boolean number() {
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
        boolean sane = i - at <= NUMBER_MAX_BYTES;
        at = i;
        return sane;
    }

    private int digits(int from) {
        int i = from;
        while (i < end && a[i] >= '0' && a[i] <= '9') {
            i++;
        }
        return i;
    }

    /** Reads that very word, such as {@code false}. */
    protected final boolean word(String word) {
        if (end - at < word.length() || !is(at, word)) {
            return false;
        }
        at += word.length();
        return true;
    }

    private boolean is(int from, String word) {
        for (int i = 0; i < word.length(); i++) {
            if (a[from + i] != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Reads that character. */
    protected final boolean take(char c) {
        if (at < end && a[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    /** Passes over white space. */
    protected final void skipSpace() {
        while (at < end && (a[at] == ' ' || a[at] == '\t' || a[at] == '\n' || a[at] == '\r')) {
            at++;
        }
    }
}
