package io.llamaorch.orchestratord.scheduler.core;

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
        PlacementDecision decision) {}
