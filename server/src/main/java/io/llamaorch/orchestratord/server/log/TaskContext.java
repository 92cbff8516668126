package io.llamaorch.orchestratord.server.log;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What every event of one task carries; made once, at admission.
 *
 * @param correlationId of the request that submitted it
 * @param identity {@code key:<name>} or {@code localhost}
 * @param jobId the task's id
 * @param sessionId its session
 * @param engine wire asked for
 * @param priority its queue
 * @param samplerProfileVersion as asked for, or null
 * @param traceparent as the client sent it, or null
 */
public record TaskContext(
        String correlationId,
        String identity,
        UUID jobId,
        UUID sessionId,
        EngineKind engine,
        Priority priority,
        @Nullable String samplerProfileVersion,
        @Nullable String traceparent) {}
