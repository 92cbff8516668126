package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * Where a task stands, as far as can be said now.
 *
 * @param poolId pool whose queue it is in
 * @param queuePosition tasks that would start before this one; 0 also once it runs
 * @param predictedStartMs from now to its start, ms; 0 once it runs
 * @param predictedEndMs from now to its end, ms
 * @param backoffMs how long a client should wait before it submits the next task, ms, from the drain rate; 0 while
 *     slots are free
 * @param onTimeProbability chance that it ends within its deadline, 0 … 1
 * @param queueDepth tasks queued in the pool now, all priorities
 * @param allowance what its key and session have left; null where nothing is limited
 */
public record Admission(
        String poolId,
        long queuePosition,
        long predictedStartMs,
        long predictedEndMs,
        long backoffMs,
        double onTimeProbability,
        long queueDepth,
        @Nullable Allowance allowance) {
    /** The same in another pool. */
    public Admission movedTo(String pool) {
        return new Admission(
                pool,
                queuePosition,
                predictedStartMs,
                predictedEndMs,
                backoffMs,
                onTimeProbability,
                queueDepth,
                allowance);
    }
}
