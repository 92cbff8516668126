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
 */
public record ReplicaStatus(
        State state, @Nullable String engineVersion, int slots, int ctx, @Nullable String lastError) {

    /** Whether a replica can take work. */
    public enum State {
        /** It answered and has its model. */
        READY,
        /** It answers, and its model is still loading. */
        LOADING,
        /** It does not answer, or not as this engine would. */
        DOWN
    }
}
