package io.llamaorch.orchestratord.adapters.llamacpp;

import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.KvHint;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import java.io.IOException;

/**
 * The body of llama-server's native completions. Only what the client gave is sent; the rest is the engine's default. Never sent:
 * {@code response_fields} (can remove {@code stop}), a seed of −1, {@code X-Conversation-Id}.
 */
final class LlamaRequest {
    private LlamaRequest() {}

    /** {@code POST /completion}. */
    static JsonBody completion(String model, TaskRequest request) {
        return g -> {
            String prompt = request.prompt();
            if (!model.isEmpty()) {
                // A router picks the child by it; a single server ignores it.
                JsonBody.text(g, "model", model);
            }
            JsonBody.text(g, "prompt", prompt == null ? "" : prompt);
            g.writeNumberField("n_predict", request.maxTokens());
            g.writeBooleanField("stream", true);
            g.writeBooleanField("cache_prompt", cachePrompt(request));
            if (request.seed().isPresent()) {
                g.writeNumberField("seed", request.seed().getAsLong());
            }
            sampling(g, request.sampling());
        };
    }

    /** A reused prefix changes batch shapes, and with them the last bits of logits: never under strict determinism. */
    private static boolean cachePrompt(TaskRequest request) {
        return request.determinism() != Determinism.STRICT && request.kvHint() != KvHint.COLD;
    }

    private static void sampling(JsonGenerator g, TaskRequest.Sampling sampling) throws IOException {
        JsonBody.number(g, "temperature", sampling.temperature());
        JsonBody.number(g, "top_p", sampling.topP());
        if (sampling.topK() >= 0) {
            g.writeNumberField("top_k", sampling.topK());
        }
        JsonBody.number(g, "min_p", sampling.minP());
        JsonBody.number(g, "repeat_penalty", sampling.repeatPenalty());
        JsonBody.texts(g, "stop", sampling.stop());
        if (sampling.grammar() != null) {
            JsonBody.text(g, "grammar", sampling.grammar());
        }
        if (sampling.jsonSchema() != null) {
            JsonBody.json(g, "json_schema", sampling.jsonSchema());
        }
    }
}
