package io.llamaorch.orchestratord.adapters.vllm;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.openai.OpenAiConformance;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.wire.PromText;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VllmAdapterIT extends OpenAiConformance {
    VllmAdapterIT() {
        super("vllm");
    }

    @Override
    protected EngineAdapter newAdapter() {
        return new VllmAdapter(CLIENT);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready("0.0.1-double", 0, 4096, new EngineLoad(0, 0, 0.25));
    }

    /** It listens only once its model is there: a 503 is a dead engine. */
    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.DOWN;
    }

    @Override
    protected List<String> cuts() {
        List<String> all = new ArrayList<>(super.cuts());
        all.addAll(List.of("[[lasttext=1]]", "[[lasttext=1]][[chunk=5]]", "[[hold=1]]"));
        return all;
    }

    @Test
    void shouldNameItsModel() {
        assertThat(probe(target().withModel("double")).state()).isEqualTo(ReplicaStatus.State.READY);
        assertThat(probe(target().withModel("other")).lastError()).contains("other");
        run(target().withModel("double"), Requests.completion("p", 2, SEED), new RecordingSink());
        assertThat(engine.lastBody()).contains("\"model\":\"double\"");
        EngineFailure failure = (EngineFailure)
                run(target().withModel("other"), Requests.completion("p", 2, SEED), new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_PARAMS);
    }

    @Test
    void shouldWriteConstraintsUnderTheNameThatTheVersionHas() {
        TaskRequest request = Requests.completion(
                "p",
                2,
                SEED,
                Workload.COMPLETION,
                new TaskRequest.Sampling(
                        Double.NaN, Double.NaN, 0, Double.NaN, Double.NaN, List.of(), null, "{\"type\":\"object\"}"));
        run(target(), request, new RecordingSink());
        assertThat(engine.lastBody())
                .contains("\"structured_outputs\":{\"json\":{\"type\":\"object\"}}")
                .contains("\"top_k\":-1");
        run(target().withOptions(Map.of("constraints", "guided")), request, new RecordingSink());
        assertThat(engine.lastBody()).contains("\"guided_json\":{\"type\":\"object\"}");
        assertThat(adapter.problemOf(target().withOptions(Map.of("constraints", "x"))))
                .contains("constraints");
    }

    @Test
    void shouldReadTheOldNameOfTheCacheAndAddUpProcesses() {
        String text =
                """
                vllm:num_requests_running{engine="0"} 3
                vllm:num_requests_running{engine="1"} 4
                vllm:num_requests_running_total 99
                vllm:gpu_cache_usage_perc{m="a } b"} 0.75 1700000000
                """;
        assertThat(VllmProbe.load(new PromText(text.getBytes(StandardCharsets.UTF_8))))
                .isEqualTo(new EngineLoad(7, -1, 0.75));
    }
}
