package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
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
 * @param inputCount whether it can be asked for the tokens of the prompt
 * @param guided whether it can be held to a JSON schema
 */
record TritonModel(Family family, String seedName, boolean finishReason, boolean inputCount, boolean guided) {

    /** The sets of input names of TensorRT-LLM's model repositories. */
    enum Family {
        /** {@code ensemble}, {@code tensorrt_llm_bls}: {@code max_tokens}, {@code stream}; each frame is a new piece. */
        ENSEMBLE(""),
        /** LLM API: {@code sampling_param_max_tokens}, {@code streaming}; each frame is the whole text so far. */
        LLM_API("sampling_param_");

        private final String prefix;

        Family(String prefix) {
            this.prefix = prefix;
        }

        /** What the names of its sampling inputs begin with. */
        String prefix() {
            return prefix;
        }
    }

    /** What is taken for true until the metadata are known: the ensemble of a current repository. */
    static final TritonModel UNKNOWN = new TritonModel(Family.ENSEMBLE, "seed", false, false, true);

    /** Reads metadata; null where they are none. */
    static @Nullable TritonModel read(byte[] body) {
        Set<String> inputs = new HashSet<>();
        boolean read = FrameJson.readObject(body, (name, value, in) -> {
            if (name.equals("inputs") && value == JsonToken.START_ARRAY) {
                in.elements((element, array) -> {
                    if (element == JsonToken.START_OBJECT) {
                        array.members((key, first, input) -> {
                            if (key.equals("name")) {
                                inputs.add(input.text());
                            }
                        });
                    }
                });
            }
        });
        return read && !inputs.isEmpty() ? of(inputs) : null;
    }

    private static TritonModel of(Set<String> inputs) {
        boolean llmApi = inputs.contains(Family.LLM_API.prefix + "max_tokens");
        Family family = llmApi ? Family.LLM_API : Family.ENSEMBLE;
        String seed = "";
        for (String name : new String[] {family.prefix + "random_seed", family.prefix + "seed"}) {
            seed = inputs.contains(name) ? name : seed;
        }
        return new TritonModel(
                family,
                seed,
                inputs.contains("return_finish_reason"),
                inputs.contains("return_num_input_tokens"),
                inputs.contains("guided_decoding_guide"));
    }
}
