package io.llamaorch.orchestratord.adapters.tgi;

import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import java.io.IOException;

/**
 * The body of {@code POST /generate_stream}. Only what the client gave is sent; the rest is the engine's default, which
 * without any sampling parameter is greedy.
 *
 * <p>What TGI refuses or reads otherwise: {@code temperature} must be above 0 and {@code top_p} strictly between 0 and 1,
 * so greedy is {@code do_sample} false without either, and a {@code top_p} of 1 (off) is left out. Temperature 1 alone does
 * not make it sample, hence {@code do_sample} true beside each temperature. {@code details} are always asked for: without
 * them the last frame has neither reason nor counts.
 *
 * @param request what the client asked for
 * @param stopCount stop strings to send, the first ones
 */
record TgiRequest(TaskRequest request, int stopCount) implements JsonBody {
    /** Where it goes. */
    static final String PATH = "/generate_stream";

    @Override
    public void writeMembers(JsonGenerator g) throws IOException {
        String prompt = request.prompt();
        JsonBody.text(g, "inputs", prompt == null ? "" : prompt);
        g.writeObjectFieldStart("parameters");
        g.writeNumberField("max_new_tokens", request.maxTokens());
        g.writeBooleanField("details", true);
        if (request.seed().isPresent()) {
            g.writeNumberField("seed", request.seed().getAsLong());
        }
        TaskRequest.Sampling sampling = request.sampling();
        writePicking(g, sampling);
        JsonBody.number(g, "repetition_penalty", sampling.repeatPenalty());
        JsonBody.texts(g, "stop", sampling.stop().subList(0, stopCount));
        String schema = sampling.jsonSchema();
        if (schema != null) {
            g.writeObjectFieldStart("grammar");
            g.writeStringField("type", "json");
            JsonBody.json(g, "value", schema);
            g.writeEndObject();
        }
        g.writeEndObject();
    }

    private static void writePicking(JsonGenerator g, TaskRequest.Sampling sampling) throws IOException {
        if (sampling.temperature() == 0 || sampling.topP() == 0) {
            // A top_p of 0 leaves only the likeliest token, as temperature 0 does; TGI takes neither.
            g.writeBooleanField("do_sample", false);
            return;
        }
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
}
