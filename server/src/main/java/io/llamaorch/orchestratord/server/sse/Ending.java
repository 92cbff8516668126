package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * How a task ended.
 *
 * @param outcome in one word
 * @param usage what the engine said, where it said it
 * @param error what the stream's {@code error} event says, where it ended so
 * @param cancelReason {@code client} or {@code disconnect}, where it was canceled
 */
public record Ending(
        Outcome outcome, @Nullable EngineUsage usage, @Nullable ApiError error, @Nullable String cancelReason) {

    /** In one word. The name in lower case is the state on the wire and a metric label. */
    public enum Outcome {
        /** The engine finished. */
        COMPLETED,
        /** Somebody canceled it, or its last reader left. */
        CANCELED,
        /** It had started, or should have, and broke. */
        FAILED,
        /** It was taken out of the queue. */
        EVICTED
    }
}
