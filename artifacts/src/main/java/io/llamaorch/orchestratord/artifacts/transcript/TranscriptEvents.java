package io.llamaorch.orchestratord.artifacts.transcript;

import java.util.UUID;

/** Told what happens in a transcript log; on its threads, must not block. */
public interface TranscriptEvents {
    /** A transcript is on disk. */
    default void onStored(ArchivedTask task) {}

    /** A transcript or a part of one was not taken: the writer has all the work that it takes. */
    default void onRefused() {}

    /** A task is known no more: too many, too old, or its segment went. */
    default void onForgotten(ArchivedTask task) {}

    /** What was read is not what was written. */
    default void onCorrupt(UUID task) {}

    /**
     * The disk failed; what was to be written was not.
     *
     * @param isLast whether nothing is written any more until the process starts anew
     */
    default void onDiskFailure(String operation, Throwable failure, boolean isLast) {}

    /** A defect on one of the log's threads. */
    default void onDefect(Throwable defect) {}
}
