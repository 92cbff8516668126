package io.llamaorch.orchestratord.llamaworker.http;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** A request that is refused, as llama-server says it. Thrown by readers of requests, on the event loop. */
final class WireError extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String type;
    private final int promptTokens;
    private final int ctx;

    private WireError(int status, String type, String message, int promptTokens, int ctx) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.promptTokens = promptTokens;
        this.ctx = ctx;
    }

    static WireError invalid(String message) {
        return new WireError(400, "invalid_request_error", message, -1, -1);
    }

    static WireError tooLong(int promptTokens, int ctx) {
        String message = "the prompt of " + promptTokens + " tokens or more does not fit into the context of " + ctx;
        return new WireError(400, "exceed_context_size_error", message, promptTokens, ctx);
    }

    static WireError notFound() {
        return new WireError(404, "not_found_error", "File Not Found", -1, -1);
    }

    static WireError unavailable(String message) {
        return new WireError(503, "unavailable_error", message, -1, -1);
    }

    static WireError unsupported(String message) {
        return new WireError(501, "not_supported_error", message, -1, -1);
    }

    static WireError server(String message) {
        return new WireError(500, "server_error", message, -1, -1);
    }

    int status() {
        return status;
    }

    /** Writes {@code {"error":{…}}}. */
    void writeTo(JsonGenerator g) throws IOException {
        g.writeStartObject();
        g.writeObjectFieldStart("error");
        g.writeNumberField("code", status);
        g.writeStringField("message", getMessage());
        g.writeStringField("type", type);
        if (ctx >= 0) {
            g.writeNumberField("n_prompt_tokens", promptTokens);
            g.writeNumberField("n_ctx", ctx);
        }
        g.writeEndObject();
        g.writeEndObject();
    }
}
