package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** llama-server's errors in our taxonomy (engines.md §0, §1.3). */
final class LlamaErrors {
    /** Longest engine message passed on, characters. */
    static final int MESSAGE_MAX = 200;
    /** A run of the prompt this long within a message makes it an echo, characters. */
    static final int ECHO_WINDOW = 12;

    private static final int ECHO_SHORTEST = 4;

    private LlamaErrors() {}

    /**
     * The failure that an error answer or an in-band error frame stands for.
     *
     * @param status HTTP status of the answer; 200 for a frame within a stream
     * @param error the error object, null where the body held none
     * @param prompt what must not be echoed
     */
    static EngineFailure of(int status, LlamaFrame.@Nullable Fault error, @Nullable String prompt) {
        int said = error == null || error.code() < 400 || error.code() > 599 ? 0 : error.code();
        int effective = status == 200 && said == 0 ? 500 : status == 200 ? said : status;
        String type = error == null ? "" : error.type();
        String message = error == null ? "" : error.message();
        ErrorCode code = code(effective, type, message.toLowerCase(Locale.ROOT));
        String where = status == 200 ? "in its stream" : "with status " + status;
        String words = presentable(message, prompt);
        String text = "llama-server answered " + where + (words.isEmpty() ? "" : ": " + words);
        return new EngineFailure(code, text, code.retriable());
    }

    private static ErrorCode code(int status, String type, String message) {
        if (status == 400 && message.contains("model is not loaded")) {
            return ErrorCode.POOL_UNREADY;
        }
        if (type.equals("exceed_context_size_error")) {
            return ErrorCode.INVALID_PARAMS;
        }
        switch (status) {
            case 401, 403 -> {
                return ErrorCode.POOL_UNAVAILABLE;
            }
            case 429 -> {
                return ErrorCode.ADMISSION_REJECT;
            }
            case 501 -> {
                return ErrorCode.INVALID_PARAMS;
            }
            case 503 -> {
                return message.contains("no slot") ? ErrorCode.REPLICA_EXHAUSTED : ErrorCode.POOL_UNREADY;
            }
            case 400, 413, 422 -> {
                return ErrorCode.INVALID_PARAMS;
            }
            default -> {}
        }
        if (message.contains("context size has been exceeded")) {
            return ErrorCode.REPLICA_EXHAUSTED;
        }
        if (message.contains("is too large to process")) {
            return ErrorCode.INVALID_PARAMS;
        }
        if (message.contains("failed to load")) {
            return ErrorCode.POOL_UNREADY;
        }
        if (message.contains("compute error")
                || message.contains("invalid input batch")
                || message.contains("decode() failed")
                || message.startsWith("proxy error")) {
            return ErrorCode.WORKER_RESET;
        }
        return ErrorCode.INTERNAL;
    }

    /** {@code message} bounded, without control characters; empty where it repeats part of the prompt. */
    static String presentable(String message, @Nullable String prompt) {
        StringBuilder out = new StringBuilder(Math.min(message.length(), MESSAGE_MAX));
        for (int i = 0; i < message.length() && out.length() < MESSAGE_MAX; i++) {
            char c = message.charAt(i);
            if (Character.isISOControl(c) || Character.isSurrogate(c) || c == '\u2028' || c == '\u2029') {
                c = ' ';
            }
            out.append(c);
        }
        String bounded = out.toString().strip();
        return echoes(bounded, prompt) ? "" : bounded;
    }

    private static boolean echoes(String message, @Nullable String prompt) {
        String text = prompt == null ? "" : prompt.strip();
        if (text.length() < ECHO_SHORTEST) {
            return false;
        }
        if (text.length() <= ECHO_WINDOW) {
            return message.contains(text);
        }
        for (int i = 0; i + ECHO_WINDOW <= message.length(); i++) {
            if (text.contains(message.substring(i, i + ECHO_WINDOW))) {
                return true;
            }
        }
        return false;
    }
}
