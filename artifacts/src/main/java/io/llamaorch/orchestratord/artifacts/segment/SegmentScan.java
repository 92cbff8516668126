package io.llamaorch.orchestratord.artifacts.segment;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The records of one segment, one after the other, and the judgement of what stands where they end. */
final class SegmentScan {
    private static final int ALIGNMENT = 8;

    private SegmentScan() {}

    /**
     * Visits the records.
     *
     * @param bytes the whole file
     * @param last whether it was the one that was written to last, which alone may have a torn tail
     * @return where its good records end
     * @throws LogDamaged where what stands behind them is no torn tail
     */
    static int walk(ByteBuffer bytes, long number, Path path, boolean last, RecordVisitor visitor) throws IOException {
        long salt = Frames.salt(bytes);
        int at = Frames.HEADER_BYTES;
        for (int length = Frames.check(bytes, at, salt); length > 0; length = Frames.check(bytes, at, salt)) {
            visitor.record(Frames.record(bytes, at, SegmentLog.position(number, at)));
            at += length;
        }
        if (last ? wasWhole(bytes, at, salt) : at != bytes.limit()) {
            throw new LogDamaged(path + " is damaged at byte " + at
                    + ": what stands there is no record that was written, and records behind it are. Nothing was changed;"
                    + " restore the file from a copy, or move the folder away to start with an empty one");
        }
        return at;
    }

    /** Whether a record stands behind {@code at} that was made when {@code at} was on stable storage already. */
    private static boolean wasWhole(ByteBuffer bytes, int at, long salt) {
        for (int next = at + ALIGNMENT; next < bytes.limit(); next += ALIGNMENT) {
            if (Frames.check(bytes, next, salt) > 0 && Frames.synced(bytes, next) > at) {
                return true;
            }
        }
        return false;
    }
}
