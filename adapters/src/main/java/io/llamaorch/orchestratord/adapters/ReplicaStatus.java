package io.llamaorch.orchestratord.adapters;

import org.jspecify.annotations.Nullable;

/**
 * What one probe of a replica found.
 *
 * @param state whether it can take work
 * @param engineVersion as the engine names itself, null where it did not say
 * @param slots decodes it runs at once, 0 where it did not say
 * @param ctx context of one slot, tokens, 0 where it did not say
 * @param lastError why it is not ready, null where it is
 * @param load how busy it is
 */
public record ReplicaStatus(
        State state, @Nullable String engineVersion, int slots, int ctx, @Nullable String lastError, EngineLoad load) {

    /** Whether a replica can take work. */
    public enum State {
        /** It answered and has its model. */
        READY,
        /** It answers, and its model is not there yet: loading, or not loaded. */
        LOADING,
        /** It does not answer, or not as this engine would. */
        DOWN
    }

    /** A replica that can take work. */
    public static ReplicaStatus ready(@Nullable String engineVersion, int slots, int ctx, EngineLoad load) {
        return new ReplicaStatus(State.READY, engineVersion, slots, ctx, null, load);
    }

    /** A replica that answers and has no model yet. */
    public static ReplicaStatus loading(String why) {
        return new ReplicaStatus(State.LOADING, null, 0, 0, why, EngineLoad.UNKNOWN);
    }

    /** A replica that can't be used. */
    public static ReplicaStatus down(String why) {
        return new ReplicaStatus(State.DOWN, null, 0, 0, why, EngineLoad.UNKNOWN);
    }
}
