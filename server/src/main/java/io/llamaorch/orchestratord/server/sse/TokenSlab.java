package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.wire.ByteCopy;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * Token texts on their way from an engine's loop to a stream's loop: {@code (length, bytes)*} in one reusable array.
 *
 * <p><b>Owner thread:</b> whoever holds it; {@link TokenQueue} hands it over.
 */
public final class TokenSlab {
    /** Bytes of a slab as made; a longer piece of text makes its slab grow, and such a slab is not pooled. */
    static final int BYTES = 2048;

    private static final int HEADER = Integer.BYTES;

    private byte[] bytes = new byte[BYTES];
    private int end;
    private int next;

    /** Whether a piece of that many bytes fits without growing. */
    boolean hasRoom(int length) {
        return end + HEADER + length <= bytes.length;
    }

    /** Whether nothing is in it. */
    boolean isEmpty() {
        return end == 0;
    }

    /** Whether it still has the size it was made with. */
    boolean isPoolable() {
        return bytes.length == BYTES;
    }

    /** Adds {@code source[offset, offset + length)}. */
    void add(ByteBuf source, int offset, int length) {
        if (!hasRoom(length)) {
            bytes = Arrays.copyOf(bytes, Math.max(end + HEADER + length, bytes.length * 2));
        }
        bytes[end] = (byte) (length >>> 24);
        bytes[end + 1] = (byte) (length >>> 16);
        bytes[end + 2] = (byte) (length >>> 8);
        bytes[end + 3] = (byte) length;
        ByteCopy.copy(source, offset, bytes, end + HEADER, length);
        end += HEADER + length;
    }

    /** The array; a piece lies at the index that {@link #nextText} returned. */
    byte[] bytes() {
        return bytes;
    }

    /** Length of the next piece, or −1 after the last. */
    int nextLength() {
        if (next == end) {
            return -1;
        }
        return (bytes[next] & 0xff) << 24
                | (bytes[next + 1] & 0xff) << 16
                | (bytes[next + 2] & 0xff) << 8
                | (bytes[next + 3] & 0xff);
    }

    /** Index of the next piece's first byte; moves on past it. */
    int nextText(int length) {
        int at = next + HEADER;
        next = at + length;
        return at;
    }

    /** Empties it for the next use. */
    void clear() {
        end = 0;
        next = 0;
    }
}
