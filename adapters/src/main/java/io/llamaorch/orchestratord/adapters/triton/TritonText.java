package io.llamaorch.orchestratord.adapters.triton;

import java.util.zip.CRC32C;

/**
 * Finds what is new in the text of a frame.
 *
 * <p>{@link Mode#DELTA}: all of it. {@link Mode#CUMULATIVE}: what comes after the text of the frame before. Kept are that
 * text's length in JSON-escaped bytes and its CRC-32C, not the text. Verified is, in each frame, that the text is at least as
 * long and that its first bytes have that checksum: all of them, with odds of 2^-32 for a text that differs. The
 * checksum goes on from the old bytes to the new, so a frame is read once and costs no allocation.
 *
 * <p>U+FFFD at the end of a frame's whole text stands for a character whose bytes are not all there yet: the next frame
 * may have the character in its place. It is left out until another character or the end confirms it.
 *
 * <p>In {@link Mode#DELTA} the same check tells whether frames repeat the frame before them, as cumulative ones do.
 *
 * <p>One a stream, owned by the call's loop. Text is JSON-escaped bytes.
 */
final class TritonText {
    /** What a frame's text is. */
    enum Mode {
        /** The new piece. */
        DELTA,
        /** The whole text so far. */
        CUMULATIVE
    }

    /** Frames in a row that must repeat the one before, and its bytes, for it to be no chance. */
    private static final int REPEATS_MIN = 4;

    private static final int REPEATED_BYTES_MIN = 8;

    private static final byte[] REPLACEMENT = {(byte) 0xef, (byte) 0xbf, (byte) 0xbd};

    private final Mode mode;
    private final CRC32C crc = new CRC32C();
    private long knownCrc;
    private int known;
    private int heldBytes;
    private boolean isRepeat;
    private int repeats;

    TritonText(Mode mode) {
        this.mode = mode;
    }

    /**
     * Checks the text that begins at {@code from} against what is known of the one before.
     *
     * @param end where the text ends, or where the bytes end in which it does
     * @return where what is new begins; −1 where the text does not go on from the one before
     */
    int begin(byte[] a, int from, int end) {
        isRepeat = false;
        crc.reset();
        if (end - from < known) {
            return miss(from);
        }
        crc.update(a, from, known);
        if (crc.getValue() != knownCrc) {
            return miss(from);
        }
        if (mode == Mode.DELTA) {
            isRepeat = known >= REPEATED_BYTES_MIN;
            crc.reset();
            return from;
        }
        return from + known;
    }

    private int miss(int from) {
        crc.reset();
        return mode == Mode.DELTA ? from : -1;
    }

    /**
     * Takes note of a text whose new part is {@code a[newFrom, to)}, after {@link #begin} found that.
     *
     * @return where the part ends that may be handed over
     */
    int took(byte[] a, int from, int newFrom, int to) {
        int until = to;
        if (mode == Mode.CUMULATIVE) {
            while (until - 3 >= newFrom && isReplacement(a, until - 3)) {
                until -= 3;
            }
            heldBytes = to - until;
        }
        crc.update(a, newFrom, until - newFrom);
        repeats = isRepeat && until - from > known ? repeats + 1 : 0;
        knownCrc = crc.getValue();
        known = until - from;
        return until;
    }

    /** Bytes of U+FFFD left out at the end of the text taken last. */
    int heldBytes() {
        return heldBytes;
    }

    /** Whether frames taken for pieces look like the whole text, again and again. */
    boolean isLikelyCumulative() {
        return mode == Mode.DELTA && repeats >= REPEATS_MIN;
    }

    private static boolean isReplacement(byte[] a, int at) {
        return a[at] == REPLACEMENT[0] && a[at + 1] == REPLACEMENT[1] && a[at + 2] == REPLACEMENT[2];
    }
}
