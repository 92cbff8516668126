package io.llamaorch.orchestratord.artifacts.transcript;

import java.util.UUID;

/**
 * A stream whose parts go to the disk before it is closed. It keeps its segments from removal until {@link
 * TranscriptLog#finish} or {@link TranscriptLog#abandon}.
 *
 * <p>Made by whoever owns the stream; the rest is the writer's.
 */
public final class LiveTranscript {
    static final long UNPINNED = -1;

    private final UUID task;
    private final PartTable parts = new PartTable();
    private long pinned = UNPINNED;
    private boolean broken;

    public LiveTranscript(UUID task) {
        this.task = task;
    }

    UUID task() {
        return task;
    }

    PartTable parts() {
        return parts;
    }

    /** The oldest segment with a part of it, or {@link #UNPINNED}. */
    long pinned() {
        return pinned;
    }

    void pin(long segment) {
        pinned = segment;
    }

    /** A part is missing: it can not be closed any more. */
    boolean isBroken() {
        return broken;
    }

    void markBroken() {
        broken = true;
    }
}
