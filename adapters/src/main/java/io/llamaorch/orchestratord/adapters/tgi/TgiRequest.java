package io.llamaorch.orchestratord.adapters.tgi;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import io.llamaorch.orchestratord.adapters.wire.RequestText;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * The body of {@code POST /generate_stream}. Only what the client gave is sent; the rest is the engine's default, which
 * without any sampling parameter is greedy.
 *
 * <p>What TGI refuses or reads otherwise: {@code temperature} must be above 0 and {@code top_p} strictly between 0 and 1,
 * so greedy is {@code do_sample} false without either, and a {@code top_p} of 1 (off) is left out. Temperature 1 alone does
 * not make it sample, hence {@code do_sample} true beside each temperature. {@code details} are always asked for: without
 * them the last frame has neither reason nor counts.
 */
final class TgiRequest {
    private static final JsonFactory JSON = new JsonFactory();

    private TgiRequest() {}

    /** Writes the body; the caller releases it. */
    static ByteBuf body(TaskRequest request, ByteBufAllocator allocator) throws IOException {
        String prompt = request.prompt() == null ? "" : request.prompt();
        ByteBuf out = allocator.buffer(256 + prompt.length());
        boolean written = false;
        try (OutputStream stream = new ByteBufOutputStream(out);
                JsonGenerator g = JSON.createGenerator(stream)) {
            g.writeStartObject();
            g.writeStringField("inputs", RequestText.paired(prompt));
            g.writeObjectFieldStart("parameters");
            g.writeNumberField("max_new_tokens", request.maxTokens());
            g.writeBooleanField("details", true);
            if (request.seed().isPresent()) {
                g.writeNumberField("seed", request.seed().getAsLong());
            }
            writeSampling(g, request.sampling());
            g.writeEndObject();
            g.writeEndObject();
            written = true;
        } finally {
            if (!written) {
                out.release();
            }
        }
        return out;
    }

    private static void writeSampling(JsonGenerator g, TaskRequest.Sampling sampling) throws IOException {
        if (isGreedy(sampling)) {
            g.writeBooleanField("do_sample", false);
        } else {
            if (!Double.isNaN(sampling.temperature())) {
                g.writeBooleanField("do_sample", true);
                g.writeNumberField("temperature", sampling.temperature());
            }
            if (sampling.topP() < 1) {
                g.writeNumberField("top_p", sampling.topP());
            }
            if (sampling.topK() > 0) {
                g.writeNumberField("top_k", sampling.topK());
            }
        }
        if (!Double.isNaN(sampling.repeatPenalty())) {
            g.writeNumberField("repetition_penalty", sampling.repeatPenalty());
        }
        if (!sampling.stop().isEmpty()) {
            g.writeArrayFieldStart("stop");
            for (String stop : sampling.stop()) {
                g.writeString(RequestText.paired(stop));
            }
            g.writeEndArray();
        }
        if (sampling.jsonSchema() != null) {
            g.writeObjectFieldStart("grammar");
            g.writeStringField("type", "json");
            g.writeFieldName("value");
            try (JsonParser schema = JSON.createParser(sampling.jsonSchema())) {
                schema.nextToken();
                g.copyCurrentStructure(schema);
            }
            g.writeEndObject();
        }
    }

    /** A {@code top_p} of 0 leaves only the likeliest token, as temperature 0 does; TGI takes neither. */
    private static boolean isGreedy(TaskRequest.Sampling sampling) {
        return sampling.temperature() == 0 || sampling.topP() == 0;
    }
}
