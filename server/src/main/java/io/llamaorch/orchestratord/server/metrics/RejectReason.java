package io.llamaorch.orchestratord.server.metrics;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Locale;

/** Why a task was rejected, as a label: the {@link ErrorCode} in lower case where a submit can get it, within the budget of {@code reason}. */
public enum RejectReason {
    INVALID_PARAMS,
    DEADLINE_UNMET,
    UNTRUSTED_ARTIFACT,
    UNAUTHORIZED,
    CONFLICT,
    MODEL_DEPRECATED,
    PAYLOAD_TOO_LARGE,
    ADMISSION_REJECT,
    QUEUE_FULL_DROP_LRU,
    BUDGET_EXHAUSTED,
    POOL_UNREADY,
    POOL_UNAVAILABLE,
    REPLICA_EXHAUSTED,
    INTERNAL,
    STORAGE_FULL,
    MALFORMED;

    /** The reason for an error code. */
    public static RejectReason of(ErrorCode code) {
        return switch (code) {
            case INVALID_PARAMS -> INVALID_PARAMS;
            case DEADLINE_UNMET -> DEADLINE_UNMET;
            case UNTRUSTED_ARTIFACT -> UNTRUSTED_ARTIFACT;
            case UNAUTHORIZED, FORBIDDEN -> UNAUTHORIZED;
            case CONFLICT -> CONFLICT;
            case MODEL_DEPRECATED -> MODEL_DEPRECATED;
            case PAYLOAD_TOO_LARGE -> PAYLOAD_TOO_LARGE;
            case ADMISSION_REJECT -> ADMISSION_REJECT;
            case QUEUE_FULL_DROP_LRU -> QUEUE_FULL_DROP_LRU;
            case BUDGET_EXHAUSTED -> BUDGET_EXHAUSTED;
            case POOL_UNREADY -> POOL_UNREADY;
            case POOL_UNAVAILABLE -> POOL_UNAVAILABLE;
            case REPLICA_EXHAUSTED -> REPLICA_EXHAUSTED;
            case STORAGE_FULL -> STORAGE_FULL;
            case INTERNAL, WORKER_RESET, DECODE_TIMEOUT -> INTERNAL;
            default -> MALFORMED;
        };
    }

    /** The label's value. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
