package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * How a task ended.
 *
 * @param outcome in one word
 * @param usage what the engine said, where it said it
 * @param output vectors or scores of a workload that gives them
 * @param error what the stream's {@code error} event says, where it ended so
 * @param cancelReason {@code client} or {@code disconnect}, where it was canceled
 */
public record Ending(
        Outcome outcome,
        @Nullable EngineUsage usage,
        @Nullable EngineOutput output,
        @Nullable ApiError error,
        @Nullable String cancelReason) {

    static Ending completed(EngineResult result) {
        return new Ending(Outcome.COMPLETED, result.usage(), result.output(), null, null);
    }

    static Ending failed(ApiError error) {
        return new Ending(Outcome.FAILED, null, null, error, null);
    }

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
