package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Collection;

/** llama-server's errors in our taxonomy (engines.md §0, §1.3). */
final class LlamaErrors {
    /** How it is named in messages. */
    static final String ENGINE = "llama-server";

    private LlamaErrors() {}

    /**
     * The failure that an error answer or an in-band error frame stands for.
     *
     * @param status HTTP status of the answer; 200 for a frame within a stream
     * @param error what it says
     * @param secrets what must not be echoed
     */
    static EngineFailure of(int status, EngineFault error, Collection<String> secrets) {
        return error.toFailure(ENGINE, status, code(error.effectiveStatus(status), error), secrets);
    }

    private static ErrorCode code(int status, EngineFault error) {
        if (status == 400 && error.says("model is not loaded")) {
            return ErrorCode.POOL_UNREADY;
        }
        if (error.type().equals("exceed_context_size_error")) {
            return ErrorCode.INVALID_PARAMS;
        }
        return switch (status) {
            case 400, 413, 422, 501 -> ErrorCode.INVALID_PARAMS;
            case 401, 403 -> ErrorCode.POOL_UNAVAILABLE;
            case 429 -> ErrorCode.ADMISSION_REJECT;
            case 503 -> error.says("no slot") ? ErrorCode.REPLICA_EXHAUSTED : ErrorCode.POOL_UNREADY;
            default -> byWords(error);
        };
    }

    private static ErrorCode byWords(EngineFault error) {
        if (error.says("context size has been exceeded")) {
            return ErrorCode.REPLICA_EXHAUSTED;
        }
        if (error.says("is too large to process")) {
            return ErrorCode.INVALID_PARAMS;
        }
        if (error.says("failed to load")) {
            return ErrorCode.POOL_UNREADY;
        }
        boolean reset = error.says("compute error")
                || error.says("invalid input batch")
                || error.says("decode() failed")
                || error.says("proxy error");
        return reset ? ErrorCode.WORKER_RESET : ErrorCode.INTERNAL;
    }
}
