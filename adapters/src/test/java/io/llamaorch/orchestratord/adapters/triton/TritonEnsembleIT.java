package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.testing.TritonDialect;
import io.llamaorch.orchestratord.adapters.testing.TritonDialect.Trait;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TritonEnsembleIT extends TritonConformance {
    TritonEnsembleIT() {
        super("ensemble");
    }

    @Override
    protected EngineUsage usage(String prompt, int tokens, FinishReason reason) {
        return new EngineUsage(reason, Math.max(1, prompt.length() / 4), -1, NONE, NONE);
    }

    /** Not several tokens a frame: the reason is inferred from the frames. */
    @Override
    protected List<String> cuts() {
        return super.cuts().stream()
                .filter(markers -> !markers.contains("chunk"))
                .toList();
    }

    @Override
    protected FrameReader reader() {
        return reader(TritonText.Mode.DELTA);
    }

    @Override
    protected String frame(int i) {
        return frame(" tok");
    }

    @Test
    void shouldAskAsTheMetadataSay() {
        EngineTarget old = target().withModel("old");
        TaskRequest request = Requests.completion("seed", TOKENS, SEED);
        RecordingSink before = new RecordingSink();
        run(old, request, before);
        assertThat(before.text()).isEqualTo(DoubleText.text("seed", 0, TOKENS));
        probe(old);
        RecordingSink after = new RecordingSink();
        run(old, request, after);
        assertThat(after.text()).isEqualTo(DoubleText.text("seed", SEED, TOKENS));
    }

    @Test
    void shouldEndTheDecodeAtAStopStringThatTheEngineOverlooks() {
        String prompt = "stop [[pace=1]]";
        String whole = DoubleText.plainText(prompt, SEED, 30);
        String stop = whole.substring(20, 23);
        TaskRequest endless = Requests.completion(prompt, 1_000_000, SEED, Workload.COMPLETION, stopping(stop));
        try (EngineDouble deaf = EngineDouble.start(new TritonDialect(Trait.OVERLOOKS_STOPS), Map.of())) {
            RecordingSink sink = new RecordingSink();
            EngineUsage usage = (EngineUsage) run(target(deaf.url(), target().timeouts()), endless, sink);
            assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(DoubleText.plain(sink.text())).isEqualTo(whole.substring(0, whole.indexOf(stop)));
            while (!deaf.stats().contains("\"running\":0")) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void shouldFailWhenTextTakenForCumulativeDoesNotGoOn() {
        EngineTarget wrong = target().withOptions(Map.of("text", "cumulative"));
        EngineFailure failure =
                (EngineFailure) run(wrong, Requests.completion("wrong", TOKENS, SEED), new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.INTERNAL);
    }

    @Test
    void shouldNotTakeALostConnectionForAnEnd() {
        try (EngineDouble unframed = EngineDouble.start(new TritonDialect(Trait.UNFRAMED), Map.of())) {
            RecordingSink sink = new RecordingSink();
            EngineFailure failure = (EngineFailure)
                    run(target(unframed.url(), target().timeouts()), Requests.completion("p", TOKENS, SEED), sink);
            assertThat(failure.code()).isEqualTo(ErrorCode.WORKER_RESET);
            assertThat(sink.tokens()).hasSize(TOKENS);
        }
    }

    @Test
    void shouldReadTheMetricsPort() {
        try (EngineDouble metrics = EngineDouble.start(new TritonDialect(Trait.METRICS), Map.of("slots", "2"))) {
            assertThat(probe(target().withOptions(Map.of("metrics_url", metrics.url() + "/metrics"))))
                    .isEqualTo(ReplicaStatus.ready("2.60.0-double", 2, 0, new EngineLoad(0, 3, 0.25)));
            assertThat(probe(target().withOptions(Map.of("metrics_url", metrics.url() + "/none"))))
                    .isEqualTo(ready());
        }
    }

    private ModelControl.Outcome order(EngineTarget target, String model, boolean load) {
        CompletableFuture<ModelControl.Outcome> answer = new CompletableFuture<>();
        ModelControl control = Objects.requireNonNull(adapter.modelControl());
        loop().execute(() -> {
            if (load) {
                control.load(target, model, 20_000, loop(), answer::complete);
            } else {
                control.unload(target, model, 20_000, loop(), answer::complete);
            }
        });
        return answer.join();
    }

    @Test
    void shouldLoadAndUnloadInExplicitMode() {
        try (EngineDouble other = EngineDouble.start(new TritonDialect(Trait.EXPLICIT), Map.of())) {
            EngineTarget spare = target(other.url(), target().timeouts()).withModel("spare");
            TaskRequest request = Requests.completion("p", TOKENS, SEED);
            assertThat(order(spare, "spare", true)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(order(spare, "spare", true)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(run(spare, request, new RecordingSink())).isInstanceOf(EngineUsage.class);
            assertThat(order(spare, "spare", false)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(probe(spare).state()).isEqualTo(ReplicaStatus.State.LOADING);
            assertThat(order(spare, "nowhere", true).result()).isEqualTo(ModelControl.Result.UNKNOWN_MODEL);
            ModelControl.Outcome broken = order(spare, "broken", true);
            assertThat(broken.result()).isEqualTo(ModelControl.Result.FAILED);
            assertThat(broken.message()).contains("out of memory");
        }
        ModelControl.Outcome refused = order(target(), "spare", true);
        assertThat(refused.result()).isEqualTo(ModelControl.Result.FAILED);
        assertThat(refused.message()).contains("503");
    }

    @Test
    void shouldNameWhatIsWrongWithATarget() {
        assertThat(adapter.problemOf(target().withModel(""))).contains("model");
        assertThat(adapter.problemOf(target().withOptions(Map.of("text", "both"))))
                .contains("text");
        assertThat(adapter.problemOf(target().withOptions(Map.of("metrics_url", "no url"))))
                .contains("metrics_url");
    }
}
