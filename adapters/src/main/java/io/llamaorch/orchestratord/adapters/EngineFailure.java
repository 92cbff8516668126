package io.llamaorch.orchestratord.adapters;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;

/**
 * Why a call failed, in our taxonomy.
 *
 * @param code one of {@code INVALID_PARAMS, ADMISSION_REJECT, POOL_UNREADY, POOL_UNAVAILABLE, REPLICA_EXHAUSTED,
 *     DECODE_TIMEOUT, WORKER_RESET, INTERNAL}
 * @param message what the engine did or said, bounded in length, never a prompt
 * @param retriable whether the same call may succeed later or elsewhere
 */
public record EngineFailure(ErrorCode code, String message, boolean retriable) {}
