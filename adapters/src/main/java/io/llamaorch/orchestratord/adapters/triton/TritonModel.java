package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a model's metadata tell of how it wants to be asked ({@code GET /v2/models/{m}}).
 *
 * @param family which set of input names it has
 * @param seedName its input for the seed: {@code seed}, or {@code random_seed} of older repositories; empty where it has
 *     none
 * @param finishReason whether it can be asked for a finish reason
 * @param guided whether it can be held to a JSON schema
 */
record TritonModel(Family family, String seedName, boolean finishReason, boolean guided) {

    /** The sets of input names of TensorRT-LLM's model repositories. */
    enum Family {
        /** {@code ensemble}, {@code tensorrt_llm_bls}: {@code max_tokens}, {@code stream}; each frame is a new piece. */
        ENSEMBLE,
        /** LLM API: {@code sampling_param_max_tokens}, {@code streaming}; each frame is the whole text so far. */
        LLM_API
    }

    /** What is taken for true until the metadata are known: the ensemble of a current repository. */
    static final TritonModel UNKNOWN = new TritonModel(Family.ENSEMBLE, "seed", false, true);

    private static final String LLM_API_PREFIX = "sampling_param_";

    /** Reads metadata; null where they are none. */
    static @Nullable TritonModel read(byte[] body) {
        Set<String> inputs = new HashSet<>();
        try (JsonParser p = FrameJson.parser(body)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            boolean listed = false;
            while (p.nextToken() != JsonToken.END_OBJECT) {
                boolean isInputs = p.currentName().equals("inputs");
                if (p.nextToken() == JsonToken.START_ARRAY && isInputs) {
                    listed = true;
                    while (p.nextToken() != JsonToken.END_ARRAY) {
                        readInput(p, inputs);
                    }
                }
                p.skipChildren();
            }
            return listed ? of(inputs) : null;
        } catch (IOException | RuntimeException e) {
            // Jackson refuses with unchecked exceptions too; whatever it is, these bytes are no metadata.
            return null;
        }
    }

    private static void readInput(JsonParser p, Set<String> inputs) throws IOException {
        if (p.currentToken() != JsonToken.START_OBJECT) {
            throw new IOException("an input that is no object");
        }
        while (p.nextToken() != JsonToken.END_OBJECT) {
            boolean isName = p.currentName().equals("name");
            p.nextToken();
            if (isName) {
                inputs.add(FrameJson.text(p));
            }
            p.skipChildren();
        }
    }

    private static TritonModel of(Set<String> inputs) {
        boolean llmApi = inputs.contains(LLM_API_PREFIX + "max_tokens");
        String prefix = llmApi ? LLM_API_PREFIX : "";
        String seed = inputs.contains(prefix + "seed")
                ? prefix + "seed"
                : inputs.contains(prefix + "random_seed") ? prefix + "random_seed" : "";
        return new TritonModel(
                llmApi ? Family.LLM_API : Family.ENSEMBLE,
                seed,
                inputs.contains("return_finish_reason"),
                inputs.contains("guided_decoding_guide"));
    }
}
