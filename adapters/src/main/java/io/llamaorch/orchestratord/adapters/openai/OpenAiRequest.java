package io.llamaorch.orchestratord.adapters.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import java.io.IOException;
import java.util.List;

/** The bodies that OpenAI-compatible servers have in common. Only what the client gave is sent. */
public final class OpenAiRequest {
    private OpenAiRequest() {}

    /**
     * {@code POST /v1/completions}, streamed.
     *
     * @param model name, empty to leave it out
     * @param usage whether to ask for the usage in the stream
     * @param more writes what this engine knows beyond the common members
     */
    public static JsonBody completion(String model, TaskRequest request, boolean usage, JsonBody more) {
        return g -> {
            String prompt = request.prompt();
            TaskRequest.Sampling sampling = request.sampling();
            model(g, model);
            JsonBody.text(g, "prompt", prompt == null ? "" : prompt);
            g.writeNumberField("max_tokens", request.maxTokens());
            JsonBody.number(g, "temperature", sampling.temperature());
            JsonBody.number(g, "top_p", sampling.topP());
            if (request.seed().isPresent()) {
                g.writeNumberField("seed", request.seed().getAsLong());
            }
            JsonBody.texts(g, "stop", sampling.stop());
            g.writeBooleanField("stream", true);
            if (usage) {
                g.writeObjectFieldStart("stream_options");
                g.writeBooleanField("include_usage", true);
                g.writeEndObject();
            }
            more.writeMembers(g);
        };
    }

    /** {@code POST /v1/embeddings}. */
    public static JsonBody embeddings(String model, TaskRequest request) {
        return g -> {
            model(g, model);
            JsonBody.texts(g, "input", request.inputs());
        };
    }

    /** {@code POST /rerank}, as Jina's and Cohere's. */
    public static JsonBody rerank(String model, TaskRequest request) {
        return g -> {
            List<String> inputs = request.inputs();
            model(g, model);
            JsonBody.text(g, "query", inputs.get(0));
            JsonBody.texts(g, "documents", inputs.subList(1, inputs.size()));
        };
    }

    private static void model(JsonGenerator g, String model) throws IOException {
        if (!model.isEmpty()) {
            JsonBody.text(g, "model", model);
        }
    }
}
