package io.llamaorch.orchestratord.artifacts.segment;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Headers of segments and records as bytes, see {@link io.llamaorch.orchestratord.artifacts.segment}. */
final class Frames {
    static final int HEADER_BYTES = 32;
    static final int RECORD_HEADER_BYTES = 16;
    private static final int ALIGNMENT = 8;
    private static final long MAGIC = 0x6f72636873656701L; // orchseg, version 1
    private static final int CRC_AT = 4;
    private static final int SYNCED_AT = 8;
    private static final int TYPE_AT = 12;
    private static final int HEADER_CHECK_AT = 14;
    private static final int HEADER_CRC_AT = 24;

    private Frames() {}

    /** Bytes that a record takes in the file. */
    static long length(long payloadBytes) {
        return RECORD_HEADER_BYTES + payloadBytes + padding(payloadBytes);
    }

    private static long padding(long payloadBytes) {
        return -payloadBytes & (ALIGNMENT - 1);
    }

    // ---- segments ----

    /** The first bytes of a segment. */
    static ByteBuffer header(long number, long salt) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putLong(MAGIC).putLong(number).putLong(salt);
        header.putInt(crc(header.duplicate().flip(), 0)).putInt(0);
        return header.flip();
    }

    /** Whether the bytes are the header of that segment. */
    static boolean isHeader(ByteBuffer header, long number) {
        return header.getLong(0) == MAGIC
                && header.getLong(8) == number
                && header.getInt(HEADER_CRC_AT) == crc(header.slice(0, HEADER_CRC_AT), 0);
    }

    /** The salt of a header. */
    static long salt(ByteBuffer header) {
        return header.getLong(16);
    }

    // ---- records ----

    /** Puts a record into {@code target}, which has room; the payload's position stays. */
    static void put(ByteBuffer target, long salt, int synced, int type, int version, ByteBuffer payload) {
        int at = target.position();
        int length = payload.remaining();
        target.putInt(length).putInt(0).putInt(synced).put((byte) type).put((byte) version);
        target.putShort(headerCheck(target, at, salt)).put(payload.duplicate());
        for (long i = padding(length); i > 0; i--) {
            target.put((byte) 0);
        }
        target.putInt(at + CRC_AT, recordCheck(target, at, target.position() - at, salt));
    }

    /**
     * The bytes that the record at {@code at} takes; 0 where no whole and right record is there.
     *
     * @param bytes from 0 to limit
     */
    static int check(ByteBuffer bytes, int at, long salt) {
        int payload = headerPayload(bytes, at, salt);
        if (payload < 0 || length(payload) > bytes.limit() - at) {
            return 0;
        }
        int length = (int) length(payload);
        return bytes.getInt(at + CRC_AT) == recordCheck(bytes, at, length, salt) ? length : 0;
    }

    /** Payload bytes that the header at {@code at} tells of; −1 where there is no right one. */
    static int headerPayload(ByteBuffer bytes, int at, long salt) {
        boolean right = bytes.limit() - at >= RECORD_HEADER_BYTES
                && bytes.getShort(at + HEADER_CHECK_AT) == headerCheck(bytes, at, salt);
        return right ? bytes.getInt(at) : -1;
    }

    /** The record at {@code at}, which {@link #check} found right. */
    static SegmentRecord record(ByteBuffer bytes, int at, long position) {
        return new SegmentRecord(
                position,
                bytes.get(at + TYPE_AT) & 0xff,
                bytes.get(at + TYPE_AT + 1) & 0xff,
                bytes.slice(at + RECORD_HEADER_BYTES, bytes.getInt(at)));
    }

    /** How far its segment was on stable storage when the record at {@code at} was made. */
    static int synced(ByteBuffer bytes, int at) {
        return bytes.getInt(at + SYNCED_AT);
    }

    private static short headerCheck(ByteBuffer bytes, int at, long salt) {
        return (short) crc(bytes.slice(at + SYNCED_AT, HEADER_CHECK_AT - SYNCED_AT), salt + bytes.getInt(at));
    }

    private static int recordCheck(ByteBuffer bytes, int at, int length, long salt) {
        return crc(bytes.slice(at + SYNCED_AT, length - SYNCED_AT), salt + bytes.getInt(at));
    }

    /** The salt comes first: who does not know it cannot make bytes that match. */
    private static int crc(ByteBuffer bytes, long salt) {
        CRC32C crc = new CRC32C();
        for (int shift = 56; shift >= 0; shift -= 8) {
            crc.update((int) (salt >>> shift));
        }
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
