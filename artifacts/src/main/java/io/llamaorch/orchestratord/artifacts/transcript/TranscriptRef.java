package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.store.Digest;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Where a transcript is, and what it is: small enough to stand in another log's record.
 *
 * @param digest of its content: its id as an artifact
 * @param position of its closing record
 * @param firstSegment the oldest segment with a part of it
 * @param contentBytes length of its content
 */
public record TranscriptRef(Digest digest, long position, long firstSegment, long contentBytes) {
    /** Most bytes of {@link #encode}. */
    public static final int ENCODED_BYTES_MAX = 64;

    private static final byte VERSION = 1;
    private static final int DIGEST_BYTES = 32;
    private static final int ENCODED_BYTES = 1 + DIGEST_BYTES + 3 * Long.BYTES;

    /** As bytes, for {@link #decode}. */
    public byte[] encode() {
        return ByteBuffer.allocate(ENCODED_BYTES)
                .put(VERSION)
                .put(HexFormat.of().parseHex(digest.hex()))
                .putLong(position)
                .putLong(firstSegment)
                .putLong(contentBytes)
                .array();
    }

    /** What {@link #encode} gave; null for anything else. */
    public static @Nullable TranscriptRef decode(byte[] encoded) {
        if (encoded.length != ENCODED_BYTES || encoded[0] != VERSION) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.wrap(encoded, 1 + DIGEST_BYTES, 3 * Long.BYTES);
        return new TranscriptRef(
                new Digest(HexFormat.of().formatHex(encoded, 1, 1 + DIGEST_BYTES)),
                bytes.getLong(),
                bytes.getLong(),
                bytes.getLong());
    }
}
