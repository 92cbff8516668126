package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.KvHint;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /completion}. Only what the client gave is sent; the rest is the engine's default. Never sent:
 * {@code response_fields} (can remove {@code stop}), a seed of −1, {@code X-Conversation-Id}.
 */
final class LlamaRequest {
    private static final JsonFactory JSON = new JsonFactory();

    private LlamaRequest() {}

    /** Writes the body; the caller releases it. */
    static ByteBuf body(TaskRequest request, ByteBufAllocator allocator) throws IOException {
        String prompt = request.prompt() == null ? "" : request.prompt();
        ByteBuf out = allocator.buffer(256 + prompt.length());
        boolean written = false;
        try (OutputStream stream = new ByteBufOutputStream(out);
                JsonGenerator g = JSON.createGenerator(stream)) {
            g.writeStartObject();
            g.writeStringField("prompt", paired(prompt));
            g.writeNumberField("n_predict", request.maxTokens());
            g.writeBooleanField("stream", true);
            g.writeBooleanField("cache_prompt", cachePrompt(request));
            if (request.seed().isPresent()) {
                g.writeNumberField("seed", request.seed().getAsLong());
            }
            writeSampling(g, request.sampling());
            g.writeEndObject();
            written = true;
        } finally {
            if (!written) {
                out.release();
            }
        }
        return out;
    }

    /** A reused prefix changes batch shapes, and with them the last bits of logits: never under strict determinism. */
    private static boolean cachePrompt(TaskRequest request) {
        return request.determinism() != Determinism.STRICT && request.kvHint() != KvHint.COLD;
    }

    private static void writeSampling(JsonGenerator g, TaskRequest.Sampling sampling) throws IOException {
        writeNumber(g, "temperature", sampling.temperature());
        writeNumber(g, "top_p", sampling.topP());
        if (sampling.topK() >= 0) {
            g.writeNumberField("top_k", sampling.topK());
        }
        writeNumber(g, "min_p", sampling.minP());
        writeNumber(g, "repeat_penalty", sampling.repeatPenalty());
        if (!sampling.stop().isEmpty()) {
            g.writeArrayFieldStart("stop");
            for (String stop : sampling.stop()) {
                g.writeString(paired(stop));
            }
            g.writeEndArray();
        }
        if (sampling.grammar() != null) {
            g.writeStringField("grammar", paired(sampling.grammar()));
        }
        if (sampling.jsonSchema() != null) {
            g.writeFieldName("json_schema");
            try (JsonParser schema = JSON.createParser(sampling.jsonSchema())) {
                schema.nextToken();
                g.copyCurrentStructure(schema);
            }
        }
    }

    private static void writeNumber(JsonGenerator g, String name, double value) throws IOException {
        if (!Double.isNaN(value)) {
            g.writeNumberField(name, value);
        }
    }

    /** Whether {@code schema} is one JSON object. */
    static boolean isObject(@Nullable String schema) {
        if (schema == null) {
            return false;
        }
        try (JsonParser p = JSON.createParser(schema)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            p.skipChildren();
            return p.nextToken() == null;
        } catch (IOException e) {
            return false;
        }
    }

    /** {@code text} with each lone surrogate as U+FFFD: it has no UTF-8. */
    static String paired(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            return replaceLone(text);
        }
        return text;
    }

    private static String replaceLone(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> out.appendCodePoint(c >= 0xd800 && c < 0xe000 ? 0xfffd : c));
        return out.toString();
    }
}
