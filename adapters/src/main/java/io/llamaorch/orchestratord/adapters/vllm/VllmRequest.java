package io.llamaorch.orchestratord.adapters.vllm;

import io.llamaorch.orchestratord.adapters.openai.OpenAiRequest;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import java.util.Map;

/**
 * The body of vLLM's {@code POST /v1/completions}: the common members and {@code top_k}, {@code min_p},
 * {@code repetition_penalty}, structured outputs. vLLM ignores members that it does not know, so that a constraint under
 * a wrong name would be lost without a word: the option {@value #CONSTRAINTS} says which name the version has.
 */
final class VllmRequest {
    /** Option of a target: {@code structured_outputs} (default) or {@code guided}, which versions before 0.11 know. */
    static final String CONSTRAINTS = "constraints";

    private static final String STRUCTURED = "structured_outputs";
    private static final String GUIDED = "guided";
    private static final int TOP_K_OFF = -1;

    private VllmRequest() {}

    /** Whether the options' values are known ones. */
    static boolean isConstraints(String value) {
        return value.equals(STRUCTURED) || value.equals(GUIDED);
    }

    static JsonBody completion(String model, Map<String, String> options, TaskRequest request) {
        boolean guided = GUIDED.equals(options.get(CONSTRAINTS));
        TaskRequest.Sampling sampling = request.sampling();
        return OpenAiRequest.completion(model, request, true, g -> {
            if (sampling.topK() >= 0) {
                g.writeNumberField("top_k", sampling.topK() == 0 ? TOP_K_OFF : sampling.topK());
            }
            JsonBody.number(g, "min_p", sampling.minP());
            JsonBody.number(g, "repetition_penalty", sampling.repeatPenalty());
            String schema = sampling.jsonSchema();
            String grammar = sampling.grammar();
            if (schema == null && grammar == null) {
                return;
            }
            if (!guided) {
                g.writeObjectFieldStart(STRUCTURED);
            }
            if (schema != null) {
                JsonBody.json(g, guided ? "guided_json" : "json", schema);
            } else if (grammar != null) {
                JsonBody.text(g, guided ? "guided_grammar" : "grammar", grammar);
            }
            if (!guided) {
                g.writeEndObject();
            }
        });
    }
}
