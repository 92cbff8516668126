package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.AdapterDriver;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.testing.TritonServerDouble;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TritonAdapterIT {
    private static final int TOKENS = 12;
    private static final long SEED = 42;
    private static final double NONE = Double.NaN;

    private static final TritonServerDouble ENGINE = TritonServerDouble.start("slots=2");
    private static final Queue<String> WARNINGS = new ConcurrentLinkedQueue<>();
    private static final TritonAdapter ADAPTER = adapter();
    private static final AdapterDriver DRIVER = new AdapterDriver(ADAPTER);

    private static TritonAdapter adapter() {
        return new TritonAdapter(
                new EngineHttpClient(OutboundPolicy.of(List.of("http"), List.of("127.0.0.0/8"))),
                (target, what) -> WARNINGS.add(target.replicaId() + ": " + what));
    }

    @BeforeAll
    static void learn() {
        for (String model : List.of("ensemble", "old", "tensorrt_llm")) {
            assertThat(DRIVER.probe(target(ENGINE, model)).state()).isEqualTo(ReplicaStatus.State.READY);
        }
    }

    @AfterAll
    static void stop() {
        ENGINE.close();
        DRIVER.close();
    }

    private static EngineTarget target(TritonServerDouble engine, String model) {
        return EngineTarget.of("p", "r0", engine.url(), new EngineTimeouts(5_000, 20_000, 20_000, 20_000))
                .withModel(model);
    }

    private static Object run(String model, TaskRequest request, RecordingSink sink) {
        return DRIVER.run(target(ENGINE, model), request, sink);
    }

    private static Object run(String model, String prompt, RecordingSink sink) {
        return run(model, Requests.completion(prompt, TOKENS, SEED), sink);
    }

    private static TaskRequest request(String prompt, List<String> stops) {
        return Requests.completion(
                prompt, TOKENS, SEED, Workload.COMPLETION, new Sampling(NONE, NONE, -1, NONE, NONE, stops, null, null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[[split=1]]",
                "[[batch=5]][[split=64]]",
                "[[empty=6]][[ping=1]]",
                "[[ttfh=5]][[ttft=5]][[pace=1]]"
            })
    void shouldHandOverPiecesAndWholeTextsAlike(String markers) {
        String prompt = "hello " + markers;
        for (String model : List.of("ensemble", "old", "tensorrt_llm")) {
            RecordingSink sink = new RecordingSink();
            int tokensIn = model.equals("tensorrt_llm") ? -1 : prompt.length() / 4;
            assertThat(run(model, prompt, sink))
                    .as(model)
                    .isEqualTo(new EngineUsage(FinishReason.LENGTH, tokensIn, -1, NONE, NONE));
            assertThat(sink.text()).as(model).isEqualTo(DoubleText.text(prompt, SEED, TOKENS));
            assertThat(sink.tokens()).as(model).hasSize(TOKENS);
        }
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @Test
    void shouldInferOrReadWhyTheDecodeEnded() {
        for (String model : List.of("ensemble", "tensorrt_llm")) {
            EngineUsage usage = (EngineUsage) run(model, "eos [[tokens=5]]", new RecordingSink());
            assertThat(usage.finishReason()).as(model).isEqualTo(FinishReason.STOP);
        }
    }

    @Test
    void shouldFollowALongWholeTextWithCharactersThatAreNotThereYet() {
        String prompt = "long [[cutchars=1]][[empty=50]]";
        for (String says : List.of("0", "1")) {
            try (TritonServerDouble engine = TritonServerDouble.start("says_reason=" + says)) {
                EngineTarget target = target(engine, "tensorrt_llm");
                DRIVER.probe(target);
                RecordingSink sink = new RecordingSink();
                EngineUsage usage = (EngineUsage) DRIVER.run(target, Requests.completion(prompt, 2_000, SEED), sink);
                assertThat(usage.finishReason()).isEqualTo(FinishReason.LENGTH);
                assertThat(sink.text()).isEqualTo(DoubleText.text(prompt, SEED, 2_000));
            }
        }
    }

    @Test
    void shouldAskAsTheMetadataSay() {
        AdapterDriver fresh = new AdapterDriver(adapter());
        TaskRequest request = Requests.completion("seed", TOKENS, SEED);
        RecordingSink before = new RecordingSink();
        fresh.run(target(ENGINE, "old"), request, before);
        assertThat(before.text()).isEqualTo(DoubleText.text("seed", 0, TOKENS));
        fresh.probe(target(ENGINE, "old"));
        RecordingSink after = new RecordingSink();
        fresh.run(target(ENGINE, "old"), request, after);
        assertThat(after.text()).isEqualTo(DoubleText.text("seed", SEED, TOKENS));
        fresh.close();
    }

    @ParameterizedTest
    @CsvSource({
        "close,WORKER_RESET",
        "rst,WORKER_RESET",
        "garbage,INTERNAL",
        "badchunk,INTERNAL",
        "inband_error,INTERNAL",
        "cancelled,WORKER_RESET",
        "midutf8,WORKER_RESET"
    })
    void shouldFailOnceWhenTheEngineBreaksAtAnyToken(String fault, ErrorCode code) {
        for (int at = 0; at < TOKENS; at++) {
            for (String model : List.of("ensemble", "tensorrt_llm")) {
                RecordingSink sink = new RecordingSink();
                Object terminal = run(model, "p [[fault=" + fault + "@" + at + "]]", sink);
                assertThat(terminal).as("%s at %d", fault, at).isInstanceOf(EngineFailure.class);
                assertThat(((EngineFailure) terminal).code())
                        .as("%s at %d", fault, at)
                        .isEqualTo(code);
                if (!fault.equals("rst")) {
                    assertThat(sink.tokens()).as("%s at %d", fault, at).hasSize(at);
                }
            }
        }
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @ParameterizedTest
    @CsvSource({
        "nothing,WORKER_RESET,true",
        "first503,ADMISSION_REJECT,true",
        "error200,INTERNAL,true",
        "http403,POOL_UNAVAILABLE,true",
        "http500,INTERNAL,true"
    })
    void shouldMapTheErrorWhereverItStands(String fault, ErrorCode code, boolean retriable) {
        EngineFailure failure = (EngineFailure)
                run("ensemble", "a secret prompt that must not leak [[fault=" + fault + "]]", new RecordingSink());
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.retriable()).isEqualTo(retriable);
        assertThat(failure.message()).doesNotContain("secret").hasSizeLessThan(260);
    }

    @Test
    void shouldCutTheTextAtAStopStringAndFreeTheSlot() {
        for (String model : List.of("ensemble", "tensorrt_llm")) {
            for (int at = 1; at < TOKENS; at++) {
                String whole = DoubleText.plainText("stop", SEED, TOKENS);
                int edge = DoubleText.plainText("stop", SEED, at).length();
                String stop = whole.substring(edge - 1, edge + 1);
                RecordingSink sink = new RecordingSink();
                EngineUsage usage = (EngineUsage) run(model, request("stop", List.of("never", stop)), sink);
                assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
                assertThat(DoubleText.plain(sink.text()))
                        .as("%s: %s", model, stop)
                        .isEqualTo(whole.substring(0, whole.indexOf(stop)));
            }
        }
    }

    @Test
    void shouldEndTheDecodeAtAStopStringThatTheEngineOverlooks() {
        ENGINE.set("overlooks=1");
        String prompt = "stop [[pace=1]]";
        String whole = DoubleText.plainText(prompt, SEED, 30);
        String stop = whole.substring(20, 23);
        Sampling sampling = new Sampling(NONE, NONE, -1, NONE, NONE, List.of(stop), null, null);
        RecordingSink sink = new RecordingSink();
        TaskRequest endless = Requests.completion(prompt, 1_000_000, SEED, Workload.COMPLETION, sampling);
        assertThat(((EngineUsage) run("ensemble", endless, sink)).finishReason())
                .isEqualTo(FinishReason.STOP);
        assertThat(DoubleText.plain(sink.text())).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
        ENGINE.set("overlooks=0");
    }

    @Test
    void shouldFreeTheSlotWhenAborted() {
        TaskRequest endless = Requests.completion("p [[pace=1]]", 1_000_000, SEED);
        EngineCall call = DRIVER.start(target(ENGINE, "ensemble"), endless, new RecordingSink());
        AdapterDriver.awaitStats(ENGINE, "\"running\":1");
        DRIVER.loop().execute(call::abort);
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @Test
    void shouldWarnOnceWhenPiecesLookLikeWholeTexts() {
        EngineTarget target = target(ENGINE, "tensorrt_llm").withOptions(Map.of("text", "delta"));
        for (int i = 0; i < 3; i++) {
            assertThat(DRIVER.run(target, Requests.completion("warn", TOKENS, SEED), new RecordingSink()))
                    .isInstanceOf(EngineUsage.class);
        }
        assertThat(WARNINGS).hasSize(1).allMatch(w -> w.contains("tensorrt_llm") && w.contains("cumulative"));
    }

    @Test
    void shouldFailWhenTextTakenForCumulativeDoesNotGoOn() {
        EngineTarget target = target(ENGINE, "ensemble").withOptions(Map.of("text", "cumulative"));
        EngineFailure failure =
                (EngineFailure) DRIVER.run(target, Requests.completion("wrong", TOKENS, SEED), new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.INTERNAL);
    }

    @Test
    void shouldRefuseWhatTheModelHasNoInputFor() {
        Sampling penalty = new Sampling(NONE, NONE, -1, NONE, 1.2, List.of(), null, null);
        TaskRequest request = Requests.completion("p", TOKENS, SEED, Workload.COMPLETION, penalty);
        assertThat(run("ensemble", request, new RecordingSink())).isInstanceOf(EngineUsage.class);
        EngineFailure failure = (EngineFailure) run("tensorrt_llm", request, new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_PARAMS);
        assertThat(failure.retriable()).isFalse();
    }

    @Test
    void shouldProbeTheModelItsVersionAndTheMetricsPort() {
        EngineTarget target = target(ENGINE, "ensemble");
        assertThat(DRIVER.probe(target)).isEqualTo(ReplicaStatus.ready("2.60.0-double", 0, 0, EngineLoad.UNKNOWN));
        String metrics = ENGINE.metricsUrl().toString();
        assertThat(DRIVER.probe(target.withOptions(Map.of("metrics_url", metrics))))
                .isEqualTo(ReplicaStatus.ready("2.60.0-double", 2, 0, new EngineLoad(0, 3, 0.25)));
        assertThat(DRIVER.probe(target.withOptions(Map.of("metrics_url", metrics + "/none")))
                        .state())
                .isEqualTo(ReplicaStatus.State.READY);
        ReplicaStatus spare = DRIVER.probe(target(ENGINE, "spare"));
        assertThat(spare.state()).isEqualTo(ReplicaStatus.State.LOADING);
        assertThat(spare.lastError()).contains("400").contains("not ready");
    }

    @Test
    void shouldLoadAndUnloadInExplicitMode() {
        try (TritonServerDouble engine = TritonServerDouble.start("explicit=1", "loaded=ensemble")) {
            EngineTarget target = target(engine, "spare");
            TaskRequest request = Requests.completion("p", TOKENS, SEED);
            EngineFailure absent = (EngineFailure) DRIVER.run(target, request, new RecordingSink());
            assertThat(absent.code()).isEqualTo(ErrorCode.POOL_UNREADY);
            assertThat(DRIVER.order(target, "spare", true)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(DRIVER.order(target, "spare", true)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(DRIVER.run(target, request, new RecordingSink())).isInstanceOf(EngineUsage.class);
            assertThat(DRIVER.order(target, "spare", false)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(DRIVER.probe(target).state()).isEqualTo(ReplicaStatus.State.LOADING);
            assertThat(DRIVER.order(target, "nowhere", true).result()).isEqualTo(ModelControl.Result.UNKNOWN_MODEL);
            ModelControl.Outcome broken = DRIVER.order(target, "broken", true);
            assertThat(broken.result()).isEqualTo(ModelControl.Result.FAILED);
            assertThat(broken.message()).contains("out of memory");
        }
        ModelControl.Outcome refused = DRIVER.order(target(ENGINE, "spare"), "spare", true);
        assertThat(refused.result()).isEqualTo(ModelControl.Result.FAILED);
        assertThat(refused.message()).contains("503");
    }

    @Test
    void shouldNameWhatIsWrongWithATarget() {
        EngineTarget target = target(ENGINE, "ensemble");
        assertThat(ADAPTER.problemOf(target)).isNull();
        assertThat(ADAPTER.problemOf(target.withModel(""))).contains("model");
        assertThat(ADAPTER.problemOf(target.withOptions(Map.of("text", "both"))))
                .contains("text");
        assertThat(ADAPTER.problemOf(target.withOptions(Map.of("metrics_url", "no url"))))
                .contains("metrics_url");
    }
}
