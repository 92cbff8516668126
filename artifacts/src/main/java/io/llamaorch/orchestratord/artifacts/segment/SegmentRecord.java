package io.llamaorch.orchestratord.artifacts.segment;

import java.nio.ByteBuffer;

/**
 * One record of a {@link SegmentLog}.
 *
 * @param position where it stands, see {@link SegmentLog#segmentOf}
 * @param type what it is, 1 … 255; the log's owner knows
 * @param version of that type's payload, 0 … 255
 * @param payload its bytes, from position to limit; not to be kept beyond the call where a visitor was given it
 */
public record SegmentRecord(long position, int type, int version, ByteBuffer payload) {}
