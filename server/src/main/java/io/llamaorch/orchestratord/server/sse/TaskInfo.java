package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What never changes of a task.
 *
 * @param id the client's name for it
 * @param sessionId its session
 * @param owner name of the key that submitted it
 * @param engine wire name of the engine asked for
 * @param priority its queue
 * @param detached whether it goes on when nobody reads
 * @param seed of the sampler, where one was given
 * @param samplerProfileVersion where one was asked for
 * @param correlationId of the request that submitted it
 * @param traceparent W3C trace context of that request
 * @param createdAtMs wall clock, ms since the epoch: only for what people read
 * @param createdAtNs {@code nanoTime} at the same moment
 */
public record TaskInfo(
        UUID id,
        UUID sessionId,
        String owner,
        String engine,
        Priority priority,
        boolean detached,
        OptionalLong seed,
        @Nullable String samplerProfileVersion,
        String correlationId,
        @Nullable String traceparent,
        long createdAtMs,
        long createdAtNs) {

    /** The pool of a dispatch, or null. */
    @Nullable
    String poolIdOr(@Nullable Dispatch dispatch) {
        return dispatch == null ? null : dispatch.poolId();
    }
}
