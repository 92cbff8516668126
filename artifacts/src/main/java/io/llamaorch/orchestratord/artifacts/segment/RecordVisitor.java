package io.llamaorch.orchestratord.artifacts.segment;

import java.io.IOException;

/** Sees the records of a log in the order in which they were appended. */
@FunctionalInterface
public interface RecordVisitor {
    /**
     * The next record.
     *
     * @throws IOException to end the walk
     */
    void record(SegmentRecord record) throws IOException;
}
