package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A task that is over, as {@code GET /v1/tasks/{id}} tells of it, and what idempotency needs.
 *
 * @param id its name
 * @param owner name of the key that submitted it
 * @param digestHigh first half of its request's digest
 * @param digestLow second half
 * @param sessionId its session
 * @param state {@code completed}, {@code canceled} or {@code failed}
 * @param priority wire name
 * @param engine wire name
 * @param poolId where it ran or waited, may be empty
 * @param replicaId where it ran, null where it never did
 * @param tokensIn as the engine counted them, −1 where it did not say
 * @param tokensOut token events
 * @param finishReason wire name, where there is one
 * @param createdAtMs wall clock, ms since the epoch
 * @param startedAtMs the same, 0 where the engine never took it
 * @param endedAtMs the same
 * @param queueTimeMs from admission to its slot, or to its end where it had none
 * @param firstTokenMs from admission to the first token, −1 without one
 * @param decodeMs from there to the end
 * @param lastEventId id of its terminal event
 * @param correlationId of the request that submitted it
 * @param error how it failed, null where it did not
 * @param lost whether events were shown that a restart has lost: the terminal event follows on whatever a reader has
 * @param transcript where its transcript is kept, at most {@value #TRANSCRIPT_BYTES_MAX} bytes, empty for nowhere; not
 *     looked into here
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EndedTask(
        UUID id,
        String owner,
        long digestHigh,
        long digestLow,
        UUID sessionId,
        String state,
        String priority,
        String engine,
        String poolId,
        @Nullable String replicaId,
        int tokensIn,
        int tokensOut,
        @Nullable String finishReason,
        long createdAtMs,
        long startedAtMs,
        long endedAtMs,
        long queueTimeMs,
        long firstTokenMs,
        long decodeMs,
        int lastEventId,
        String correlationId,
        @Nullable Failure error,
        boolean lost,
        byte[] transcript) {

    /** Longest reference to a transcript, bytes. */
    public static final int TRANSCRIPT_BYTES_MAX = 64;

    public EndedTask {
        if (transcript.length > TRANSCRIPT_BYTES_MAX) {
            throw new IllegalArgumentException("a reference of " + transcript.length + " bytes");
        }
    }

    /**
     * The error that a task ended with.
     *
     * @param code wire name of it
     * @param message what happened
     * @param engine concerned
     * @param poolId concerned
     * @param retriable whether the same request may succeed later
     * @param retryAfterMs when to come back, negative where it is not known
     */
    public record Failure(
            String code,
            String message,
            @Nullable String engine,
            @Nullable String poolId,
            boolean retriable,
            long retryAfterMs) {

        /** The same, as it is kept. */
        public static Failure of(ApiError error) {
            return new Failure(
                    error.code().name(),
                    error.message(),
                    error.engine(),
                    error.poolId(),
                    error.retriable(),
                    error.retryAfterMs());
        }

        /** The same, as it is sent; a code that this version does not know is {@link ErrorCode#INTERNAL}. */
        public ApiError toError() {
            return new ApiError(known(code), message, engine, poolId, retriable, retryAfterMs, null, List.of());
        }

        private static ErrorCode known(String code) {
            for (ErrorCode each : ErrorCode.values()) {
                if (each.name().equals(code)) {
                    return each;
                }
            }
            return ErrorCode.INTERNAL;
        }
    }
}
