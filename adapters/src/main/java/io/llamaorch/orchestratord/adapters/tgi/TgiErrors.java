package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Collection;

/**
 * TGI's errors in our taxonomy (engines.md, TGI). A stream always answers 200 and says what is wrong in a frame, so the
 * {@code error_type} comes before the status.
 */
final class TgiErrors {
    /** How the engine is named in messages. */
    static final String ENGINE = "tgi";

    private TgiErrors() {}

    /**
     * The failure that an error answer or an in-band error frame stands for.
     *
     * @param status HTTP status of the answer; 200 for a frame within a stream
     * @param secrets what must not be echoed
     */
    static EngineFailure of(int status, EngineFault fault, Collection<String> secrets) {
        return fault.toFailure(ENGINE, status, code(status, fault), secrets);
    }

    private static ErrorCode code(int status, EngineFault fault) {
        return switch (fault.type()) {
            case "overloaded" -> ErrorCode.ADMISSION_REJECT;
            case "validation",
                    "template_error",
                    "missing_template_variable",
                    "tool_error",
                    "batch size exceeded",
                    "suffix not supported" -> ErrorCode.INVALID_PARAMS;
            case "generation" -> fault.says("memory") ? ErrorCode.REPLICA_EXHAUSTED : ErrorCode.INTERNAL;
            case "incomplete_generation", "incomplete_generation_stream" -> ErrorCode.WORKER_RESET;
            case "stream_serialization_error" -> ErrorCode.INTERNAL;
            case "healthcheck" -> ErrorCode.POOL_UNREADY;
            default -> byStatus(fault.effectiveStatus(status));
        };
    }

    private static ErrorCode byStatus(int status) {
        return switch (status) {
            case 400, 413, 415, 422 -> ErrorCode.INVALID_PARAMS;
            case 401, 403 -> ErrorCode.POOL_UNAVAILABLE;
            case 429 -> ErrorCode.ADMISSION_REJECT;
            case 503 -> ErrorCode.POOL_UNREADY;
            default -> ErrorCode.INTERNAL;
        };
    }
}
