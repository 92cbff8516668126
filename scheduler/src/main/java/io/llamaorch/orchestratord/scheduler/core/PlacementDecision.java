package io.llamaorch.orchestratord.scheduler.core;

import java.util.List;

/**
 * Why a task went where it went: the record that lets an operator answer a user.
 *
 * @param poolId chosen pool, empty where none was feasible
 * @param replicaId chosen replica, empty where none was feasible
 * @param pinned whether the request named its pool
 * @param fallback whether a wish of the request was passed over
 * @param candidates each replica looked at, with the reason for or against, in the order looked at
 * @param decidedBy the comparison that settled it: {@code only_candidate, preference, predicted_end, affinity, least_loaded,
 *     free_vram, tokens_per_s, pool_id, replica_id}, or {@code none}
 */
public record PlacementDecision(
        String poolId,
        String replicaId,
        boolean pinned,
        boolean fallback,
        List<Candidate> candidates,
        String decidedBy) {

    /**
     * One replica looked at.
     *
     * @param poolId its pool
     * @param replicaId its name
     * @param verdict {@code feasible}, or the filter that took it out: {@code not_ready, draining, reloading, engine,
     *     model, ctx, device_mask, sampler_profile, version, failed_there, avoided, not_preferred, not_pinned, no_slot}
     */
    public record Candidate(String poolId, String replicaId, String verdict) {}
}
