package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Triton's errors in our taxonomy (engines.md §4). An error is {@code {"error":"…"}} wherever it comes: as a JSON answer,
 * as an event with the status of the first response, or as an event at 200. Only its words tell some apart, so they come
 * before the status.
 */
final class TritonErrors {
    private TritonErrors() {}

    /**
     * The failure that an error answer or an in-band error frame stands for.
     *
     * @param status HTTP status of the answer; 200 for a frame within a stream
     * @param message its {@code error}, empty where the body held none
     * @param prompt what must not be echoed
     */
    static EngineFailure of(int status, String message, @Nullable String prompt) {
        ErrorCode code = code(status, message.toLowerCase(Locale.ROOT));
        String where = status == 200 ? "in its stream" : "with status " + status;
        String words = EngineWords.presentable(message, prompt);
        return new EngineFailure(
                code, "triton answered " + where + (words.isEmpty() ? "" : ": " + words), code.retriable());
    }

    private static ErrorCode code(int status, String message) {
        if (message.contains("maximum queue size")) {
            return ErrorCode.ADMISSION_REJECT;
        }
        if (message.contains("timeout expired") || message.contains("timed out")) {
            return ErrorCode.DECODE_TIMEOUT;
        }
        if (message.contains("cancelled") || message.contains("canceled")) {
            // Ours are not listened to any more: somebody else ended it.
            return ErrorCode.WORKER_RESET;
        }
        if (message.contains("unknown model")
                || message.contains("not ready")
                || message.contains("no available versions")
                || message.contains("not found in the repository")) {
            // The pool names the model, not the client: it is not there yet.
            return ErrorCode.POOL_UNREADY;
        }
        return switch (status) {
            case 400, 413, 415, 422, 501 -> ErrorCode.INVALID_PARAMS;
            case 401, 403 -> ErrorCode.POOL_UNAVAILABLE;
            case 429 -> ErrorCode.ADMISSION_REJECT;
            case 503 -> ErrorCode.POOL_UNREADY;
            default ->
                message.contains("out of memory") || message.contains("kv cache")
                        ? ErrorCode.REPLICA_EXHAUSTED
                        : ErrorCode.INTERNAL;
        };
    }
}
