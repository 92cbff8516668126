package io.llamaorch.orchestratord.adapters.tgi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.AdapterDriver;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.testing.TgiServerDouble;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TgiAdapterIT {
    private static final int TOKENS = 12;
    private static final long SEED = 42;
    private static final double NONE = Double.NaN;

    private static final TgiServerDouble ENGINE = TgiServerDouble.start("slots=2");
    private static final TgiAdapter ADAPTER =
            new TgiAdapter(new EngineHttpClient(OutboundPolicy.of(List.of("http"), List.of("127.0.0.0/8"))));
    private static final AdapterDriver DRIVER = new AdapterDriver(ADAPTER);

    @AfterAll
    static void stop() {
        ENGINE.close();
        DRIVER.close();
    }

    private static EngineTarget target(URI url) {
        return EngineTarget.of("p", "r0", url, new EngineTimeouts(5_000, 20_000, 20_000, 20_000));
    }

    private static Object run(TaskRequest request, RecordingSink sink) {
        return DRIVER.run(target(ENGINE.url()), request, sink);
    }

    private static Object run(String prompt, RecordingSink sink) {
        return run(Requests.completion(prompt, TOKENS, SEED), sink);
    }

    private static TaskRequest request(String prompt, Sampling sampling) {
        return Requests.completion(prompt, TOKENS, SEED, Workload.COMPLETION, sampling);
    }

    private static TaskRequest request(String prompt, List<String> stops) {
        return request(prompt, new Sampling(NONE, NONE, -1, NONE, NONE, stops, null, null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[[split=1]]",
                "[[batch=5]][[split=64]]",
                "[[empty=2]][[ping=1]][[special=3]]",
                "[[ttfh=5]][[ttft=5]][[pace=1]]",
                "[[hold=1]]"
            })
    void shouldHandOverTheTokensAndNothingElse(String markers) {
        String prompt = "hello " + markers;
        RecordingSink sink = new RecordingSink();
        assertThat(run(prompt, sink))
                .isEqualTo(new EngineUsage(FinishReason.LENGTH, prompt.length() / 4, TOKENS, NONE, NONE));
        assertThat(sink.text()).isEqualTo(DoubleText.text(prompt, SEED, TOKENS));
        assertThat(sink.tokens()).hasSize(TOKENS);
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @Test
    void shouldSkipTheTextOfAnEosTokenInTheLastFrame() {
        RecordingSink sink = new RecordingSink();
        EngineUsage usage = (EngineUsage) run("eos [[tokens=5]]", sink);
        assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(usage.tokensOut()).isEqualTo(6);
        assertThat(sink.text()).isEqualTo(DoubleText.text("eos [[tokens=5]]", SEED, 5));
    }

    @Test
    void shouldJoinACharacterThatTwoFramesShare() {
        String prompt = "join [[cutchars=1]]";
        RecordingSink sink = new RecordingSink();
        run(Requests.completion(prompt, 200, SEED), sink);
        assertThat(sink.text().replace("\\ud83d\\ude42", "🙂")).isEqualTo(DoubleText.text(prompt, SEED, 200));
        assertThat(sink.tokens()).noneMatch(t -> t.endsWith("\\ud83d"));
    }

    @Test
    void shouldCutTheTextAtAStopStringThatTokensSpread() {
        for (int at = 1; at < TOKENS; at++) {
            String whole = DoubleText.plainText("stop", SEED, TOKENS);
            int edge = DoubleText.plainText("stop", SEED, at).length();
            String stop = whole.substring(edge - 1, edge + 1);
            RecordingSink sink = new RecordingSink();
            EngineUsage usage = (EngineUsage) run(request("stop", List.of("never", stop)), sink);
            assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(usage.tokensOut()).isPositive();
            assertThat(DoubleText.plain(sink.text())).as(stop).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        }
    }

    @Test
    void shouldLookForMoreStopStringsThanTheEngineTakes() {
        String whole = DoubleText.plainText("many", SEED, TOKENS);
        String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 2);
        RecordingSink sink = new RecordingSink();
        EngineUsage usage = (EngineUsage) run(request("many", List.of("a1", "b1", "c1", "d1", stop)), sink);
        assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(DoubleText.plain(sink.text())).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @Test
    void shouldKeepToWhatTheEngineTakes() {
        for (Sampling sampling : List.of(
                new Sampling(0, 1, 0, NONE, 1.1, List.of(), null, null),
                new Sampling(1, 1, 5, NONE, NONE, List.of(), null, "{\"properties\":{}}"),
                new Sampling(NONE, 0, -1, NONE, NONE, List.of("a1", "b1", "c1", "d1", "e1"), null, null))) {
            assertThat(run(request("p", sampling), new RecordingSink())).isInstanceOf(EngineUsage.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "close,WORKER_RESET",
        "rst,WORKER_RESET",
        "garbage,INTERNAL",
        "badchunk,INTERNAL",
        "overloaded,ADMISSION_REJECT",
        "generation,INTERNAL",
        "generation_memory,REPLICA_EXHAUSTED",
        "incomplete,WORKER_RESET",
        "eof_no_terminal,WORKER_RESET",
        "midutf8,WORKER_RESET"
    })
    void shouldFailOnceWhenTheEngineBreaksAtAnyToken(String fault, ErrorCode code) {
        for (int at = 0; at < TOKENS; at++) {
            RecordingSink sink = new RecordingSink();
            Object terminal = run("p [[fault=" + fault + "@" + at + "]]", sink);
            assertThat(terminal).as("%s at %d", fault, at).isInstanceOf(EngineFailure.class);
            assertThat(((EngineFailure) terminal).code())
                    .as("%s at %d", fault, at)
                    .isEqualTo(code);
            if (!fault.equals("rst")) {
                assertThat(sink.tokens()).as("%s at %d", fault, at).hasSize(at);
            }
        }
        ENGINE.set("unhealthy=0");
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @ParameterizedTest
    @CsvSource({
        "http401,POOL_UNAVAILABLE,true",
        "http413,INVALID_PARAMS,false",
        "http500,WORKER_RESET,true",
        "http503,POOL_UNREADY,true",
        "validation,INVALID_PARAMS,false"
    })
    void shouldMapTheErrorWhereverItStands(String fault, ErrorCode code, boolean retriable) {
        EngineFailure failure =
                (EngineFailure) run("a secret prompt that must not leak [[fault=" + fault + "]]", new RecordingSink());
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.retriable()).isEqualTo(retriable);
        assertThat(failure.message()).doesNotContain("secret").hasSizeLessThan(260);
    }

    @Test
    void shouldBeRefusedInBandWhenTheEngineHasNoPermitLeft() {
        EngineTarget target = target(ENGINE.url());
        TaskRequest endless = Requests.completion("p [[pace=5]]", 1_000_000, SEED);
        EngineCall one = DRIVER.start(target, endless, new RecordingSink());
        EngineCall two = DRIVER.start(target, endless, new RecordingSink());
        AdapterDriver.awaitStats(ENGINE, "\"running\":2");
        EngineFailure failure = (EngineFailure) run("p", new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.ADMISSION_REJECT);
        DRIVER.loop().execute(one::abort);
        DRIVER.loop().execute(two::abort);
        AdapterDriver.awaitStats(ENGINE, "\"running\":0");
    }

    @Test
    void shouldProbeReadyUnhealthyAndDown() throws Exception {
        EngineTarget gone;
        try (LlamaServerDoubleProcess other = LlamaServerDoubleProcess.startOf(TgiServerDouble.class, "--slots=7")) {
            gone = target(other.url());
            ReplicaStatus ready = ReplicaStatus.ready("3.3.6-double", 7, 4096, new EngineLoad(0, 3, 0.25));
            assertThat(DRIVER.probe(gone)).isEqualTo(ready);
            DRIVER.run(gone, Requests.completion("p [[fault=generation@2]]", TOKENS, SEED), new RecordingSink());
            ReplicaStatus flipped = DRIVER.probe(gone);
            assertThat(flipped.state()).isEqualTo(ReplicaStatus.State.LOADING);
            assertThat(flipped.lastError()).contains("503").contains("unhealthy");
            assertThat(DRIVER.probe(gone.withOptions(Map.of("metrics_url", other.url() + "/nothing"))))
                    .isEqualTo(ReplicaStatus.ready("3.3.6-double", 7, 4096, EngineLoad.UNKNOWN));
        }
        assertThat(DRIVER.probe(gone).state()).isEqualTo(ReplicaStatus.State.DOWN);
    }

    @Test
    void shouldNameWhatItCanNotDo() {
        assertThat(ADAPTER.unsupported(request("p", Sampling.DEFAULT))).isNull();
        for (Sampling sampling : List.of(
                new Sampling(NONE, NONE, -1, 0.1, NONE, List.of(), null, null),
                new Sampling(NONE, NONE, -1, NONE, NONE, List.of(), "root ::= \"a\"", null))) {
            assertThat(ADAPTER.unsupported(request("p", sampling))).isNotNull().satisfies(e -> assertThat(e.code())
                    .isEqualTo(ErrorCode.INVALID_PARAMS));
        }
        EngineTarget target = target(ENGINE.url());
        assertThat(ADAPTER.problemOf(target)).isNull();
        assertThat(ADAPTER.problemOf(target.withOptions(Map.of("max_stop_sequences", "8"))))
                .isNull();
        assertThat(ADAPTER.problemOf(target.withOptions(Map.of("max_stop_sequences", "x"))))
                .isNotNull();
        assertThat(ADAPTER.problemOf(target.withOptions(Map.of("metrics_url", "ftp://h/"))))
                .isNotNull();
        assertThat(ADAPTER.problemOf(target.withOptions(Map.of("other", "x")))).isNotNull();
    }
}
