package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Collection;

/**
 * Errors of OpenAI-compatible servers in our taxonomy (engines.md §2, §5). Their types are of little use: SGLang, Ollama,
 * vLLM and proxies name them differently. The status counts, and of a 503 its words.
 */
public final class OpenAiErrors {
    private OpenAiErrors() {}

    /**
     * The failure that an error answer or an in-band error frame stands for.
     *
     * @param engine how it is named in messages
     * @param status HTTP status of the answer; 200 for a frame within a stream
     * @param secrets what must not be echoed
     */
    public static EngineFailure of(String engine, int status, EngineFault error, Collection<String> secrets) {
        return error.toFailure(engine, status, code(error.effectiveStatus(status), error), secrets);
    }

    private static ErrorCode code(int status, EngineFault error) {
        return switch (status) {
            case 400, 404, 413, 415, 422, 501 -> ErrorCode.INVALID_PARAMS;
            case 401, 403 -> ErrorCode.POOL_UNAVAILABLE;
            case 429 -> ErrorCode.ADMISSION_REJECT;
            // 499: taken for a client that left; where it was not us, the way to the engine broke, as with a gateway's.
            case 499, 502, 504 -> ErrorCode.WORKER_RESET;
            case 503 -> error.says("queue") || error.says("busy") ? ErrorCode.ADMISSION_REJECT : ErrorCode.POOL_UNREADY;
            default -> byWords(error);
        };
    }

    private static ErrorCode byWords(EngineFault error) {
        boolean dead = error.type().contains("EngineDead")
                || error.says("enginedeaderror")
                || error.says("enginecore encountered an issue");
        return dead ? ErrorCode.WORKER_RESET : ErrorCode.INTERNAL;
    }
}
