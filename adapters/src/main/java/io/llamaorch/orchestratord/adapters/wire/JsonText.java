package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;

/**
 * The inside of JSON strings, still escaped, as bytes (RFC 8259 §7, RFC 3629).
 *
 * <p>"Well-formed" here is: UTF-8 without overlong forms, surrogates or values past U+10FFFF; no raw control character;
 * escapes of RFC 8259 only; each escaped surrogate is half of a pair that lies together. All methods are stateless.
 */
public final class JsonText {
    /** {@link #scan}: the bytes ended before a closing quote. */
    public static final int UNTERMINATED = -1;
    /** {@link #scan}: not well-formed; {@link JsonTextJoiner} makes it so. */
    public static final int IRREGULAR = -2;

    private static final byte PLAIN = 0;
    private static final byte QUOTE = 1;
    private static final byte BACKSLASH = 2;
    private static final byte CONTROL = 3;
    private static final byte MULTIBYTE = 4;
    private static final byte[] CLASS = new byte[256];

    static {
        for (int i = 0; i < 256; i++) {
            CLASS[i] = i < 0x20 ? CONTROL : i >= 0x80 ? MULTIBYTE : PLAIN;
        }
        CLASS['"'] = QUOTE;
        CLASS['\\'] = BACKSLASH;
    }

    private JsonText() {}

    /**
     * Finds the quote that closes the string whose inside begins at {@code from}, checking the inside.
     *
     * @return index of the closing quote in {@code a[from, to)}, {@link #UNTERMINATED} or {@link #IRREGULAR}
     */
    public static int scan(byte[] a, int from, int to) {
        int i = from;
        while (i < to) {
            byte b = a[i];
            switch (CLASS[b & 0xff]) {
                case PLAIN -> i++;
                case QUOTE -> {
                    return i;
                }
                case BACKSLASH -> {
                    int escape = escapeLength(a, i, to);
                    if (escape <= 0) {
                        return IRREGULAR;
                    }
                    i += escape;
                }
                case MULTIBYTE -> {
                    int length = utf8Length(a, i, to);
                    if (length <= 0) {
                        return IRREGULAR;
                    }
                    i += length;
                }
                default -> {
                    return IRREGULAR;
                }
            }
        }
        return UNTERMINATED;
    }

    /** Whether {@code a[from, to)} is well-formed, with no quote in it. */
    public static boolean isWellFormed(byte[] a, int from, int to) {
        return scan(a, from, to) == UNTERMINATED;
    }

    /**
     * Finds the quote that closes the string whose inside begins at {@code from} by skipping escapes, whatever else the
     * inside holds.
     *
     * @return its index, or {@link #UNTERMINATED}
     */
    public static int closingQuote(byte[] a, int from, int to) {
        for (int i = from; i < to; i++) {
            if (a[i] == '"') {
                return i;
            }
            if (a[i] == '\\') {
                i++;
            }
        }
        return UNTERMINATED;
    }

    /** Bytes of the well-formed escape at {@code i} (a surrogate pair counts as one), or 0. */
    static int escapeLength(byte[] a, int i, int to) {
        if (i + 1 >= to) {
            return 0;
        }
        return switch (a[i + 1]) {
            case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> 2;
            case 'u' -> unicodeEscapeLength(a, i, to);
            default -> 0;
        };
    }

    private static int unicodeEscapeLength(byte[] a, int i, int to) {
        int unit = hex4(a, i + 2, to);
        if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000)) {
            return 0;
        }
        if (unit < 0xd800 || unit >= 0xe000) {
            return 6;
        }
        boolean pair = i + 11 < to && a[i + 6] == '\\' && a[i + 7] == 'u';
        int low = pair ? hex4(a, i + 8, to) : -1;
        return low >= 0xdc00 && low < 0xe000 ? 12 : 0;
    }

    /** Value of the four hex digits at {@code i}, or −1. */
    static int hex4(byte[] a, int i, int to) {
        if (i + 4 > to) {
            return -1;
        }
        int value = 0;
        for (int k = i; k < i + 4; k++) {
            int digit = Character.digit(a[k], 16);
            if (digit < 0) {
                return -1;
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /**
     * Bytes of the well-formed multi-byte character at {@code i}; 0 where the bytes end within it and may yet become
     * one; −n where the first n bytes can't begin a character.
     */
    static int utf8Length(byte[] a, int i, int to) {
        int lead = a[i] & 0xff;
        int length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
        if (length == 0) {
            return -1;
        }
        for (int k = 1; k < length; k++) {
            if (i + k >= to) {
                return 0;
            }
            int low = 0x80;
            int high = 0xbf;
            if (k == 1) {
                low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
                high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
            }
            int next = a[i + k] & 0xff;
            if (next < low || next > high) {
                return -k;
            }
        }
        return length;
    }

    /** Appends a control character as an escape. */
    static void writeControl(ByteBuf out, int c) {
        out.writeByte('\\').writeByte('u').writeByte('0').writeByte('0');
        out.writeByte(hexDigit(c >> 4)).writeByte(hexDigit(c & 15));
    }

    static int hexDigit(int value) {
        return "0123456789abcdef".charAt(value);
    }
}
