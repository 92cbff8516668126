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

    /** U+FFFD as bytes. */
    static final byte[] REPLACEMENT = {(byte) 0xef, (byte) 0xbf, (byte) 0xbd};

    /** Frames in a row that must repeat the one before, and its bytes, for it to be no chance. */
    private static final int REPEATS_MIN = 4;

    private static final int REPEATED_BYTES_MIN = 8;

    private final Mode mode;
    private final CRC32C crc = new CRC32C();
    private long knownCrc;
    private int known;
    private int heldCount;
    private int repeats;

    TritonText(Mode mode) {
        this.mode = mode;
    }

    /** U+FFFD left out at the end of the text taken last. */
    int heldCount() {
        return heldCount;
    }

    /** Whether frames taken for pieces look like the whole text, again and again. */
    boolean isLikelyCumulative() {
        return mode == Mode.DELTA && repeats >= REPEATS_MIN;
    }

    /** Where the part of {@code a[from, to)} ends that may be handed over: before U+FFFD that is not confirmed. */
    int settledEnd(byte[] a, int from, int to) {
        int until = to;
        while (mode == Mode.CUMULATIVE && until - 3 >= from && isReplacement(a, until - 3)) {
            until -= 3;
        }
        return until;
    }

    /**
     * Takes the text of the next frame, {@code a[from, to)}.
     *
     * @param until {@link #settledEnd} of it, or {@code to}
     * @return where what is new begins; −1, and nothing noted, where the text does not go on from the one before
     */
    int take(byte[] a, int from, int until, int to) {
        crc.reset();
        boolean goesOn = until - from >= known;
        if (goesOn) {
            crc.update(a, from, known);
            goesOn = crc.getValue() == knownCrc;
        }
        int begin = from + known;
        if (mode == Mode.DELTA) {
            repeats = goesOn && known >= REPEATED_BYTES_MIN && to - from > known ? repeats + 1 : 0;
            crc.reset();
            begin = from;
        } else if (!goesOn) {
            return -1;
        }
        crc.update(a, begin, until - begin);
        knownCrc = crc.getValue();
        known = until - from;
        heldCount = (to - until) / REPLACEMENT.length;
        return begin;
    }

    private static boolean isReplacement(byte[] a, int at) {
        return a[at] == REPLACEMENT[0] && a[at + 1] == REPLACEMENT[1] && a[at + 2] == REPLACEMENT[2];
    }
}
