package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the scheduler needs to know of a task; the prompt itself never enters.
 *
 * @param id key of idempotency
 * @param owner name of the key that asked; a task of another owner with the same id is a conflict
 * @param digest of the request: equal digests mean the same request
 * @param sessionId for affinity
 * @param engine wire that the pool must speak
 * @param modelRef model that the pool must serve
 * @param ctx context asked for, tokens, 0 for the pool's own
 * @param priority queue within the pool
 * @param promptBytes UTF-8 bytes of prompt or inputs; the ETA model turns them into tokens
 * @param maxTokens most tokens to decode, ≥ 1
 * @param expectedTokens what the client expects to get, 0 where not said
 * @param deadlineNs span from admission in which the task must end, ns, ≥ 1
 * @param determinism how far bytes must repeat
 * @param samplerProfileVersion version set asked for, or null
 * @param placement where it may run
 */
public record TaskSpec(
        UUID id,
        String owner,
        Digest digest,
        UUID sessionId,
        EngineKind engine,
        String modelRef,
        int ctx,
        Priority priority,
        int promptBytes,
        int maxTokens,
        int expectedTokens,
        long deadlineNs,
        Determinism determinism,
        @Nullable String samplerProfileVersion,
        Placement placement) {

    /** The first 128 bits of a SHA-256 over the request's members in a fixed order. */
    public record Digest(long high, long low) {}
}
