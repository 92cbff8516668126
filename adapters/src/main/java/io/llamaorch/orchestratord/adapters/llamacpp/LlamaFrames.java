package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.wire.ByteCopy;
import io.llamaorch.orchestratord.adapters.wire.JsonText;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;

/**
 * In-place scanner of the common partial frame
 * {@code {"index":0,"content":"…","tokens":[9906],"stop":false,"id_slot":-1,…}}, keys in any order.
 *
 * <p>It walks the whole object strictly, and accepts only what it fully understands: one flat object of strings, numbers,
 * booleans, nulls and arrays of numbers, no escaped or repeated key that matters, {@code stop} false, {@code content}
 * well-formed. All else, the last frame and errors among it, is {@link #ODD} and goes to {@link LlamaFrame}, which must
 * find the same in whatever this accepts.
 *
 * <p>One object a loop ({@link #ofThread}), with a scratch array: the frame is copied there in one go, for plain array
 * access is several times faster than checked access to a direct buffer. Nothing is allocated. The results are valid
 * until the next scan on the same thread.
 */
final class LlamaFrames {
    /** Longest frame scanned here, bytes; longer ones are odd. */
    static final int SCRATCH_BYTES = 4096;

    /** Not for this scanner. */
    static final int ODD = 0;
    /** A partial frame with text: {@link #textFrom}, {@link #textTo}. */
    static final int TEXT = 1;
    /** A partial frame without text. */
    static final int EMPTY = 2;

    private static final FastThreadLocal<LlamaFrames> OF_THREAD = new FastThreadLocal<>() {
        @Override
        protected LlamaFrames initialValue() {
            return new LlamaFrames();
        }
    };

    private static final int NUMBER_MAX_BYTES = 64;

    private static final int KEY_OTHER = 0;
    private static final int KEY_CONTENT = 1;
    private static final int KEY_STOP = 2;
    private static final int KEY_ODD = 3;

    private final byte[] a = new byte[SCRATCH_BYTES];
    private int end;
    private int at;
    private int textFrom;
    private int textTo;

    /** The scanner of the calling thread. */
    static LlamaFrames ofThread() {
        return OF_THREAD.get();
    }

    /** Start of the text, relative to the frame's first byte. */
    int textFrom() {
        return textFrom;
    }

    /** End of the text, exclusive, relative to the frame's first byte. */
    int textTo() {
        return textTo;
    }

    /** The scanned frame's bytes; index 0 is its first. */
    byte[] bytes() {
        return a;
    }

    /** Scans the frame {@code buf[offset, offset + length)}; {@link #ODD}, {@link #TEXT} or {@link #EMPTY}. */
    int scan(ByteBuf buf, int offset, int length) {
        if (length > SCRATCH_BYTES || length < 2) {
            return ODD;
        }
        ByteCopy.copy(buf, offset, a, 0, length);
        end = length;
        at = 0;
        textFrom = -1;
        return walk();
    }

    private int walk() {
        skipSpace();
        if (!take('{')) {
            return ODD;
        }
        boolean stopSeen = false;
        do {
            skipSpace();
            int key = key();
            if (key == KEY_ODD) {
                return ODD;
            }
            skipSpace();
            if (!take(':')) {
                return ODD;
            }
            skipSpace();
            boolean good;
            if (key == KEY_CONTENT) {
                good = textFrom < 0 && content();
            } else if (key == KEY_STOP) {
                good = !stopSeen && word("false");
                stopSeen = true;
            } else {
                good = value();
            }
            if (!good) {
                return ODD;
            }
            skipSpace();
        } while (take(','));
        if (!take('}') || !stopSeen || textFrom < 0) {
            return ODD;
        }
        skipSpace();
        return at != end ? ODD : textFrom == textTo ? EMPTY : TEXT;
    }

    private int key() {
        if (!take('"')) {
            return KEY_ODD;
        }
        int from = at;
        int i = from;
        while (i < end && a[i] != '"') {
            if (a[i] == '\\' || a[i] < 0x20) {
                return KEY_ODD;
            }
            i++;
        }
        if (i >= end) {
            return KEY_ODD;
        }
        at = i + 1;
        return switch (i - from) {
            case 4 -> is(from, "stop") ? KEY_STOP : KEY_OTHER;
            case 5 -> is(from, "error") ? KEY_ODD : KEY_OTHER;
            case 7 -> is(from, "content") ? KEY_CONTENT : KEY_OTHER;
            case 15 -> is(from, "prompt_progress") ? KEY_ODD : KEY_OTHER;
            default -> KEY_OTHER;
        };
    }

    private boolean content() {
        if (!take('"')) {
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

    private boolean value() {
        if (at >= end) {
            return false;
        }
        return switch (a[at]) {
            case '"' -> string();
            case '[' -> numbers();
            case 't' -> word("true");
            case 'f' -> word("false");
            case 'n' -> word("null");
            default -> number();
        };
    }

    private boolean string() {
        int quote = JsonText.scan(a, at + 1, end);
        at = quote + 1;
        return quote >= 0;
    }

    private boolean numbers() {
        at++;
        skipSpace();
        if (take(']')) {
            return true;
        }
        do {
            skipSpace();
            if (!number()) {
                return false;
            }
            skipSpace();
        } while (take(','));
        return take(']');
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

    private boolean word(String word) {
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

    private boolean take(char c) {
        if (at < end && a[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private void skipSpace() {
        while (at < end && (a[at] == ' ' || a[at] == '\t' || a[at] == '\n' || a[at] == '\r')) {
            at++;
        }
    }
}
