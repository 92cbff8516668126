package io.llamaorch.orchestratord.artifacts.ledger;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A task as it was accepted: what is needed to run it again from its start.
 *
 * @param id its name
 * @param ordinal order of admission over all pools
 * @param acceptedAtMs wall clock, ms since the epoch
 * @param deadlineAtMs wall clock by which it must have ended, ms since the epoch
 * @param digestHigh first half of its request's digest
 * @param digestLow second half
 * @param poolId pool that it joined, by name
 * @param owner name of the key that submitted it
 * @param correlationId of the request that submitted it
 * @param traceparent W3C trace context of that request
 * @param request its JSON as it came; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record AdmittedTask(
        UUID id,
        long ordinal,
        long acceptedAtMs,
        long deadlineAtMs,
        long digestHigh,
        long digestLow,
        String poolId,
        String owner,
        String correlationId,
        @Nullable String traceparent,
        byte[] request) {}
