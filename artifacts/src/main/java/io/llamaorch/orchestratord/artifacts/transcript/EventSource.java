package io.llamaorch.orchestratord.artifacts.transcript;

import java.nio.ByteBuffer;

/**
 * Events of one stream on their way to the disk. The bytes behind it stay as they are until the log has answered.
 *
 * <p><b>Thread:</b> the log's writer.
 */
@FunctionalInterface
public interface EventSource {
    /** What {@link #next} gives when there is no more. */
    int END = -1;

    /**
     * Puts the next part into a buffer: whole events, or a piece of one that is longer than a part.
     *
     * @param into empty, with room for {@link TranscriptLog#PART_BYTES_MAX}
     * @return the id of the event that the part begins with; 0 where it begins inside of one; {@link #END}
     */
    int next(ByteBuffer into);
}
