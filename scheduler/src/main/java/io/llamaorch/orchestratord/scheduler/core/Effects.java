package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * What the scheduler tells the world. Called on the scheduler's thread from within the event that caused it, in a
 * deterministic order; an implementation hands the message on and returns: it never blocks, throws or calls back.
 *
 * @param <T> the caller's handle of a task, given at admission and never looked into
 */
public interface Effects<T> {

    /** The task is in: queued, or about to be {@link #dispatched}. */
    void admitted(T task, Admission admission);

    /** A known id came with the same body again: nothing changed; the figures are today's. */
    void replayed(T offered, T existing, Admission admission);

    /**
     * The task never got in.
     *
     * @param allowance what its key and session have left; null where nothing is limited, or it was not looked at
     */
    void refused(T offered, ApiError error, @Nullable Allowance allowance);

    /** The task holds a slot from now on; the owner starts it, and must say {@code finished} whatever comes. */
    void dispatched(T task, Dispatch dispatch);

    /** A queued task was taken out: its deadline passed, or its place went to another. It is over. */
    void evicted(T task, ApiError error);

    /** A queued task waits in another pool from now on, because its own drains or serves another model. */
    void moved(T task, Admission admission);

    /**
     * A task that its owner gave back by {@code retry} is not tried again: it is over, and the owner ends it with the
     * failure that it knows.
     */
    void retryRefused(T task);

    /** A running task must stop; its slot stays leased until the owner says {@code finished}. */
    void aborted(T task, ApiError error);

    /**
     * A task is over, and was charged for what it used. Follows what made its end known to the scheduler, and comes before
     * {@code evicted} and {@code retryRefused}; not told where nothing is limited and nothing costs.
     */
    void settled(T task, Charge charge);

    /** The answer to a {@code query}. */
    void answered(T task, Admission admission);
}
