package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a replica at one moment. Immutable.
 *
 * @param state what the scheduler is told: as probed, but down while the breaker is open
 * @param engineVersion as the engine names itself, empty where unknown
 * @param slots what the scheduler is told, 0 where the engine did not say
 * @param ctx context of one slot, tokens, 0 where the engine did not say
 * @param load what the engine last said of its load
 * @param breaker state of the circuit breaker
 * @param occupied decodes that the engine runs and that are not ours
 * @param restarts times that the daemon has started its engine anew
 * @param lastError why it is not ready, or the last failure of a task there; null where there is none
 */
public record ReplicaView(
        ReplicaStatus.State state,
        String engineVersion,
        int slots,
        int ctx,
        EngineLoad load,
        BreakerState breaker,
        int occupied,
        int restarts,
        @Nullable String lastError) {

    /** Whether tasks may go to a replica, by how the last ones ended there. */
    public enum BreakerState {
        /** As many as it has slots. */
        CLOSED,
        /** None. */
        OPEN,
        /** One at a time, to see how it goes. */
        HALF_OPEN
    }

    /** Nothing is known yet. */
    static final ReplicaView UNKNOWN = new ReplicaView(
            ReplicaStatus.State.LOADING, "", 0, 0, EngineLoad.UNKNOWN, BreakerState.CLOSED, 0, 0, "not asked yet");

    /** Whether the scheduler would be told the same of both. */
    boolean isSameForScheduler(ReplicaView other) {
        return state == other.state
                && slots == other.slots
                && ctx == other.ctx
                && engineVersion.equals(other.engineVersion);
    }
}
