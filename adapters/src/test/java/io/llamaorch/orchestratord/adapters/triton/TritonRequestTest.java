package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TritonRequestTest {
    private static final double NONE = Double.NaN;
    private static final TritonModel OLD = model("text_input", "max_tokens", "random_seed");
    private static final TritonModel LLM_API =
            model("text_input", "sampling_param_max_tokens", "sampling_param_seed", "return_finish_reason");

    private static TritonModel model(String... inputs) {
        StringBuilder json = new StringBuilder("{\"name\":\"m\",\"versions\":[\"1\"],\"inputs\":[");
        for (String input : inputs) {
            json.append("{\"name\":\"").append(input).append("\",\"datatype\":\"BYTES\",\"shape\":[1,1]},");
        }
        json.setLength(json.length() - 1);
        return Objects.requireNonNull(TritonModel.read(
                json.append("],\"outputs\":[{\"name\":\"seed\"}]}").toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static TaskRequest request(Sampling sampling) {
        return Requests.completion("hi", 7, 42, Workload.COMPLETION, sampling);
    }

    private static String body(Sampling sampling, TritonModel model) throws IOException {
        ByteBuf body = new TritonRequest(request(sampling), model).write(UnpooledByteBufAllocator.DEFAULT, 64);
        try {
            return body.toString(StandardCharsets.UTF_8);
        } finally {
            body.release();
        }
    }

    @Test
    void shouldReadTheFamilyFromTheMetadata() {
        assertThat(OLD).isEqualTo(new TritonModel(TritonModel.Family.ENSEMBLE, "random_seed", false, false, false));
        assertThat(model("max_tokens", "seed", "random_seed", "guided_decoding_guide"))
                .isEqualTo(new TritonModel(TritonModel.Family.ENSEMBLE, "seed", false, false, true));
        assertThat(LLM_API)
                .isEqualTo(new TritonModel(TritonModel.Family.LLM_API, "sampling_param_seed", true, false, false));
        assertThat(TritonModel.read("{\"error\":\"x\"}".getBytes(StandardCharsets.UTF_8)))
                .isNull();
        assertThat(TritonModel.read("{\"inputs\":[1]}".getBytes(StandardCharsets.UTF_8)))
                .isNull();
    }

    @Test
    void shouldWriteAnEnsembleAsItsInputsAreNamed() throws IOException {
        assertThat(body(Sampling.DEFAULT, OLD))
                .isEqualTo("{\"text_input\":\"hi\",\"stream\":true,\"exclude_input_in_output\":true,"
                        + "\"max_tokens\":7,\"random_seed\":42}");
        Sampling all = new Sampling(0.5, 0.9, 40, NONE, 1.1, List.of("\n"), null, "{\"type\":\"object\"}");
        assertThat(body(all, TritonModel.UNKNOWN))
                .isEqualTo("{\"text_input\":\"hi\",\"stream\":true,\"exclude_input_in_output\":true,"
                        + "\"max_tokens\":7,\"seed\":42,\"temperature\":0.5,\"top_p\":0.9,\"top_k\":40,"
                        + "\"repetition_penalty\":1.1,\"stop_words\":[\"\\n\"],"
                        + "\"guided_decoding_guide_type\":\"json_schema\","
                        + "\"guided_decoding_guide\":\"{\\\"type\\\":\\\"object\\\"}\"}");
    }

    @Test
    void shouldWriteTheLlmApiAsItsInputsAreNamed() throws IOException {
        assertThat(body(new Sampling(0.5, NONE, -1, NONE, NONE, List.of("a", "b"), null, null), LLM_API))
                .isEqualTo(
                        "{\"text_input\":\"hi\",\"streaming\":true,\"sampling_param_exclude_input_from_output\":true,"
                                + "\"return_finish_reason\":true,\"sampling_param_max_tokens\":7,\"sampling_param_seed\":42,"
                                + "\"sampling_param_temperature\":0.5,\"sampling_param_stop\":[\"a\",\"b\"]}");
    }

    @Test
    void shouldAskForTheLikeliestTokenWhenGreedy() throws IOException {
        assertThat(body(new Sampling(0, 0.9, 40, NONE, NONE, List.of(), null, null), TritonModel.UNKNOWN))
                .endsWith("\"seed\":42,\"top_k\":1}");
        assertThat(body(new Sampling(NONE, 0, -1, NONE, NONE, List.of(), null, null), LLM_API))
                .endsWith("\"sampling_param_seed\":42,\"sampling_param_top_k\":1}");
    }

    @Test
    void shouldNameWhatTheModelHasNoInputFor() {
        assertThat(new TritonRequest(request(Sampling.DEFAULT), OLD).unsupported())
                .isNull();
        assertThat(new TritonRequest(request(Sampling.DEFAULT), model("max_tokens")).unsupported())
                .contains("seed");
        Sampling penalty = new Sampling(NONE, NONE, -1, NONE, 1.1, List.of(), null, null);
        assertThat(new TritonRequest(request(penalty), OLD).unsupported()).isNull();
        assertThat(new TritonRequest(request(penalty), LLM_API).unsupported()).contains("repeat_penalty");
        Sampling schema = new Sampling(NONE, NONE, -1, NONE, NONE, List.of(), null, "{}");
        assertThat(new TritonRequest(request(schema), OLD).unsupported()).contains("json_schema");
        assertThat(new TritonRequest(request(schema), TritonModel.UNKNOWN).unsupported())
                .isNull();
    }
}
