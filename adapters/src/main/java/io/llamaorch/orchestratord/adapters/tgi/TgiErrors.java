package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * TGI's errors in our taxonomy (engines.md §3). A stream always answers 200 and says what is wrong in a frame, so the
 * {@code error_type} comes before the status.
 */
final class TgiErrors {
    private TgiErrors() {}

    /**
     * The failure that an error answer or an in-band error frame stands for.
     *
     * @param status HTTP status of the answer; 200 for a frame within a stream
     * @param fault the error, null where the body held none
     * @param prompt what must not be echoed
     */
    static EngineFailure of(int status, TgiFrame.@Nullable Fault fault, @Nullable String prompt) {
        String type = fault == null ? "" : fault.type();
        String message = fault == null ? "" : fault.message();
        ErrorCode code = byType(type, message.toLowerCase(Locale.ROOT));
        if (code == null) {
            code = byStatus(status);
        }
        String where = status == 200 ? "in its stream" : "with status " + status;
        String words = EngineWords.presentable(message, prompt);
        return new EngineFailure(
                code, "tgi answered " + where + (words.isEmpty() ? "" : ": " + words), code.retriable());
    }

    private static @Nullable ErrorCode byType(String type, String message) {
        return switch (type) {
            case "overloaded" -> ErrorCode.ADMISSION_REJECT;
            case "validation",
                    "template_error",
                    "missing_template_variable",
                    "tool_error",
                    "batch size exceeded",
                    "suffix not supported" -> ErrorCode.INVALID_PARAMS;
            case "generation" -> message.contains("memory") ? ErrorCode.REPLICA_EXHAUSTED : ErrorCode.INTERNAL;
            case "incomplete_generation", "incomplete_generation_stream" -> ErrorCode.WORKER_RESET;
            case "stream_serialization_error" -> ErrorCode.INTERNAL;
            case "healthcheck" -> ErrorCode.POOL_UNREADY;
            default -> null;
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
