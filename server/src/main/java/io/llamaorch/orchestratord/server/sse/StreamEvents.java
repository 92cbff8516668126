package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineFailure;

/**
 * What a stream tells the rest of the daemon. Called on the stream's loop; never blocks.
 */
public interface StreamEvents {

    /** The engine took the request: {@code started} is in the log. */
    void started(TaskStream stream);

    /** The first token is in the log. */
    void firstToken(TaskStream stream);

    /** A metrics period has passed while it decodes: the scheduler learns how far it is, and answers with figures. */
    void progress(TaskStream stream);

    /** The engine broke the call, or refused it: what that says of the replica is to be judged. */
    void engineFailed(TaskStream stream, EngineFailure failure);

    /** The task gives its slot back and waits for another replica; {@link TaskStream#dispatch} is null again. */
    void retry(TaskStream stream);

    /** A queued stream has a reader that wants to know where it stands. */
    void askPosition(TaskStream stream);

    /** The terminal event is in the log; {@link TaskStream#ending} says which. */
    void ended(TaskStream stream);

    /** The transcript is on disk: {@link TaskStream#archived} says where. */
    default void archived(TaskStream stream) {}

    /**
     * Events of an open task are about to be shown: that goes on record.
     *
     * @return whether {@link TaskStream#onExposed} will follow; where not, nothing is to be waited for
     */
    boolean expose(TaskStream stream);

    /**
     * The terminal event is in the log, and {@link #ended} was told: that goes on record before it is shown.
     *
     * @return whether {@link TaskStream#onRecorded} will follow; where not, nothing is to be waited for
     */
    boolean record(TaskStream stream);

    /** A reader was cut off, that many bytes behind the newest frame. */
    void readerCut(TaskStream stream, String reason, long lagBytes);

    /** A metrics frame was left out. */
    void metricsFrameDropped(TaskStream stream);

    /** Something threw that should not; the stream deals with what that means for it. Must not throw. */
    void defect(TaskStream stream, Throwable thrown);

    /** The task left memory: what is known of it from now on is what is on disk, if anything. */
    void evicted(TaskStream stream);
}
