package io.llamaorch.orchestratord.server.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Bytes that grow at the end: {@code array()[0, length())}. Reused by {@link #clear()}; grows as needed and keeps its
 * size up to {@link #KEPT_BYTES_MAX}.
 *
 * <p>Not shared between threads.
 */
public final class ByteSink {
    /** Most bytes that a cleared sink keeps. */
    public static final int KEPT_BYTES_MAX = 256 << 10;

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes;
    private int length;

    public ByteSink(int initialBytes) {
        bytes = new byte[Math.max(16, initialBytes)];
    }

    public byte[] array() {
        return bytes;
    }

    public int length() {
        return length;
    }

    /** Empties the sink; what {@link #array()} gave is written over by the next use. */
    public ByteSink clear() {
        length = 0;
        if (bytes.length > KEPT_BYTES_MAX) {
            bytes = new byte[KEPT_BYTES_MAX];
        }
        return this;
    }

    /** Cuts the sink back to a length that it had. */
    public void truncate(int newLength) {
        length = Math.min(length, newLength);
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(bytes, length);
    }

    public ByteSink octet(int b) {
        ensure(1);
        bytes[length++] = (byte) b;
        return this;
    }

    public ByteSink bytes(byte[] source) {
        return bytes(source, 0, source.length);
    }

    public ByteSink bytes(byte[] source, int offset, int count) {
        ensure(count);
        System.arraycopy(source, offset, bytes, length, count);
        length += count;
        return this;
    }

    /** The low byte of each character: for text that is known to be ASCII. */
    @SuppressWarnings("deprecation") // the one copy without an array between
    public ByteSink ascii(String text) {
        int count = text.length();
        ensure(count);
        text.getBytes(0, count, bytes, length);
        length += count;
        return this;
    }

    /** A decimal number. */
    public ByteSink decimal(long value) {
        if (value < 0) {
            if (value == Long.MIN_VALUE) {
                return ascii("-9223372036854775808");
            }
            octet('-');
            return decimal(-value);
        }
        int digits = 1;
        for (long rest = value; rest >= 10; rest /= 10) {
            digits++;
        }
        ensure(digits);
        long rest = value;
        for (int i = length + digits - 1; i >= length; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
        return this;
    }

    /** Eight bytes, the highest first. */
    public ByteSink int64(long value) {
        ensure(8);
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes[length++] = (byte) (value >>> shift);
        }
        return this;
    }

    /** UTF-8; a lone surrogate becomes U+FFFD. */
    public ByteSink utf8(String text) {
        int count = text.length();
        ensure(count);
        int i = 0;
        for (; i < count; i++) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                break;
            }
            bytes[length++] = (byte) c;
        }
        return i == count ? this : utf8From(text, i);
    }

    private ByteSink utf8From(String text, int from) {
        ensure((text.length() - from) * 3);
        for (int i = from; i < text.length(); i++) {
            i += codePoint(text, i);
        }
        return this;
    }

    /** Writes the character at i; 1 where it took two chars, else 0. */
    private int codePoint(String text, int i) {
        ensure(4);
        char c = text.charAt(i);
        if (c < 0x80) {
            bytes[length++] = (byte) c;
        } else if (c < 0x800) {
            bytes[length++] = (byte) (0xc0 | c >> 6);
            bytes[length++] = (byte) (0x80 | (c & 0x3f));
        } else if (Character.isHighSurrogate(c)
                && i + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(i + 1))) {
            int point = Character.toCodePoint(c, text.charAt(i + 1));
            bytes[length++] = (byte) (0xf0 | point >> 18);
            bytes[length++] = (byte) (0x80 | (point >> 12 & 0x3f));
            bytes[length++] = (byte) (0x80 | (point >> 6 & 0x3f));
            bytes[length++] = (byte) (0x80 | (point & 0x3f));
            return 1;
        } else {
            int point = Character.isSurrogate(c) ? 0xfffd : c;
            bytes[length++] = (byte) (0xe0 | point >> 12);
            bytes[length++] = (byte) (0x80 | (point >> 6 & 0x3f));
            bytes[length++] = (byte) (0x80 | (point & 0x3f));
        }
        return 0;
    }

    /** A JSON string with its quotes: UTF-8, escapes for quotes, backslashes and controls. */
    public ByteSink jsonString(String text) {
        int count = text.length();
        ensure(count + 2);
        bytes[length++] = '"';
        for (int i = 0; i < count; i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c < 0x80 && c != '"' && c != '\\') {
                if (length == bytes.length) {
                    ensure(count - i + 1);
                }
                bytes[length++] = (byte) c;
            } else if (c >= 0x80) {
                i += codePoint(text, i);
            } else {
                escape(c);
            }
        }
        return octet('"');
    }

    private void escape(char c) {
        switch (c) {
            case '"' -> ascii("\\\"");
            case '\\' -> ascii("\\\\");
            case '\n' -> ascii("\\n");
            case '\r' -> ascii("\\r");
            case '\t' -> ascii("\\t");
            case '\b' -> ascii("\\b");
            case '\f' -> ascii("\\f");
            default -> ascii("\\u00").octet(HEX[c >> 4]).octet(HEX[c & 15]);
        }
    }

    private void ensure(int more) {
        if (more > bytes.length - length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }
}
