package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;

/**
 * Makes well-formed text (see {@link JsonText}) out of the pieces of one stream: a character that two pieces share is
 * held back until it is whole, and what can never become one turns into U+FFFD.
 *
 * <p>What can be shared: a surrogate pair whose halves are escaped in two pieces, and a UTF-8 sequence. An escape itself
 * is never cut, for each piece is a JSON string. Two small fields a stream; on the common path only {@link #isIdle()}
 * is asked. Owned by the stream's loop.
 */
public final class JsonTextJoiner {
    private static final int REPLACEMENT = 0xefbfbd;

    /** An escaped high surrogate whose other half has not come, 0 for none. */
    private int high;
    /** Bytes of a UTF-8 sequence that is not whole, oldest in the highest place. */
    private int tail;

    private int tailLength;

    /** Whether nothing is held back: a well-formed piece may be used as it is. */
    public boolean isIdle() {
        return high == 0 && tailLength == 0;
    }

    /** Appends to {@code out} what {@code a[from, to)} completes and brings, well-formed. */
    public void join(byte[] a, int from, int to, ByteBuf out) {
        byte[] piece = a;
        int i = from;
        int end = to;
        if (tailLength > 0 && from < to) {
            piece = new byte[tailLength + to - from];
            for (int k = 0; k < tailLength; k++) {
                piece[k] = (byte) (tail >> (8 * (tailLength - 1 - k)));
            }
            System.arraycopy(a, from, piece, tailLength, to - from);
            i = 0;
            end = piece.length;
            tailLength = 0;
        }
        while (i < end) {
            i = next(piece, i, end, out);
        }
    }

    /** The stream ended: what is held back becomes U+FFFD. */
    public void flush(ByteBuf out) {
        dropHigh(out);
        if (tailLength > 0) {
            tailLength = 0;
            out.writeMedium(REPLACEMENT);
        }
    }

    private int next(byte[] a, int i, int end, ByteBuf out) {
        int b = a[i] & 0xff;
        if (b == '\\') {
            return escape(a, i, end, out);
        }
        dropHigh(out);
        if (b >= 0x80) {
            int length = JsonText.utf8Length(a, i, end);
            if (length > 0) {
                out.writeBytes(a, i, length);
                return i + length;
            }
            if (length < 0) {
                out.writeMedium(REPLACEMENT);
                return i - length;
            }
            for (int k = i; k < end; k++) {
                tail = (tail << 8) | (a[k] & 0xff);
                tailLength++;
            }
            return end;
        }
        if (b < 0x20) {
            JsonText.writeControl(out, b);
        } else if (b == '"') {
            out.writeByte('\\').writeByte('"');
        } else {
            out.writeByte(b);
        }
        return i + 1;
    }

    private int escape(byte[] a, int i, int end, ByteBuf out) {
        int unit = i + 1 < end && a[i + 1] == 'u' ? JsonText.hex4(a, i + 2, end) : -1;
        if (unit >= 0xdc00 && unit < 0xe000) {
            if (high != 0) {
                writeUnit(out, high);
                writeUnit(out, unit);
                high = 0;
            } else {
                out.writeMedium(REPLACEMENT);
            }
            return i + 6;
        }
        dropHigh(out);
        if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
            return i + 6;
        }
        int length = JsonText.escapeLength(a, i, end);
        if (length > 0) {
            out.writeBytes(a, i, length);
            return i + length;
        }
        out.writeByte('\\').writeByte('\\');
        return i + 1;
    }

    private void dropHigh(ByteBuf out) {
        if (high != 0) {
            high = 0;
            out.writeMedium(REPLACEMENT);
        }
    }

    private static void writeUnit(ByteBuf out, int unit) {
        out.writeByte('\\').writeByte('u');
        for (int shift = 12; shift >= 0; shift -= 4) {
            out.writeByte(JsonText.hexDigit(unit >> shift & 15));
        }
    }
}
