package io.llamaorch.orchestratord.artifacts.segment;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.DurableFiles;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * One file of a log, as it is read.
 *
 * @param number of it, from 1
 * @param path where it is
 * @param file open
 * @param salt of its records
 */
record Segment(long number, Path path, Disk.File file, long salt) {
    private static final String SUFFIX = ".seg";
    private static final int DIGITS = 10;

    /** The name of a segment's file. */
    static String name(long number) {
        return String.format("%0" + DIGITS + "d", number) + SUFFIX;
    }

    /** The number that a file's name tells; −1 where it is no segment's. */
    static long number(String name) {
        return name.matches("[0-9]{" + DIGITS + "}\\.seg") ? Long.parseLong(name.substring(0, DIGITS)) : -1;
    }

    /**
     * One record.
     *
     * @throws LogDamaged where none stands there
     */
    SegmentRecord read(int offset) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(Frames.RECORD_HEADER_BYTES);
        try {
            DurableFiles.readFully(file, header, offset);
            int payload = Frames.headerPayload(header.flip(), 0, salt);
            if (payload >= 0 && Frames.length(payload) <= file.size() - offset) {
                ByteBuffer record = ByteBuffer.allocate((int) Frames.length(payload));
                record.put(header);
                DurableFiles.readFully(file, record, offset + (long) Frames.RECORD_HEADER_BYTES);
                if (Frames.check(record.flip(), 0, salt) != 0) {
                    return Frames.record(record, 0, SegmentLog.position(number, offset));
                }
            }
        } catch (EOFException e) {
            // as below
        }
        throw new LogDamaged(path + " holds no whole record at byte " + offset);
    }

    /** Its header, or what there is of it. */
    ByteBuffer head() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(Frames.HEADER_BYTES, file.size()));
        DurableFiles.readFully(file, bytes, 0);
        return bytes.flip();
    }

    /** All bytes of it. */
    ByteBuffer bytes() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
        DurableFiles.readFully(file, bytes, 0);
        return bytes.flip();
    }
}
