package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * One placement that took effect.
 *
 * @param lease the slot
 * @param poolId pool by name
 * @param replicaId replica by name
 * @param engineVersion version that the replica last told, empty where unknown
 * @param queueTimeNs from admission to now, ns
 * @param kvWarmth whether the replica is thought to hold the session's prefix
 * @param onTimeProbability chance to end within the deadline, 0 … 1
 * @param queueDepth tasks still queued in the pool, all priorities
 * @param generation how often the pool has changed its model: the engine that the task belongs to
 * @param attempt 0 for the first try, 1 for the first retry, …
 * @param retriable whether another replica could take the task if this one fails it before its first token, as things
 *     stand
 * @param allowance what its key and session have left; null where nothing is limited
 * @param decision how the placement came about, for the log
 */
public record Dispatch(
        Lease lease,
        String poolId,
        String replicaId,
        String engineVersion,
        long queueTimeNs,
        boolean kvWarmth,
        double onTimeProbability,
        long queueDepth,
        int generation,
        int attempt,
        boolean retriable,
        @Nullable Allowance allowance,
        PlacementDecision decision) {}
