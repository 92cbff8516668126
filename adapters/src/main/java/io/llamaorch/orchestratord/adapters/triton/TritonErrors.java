package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Collection;

/**
 * Triton's errors in our taxonomy (engines.md, Triton). An error is {@code {"error":"…"}} wherever it comes: as a JSON
 * answer, as an event with the status of the first response, or as an event at 200. Only its words tell some apart, so
 * they come before the status.
 */
final class TritonErrors {
    /** How the engine is named in messages. */
    static final String ENGINE = "triton";

    private TritonErrors() {}

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
        if (fault.says("maximum queue size")) {
            return ErrorCode.ADMISSION_REJECT;
        }
        if (fault.says("timeout expired") || fault.says("timed out")) {
            return ErrorCode.DECODE_TIMEOUT;
        }
        if (fault.says("cancelled") || fault.says("canceled")) {
            // To ours nobody listens any more: somebody else ended it.
            return ErrorCode.WORKER_RESET;
        }
        if (fault.says("unknown model") || fault.says("not ready") || fault.says("no available versions")) {
            // The pool names the model, not the client: it is not there yet.
            return ErrorCode.POOL_UNREADY;
        }
        return switch (fault.effectiveStatus(status)) {
            case 400, 413, 415, 422, 501 -> ErrorCode.INVALID_PARAMS;
            case 401, 403 -> ErrorCode.POOL_UNAVAILABLE;
            case 429 -> ErrorCode.ADMISSION_REJECT;
            case 503 -> ErrorCode.POOL_UNREADY;
            default ->
                fault.says("out of memory") || fault.says("kv cache")
                        ? ErrorCode.REPLICA_EXHAUSTED
                        : ErrorCode.INTERNAL;
        };
    }
}
