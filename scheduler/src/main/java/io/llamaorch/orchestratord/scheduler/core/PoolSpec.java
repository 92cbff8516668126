package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One pool as configured.
 *
 * @param id its name
 * @param engine wire of all its replicas
 * @param model the model it serves
 * @param ctx context of one slot, tokens
 * @param queueCapacity most tasks queued, per priority, ≥ 1
 * @param fullPolicy what happens to the task that finds its queue full
 * @param batchGuard interactive starts after which one waiting batch task goes first, ≥ 1
 * @param allowPinning whether requests may pin this pool
 * @param retries times that a task which failed before its first token is tried on another replica, ≥ 0
 * @param samplerProfileVersion version set of its sampler; requests that name another one are not placed here. Null:
 *     any will do
 * @param replicas its replicas, ≥ 1
 */
public record PoolSpec(
        String id,
        EngineKind engine,
        String model,
        int ctx,
        int queueCapacity,
        FullPolicy fullPolicy,
        int batchGuard,
        boolean allowPinning,
        int retries,
        @Nullable String samplerProfileVersion,
        List<ReplicaSpec> replicas) {

    /** What happens to the task that finds its queue full. */
    public enum FullPolicy {
        /** It is refused. */
        REJECT,
        /** The oldest queued batch task is evicted in its favour; refused where there is none. */
        DROP_LRU,
        /** An interactive newcomer takes the place of the newest queued batch task; a batch newcomer is refused. */
        SHED_LOW_PRIORITY
    }

    /**
     * One replica as configured.
     *
     * @param id its name within the pool
     * @param slots decodes at once, ≥ 1; lowered where a probe finds that the engine has fewer
     * @param deviceMask devices it runs on, such as {@code 0,1}; null where not said
     */
    public record ReplicaSpec(String id, int slots, @Nullable String deviceMask) {}
}
