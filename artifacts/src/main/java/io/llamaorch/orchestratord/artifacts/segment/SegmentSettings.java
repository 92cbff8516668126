package io.llamaorch.orchestratord.artifacts.segment;

/**
 * How long the files of a log are.
 *
 * @param segmentBytes length from which on a segment takes no further record; one record may be longer than that
 * @param extendBytes step by which a file is extended with zeros, 0: not at all
 */
public record SegmentSettings(int segmentBytes, int extendBytes) {
    /** What a test or a tool may take. */
    public static final SegmentSettings DEFAULT = new SegmentSettings(16 << 20, 1 << 20);

    public SegmentSettings {
        if (segmentBytes < 1 || extendBytes < 0) {
            throw new IllegalArgumentException("segment " + segmentBytes + " bytes, step " + extendBytes);
        }
    }
}
