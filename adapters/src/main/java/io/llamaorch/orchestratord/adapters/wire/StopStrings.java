package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Looks for stop strings in the text of one stream and holds back what may yet become one.
 *
 * <p>Text comes and goes as well-formed inside of JSON strings ({@link JsonText}); stop strings are compared with what it
 * means, so that two ways to write a line feed are the same. One automaton a stop string (Knuth, Morris, Pratt 1977) reads
 * each byte once; held back is never more than the longest stop string. Of several that end with the same byte the longest
 * counts. A cut never falls within a character, for each stop string begins with one.
 *
 * <p>Owned by the stream's loop. Its arrays are made once a stream; a piece costs no allocation.
 */
public final class StopStrings {
    private final byte[][] stops;
    private final int[][] failures;
    private final int[] states;
    /** Meaning of the text that was taken in and not given out, UTF-8. */
    private byte[] held = new byte[64];

    private int heldLength;
    private long given;
    private boolean found;

    /** Looks for {@code stops}, none of them empty. */
    public StopStrings(List<String> stops) {
        this.stops = new byte[stops.size()][];
        this.failures = new int[stops.size()][];
        this.states = new int[stops.size()];
        for (int k = 0; k < this.stops.length; k++) {
            byte[] stop = stops.get(k).getBytes(StandardCharsets.UTF_8);
            if (stop.length == 0) {
                throw new IllegalArgumentException("empty stop string");
            }
            this.stops[k] = stop;
            this.failures[k] = failure(stop);
        }
    }

    /** Whether a stop string was met: all text after that is dropped. */
    public boolean isFound() {
        return found;
    }

    /**
     * Takes in {@code buf[offset, offset + length)} (absolute index), whole characters and whole escapes, and appends to
     * {@code out} what can no longer be part of a stop string; with a stop string found, all that came before it.
     */
    public void accept(ByteBuf buf, int offset, int length, ByteBuf out) {
        int end = offset + length;
        int at = offset;
        while (at < end && !found) {
            byte b = buf.getByte(at);
            if (b != '\\') {
                take(b);
                at++;
            } else {
                at += escape(buf, at);
            }
        }
        int partial = 0;
        for (int k = 0; k < states.length && !found; k++) {
            partial = Math.max(partial, states[k]);
        }
        give(heldLength - partial, out);
    }

    /**
     * The stream ended: what was held back was no stop string after all.
     *
     * @param whole bytes of the whole text as the engine sees it at last, see {@link #meaningBytes}; what goes past it is
     *     dropped, for the engine knew a stop string by its beginning
     */
    public void flush(ByteBuf out, long whole) {
        give(Math.clamp(whole - given, 0, heldLength), out);
        heldLength = 0;
        Arrays.fill(states, 0);
    }

    /** UTF-8 bytes of what {@code a[from, to)}, well-formed inside of a JSON string, means. */
    public static long meaningBytes(byte[] a, int from, int to) {
        long bytes = 0;
        int at = from;
        while (at < to) {
            if (a[at] != '\\') {
                bytes++;
                at++;
            } else if (a[at + 1] != 'u') {
                bytes++;
                at += 2;
            } else {
                int length = JsonText.escapeLength(a, at, to);
                int unit = JsonText.hex4(a, at + 2, to);
                bytes += length == 12 ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
                at += Math.max(6, length);
            }
        }
        return bytes;
    }

    private int escape(ByteBuf buf, int at) {
        byte kind = buf.getByte(at + 1);
        switch (kind) {
            case 'b' -> take((byte) '\b');
            case 'f' -> take((byte) '\f');
            case 'n' -> take((byte) '\n');
            case 'r' -> take((byte) '\r');
            case 't' -> take((byte) '\t');
            case 'u' -> {
                int unit = unit(buf, at + 2);
                if (unit >= 0xd800 && unit < 0xdc00) {
                    int low = unit(buf, at + 8);
                    codePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                    return 12;
                }
                codePoint(unit);
                return 6;
            }
            default -> take(kind);
        }
        return 2;
    }

    private static int unit(ByteBuf buf, int at) {
        int value = 0;
        for (int k = at; k < at + 4; k++) {
            value = value << 4 | Character.digit(buf.getByte(k), 16);
        }
        return value;
    }

    private void codePoint(int c) {
        if (c < 0x80) {
            take((byte) c);
            return;
        }
        if (c < 0x800) {
            take((byte) (0xc0 | c >> 6));
        } else {
            if (c < 0x10000) {
                take((byte) (0xe0 | c >> 12));
            } else {
                take((byte) (0xf0 | c >> 18));
                take((byte) (0x80 | (c >> 12 & 0x3f)));
            }
            take((byte) (0x80 | (c >> 6 & 0x3f)));
        }
        take((byte) (0x80 | (c & 0x3f)));
    }

    private void take(byte b) {
        if (found) {
            return;
        }
        if (heldLength == held.length) {
            held = Arrays.copyOf(held, 2 * heldLength);
        }
        held[heldLength++] = b;
        int longest = 0;
        for (int k = 0; k < stops.length; k++) {
            byte[] stop = stops[k];
            int state = states[k];
            while (state > 0 && stop[state] != b) {
                state = failures[k][state - 1];
            }
            if (stop[state] == b) {
                state++;
            }
            if (state == stop.length) {
                longest = Math.max(longest, state);
                state = 0;
            }
            states[k] = state;
        }
        if (longest > 0) {
            found = true;
            heldLength -= longest;
        }
    }

    /** Appends the oldest {@code count} held bytes as the inside of a JSON string, and forgets them. */
    private void give(int count, ByteBuf out) {
        for (int i = 0; i < count; i++) {
            byte b = held[i];
            if (b == '"' || b == '\\') {
                out.writeByte('\\').writeByte(b);
            } else if (b == '\n') {
                out.writeByte('\\').writeByte('n');
            } else if (b >= 0 && b < 0x20) {
                JsonText.writeControl(out, b);
            } else {
                out.writeByte(b);
            }
        }
        System.arraycopy(held, count, held, 0, heldLength - count);
        heldLength -= count;
        given += count;
    }

    private static int[] failure(byte[] stop) {
        int[] failure = new int[stop.length];
        int state = 0;
        for (int i = 1; i < stop.length; i++) {
            while (state > 0 && stop[state] != stop[i]) {
                state = failure[state - 1];
            }
            if (stop[state] == stop[i]) {
                state++;
            }
            failure[i] = state;
        }
        return failure;
    }
}
