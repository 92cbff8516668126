package io.llamaorch.orchestratord.adapters.tgi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineAuth;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.EngineConformanceSuite;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.testing.TgiDialect;
import io.llamaorch.orchestratord.adapters.testing.TokenAllocation;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.StopSink;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TgiAdapterIT extends EngineConformanceSuite {
    private static final double NONE = Double.NaN;

    @Override
    protected EngineAdapter newAdapter() {
        return new TgiAdapter(CLIENT);
    }

    @Override
    protected EngineDouble newDouble(Map<String, String> knobs) {
        return EngineDouble.start(new TgiDialect(), knobs);
    }

    @Override
    protected Map<String, ErrorCode> streamFaults() {
        return Map.of(
                "close", ErrorCode.WORKER_RESET,
                "rst", ErrorCode.WORKER_RESET,
                "garbage", ErrorCode.INTERNAL,
                "badchunk", ErrorCode.INTERNAL,
                "overloaded", ErrorCode.ADMISSION_REJECT,
                "generation", ErrorCode.INTERNAL,
                "generation_memory", ErrorCode.REPLICA_EXHAUSTED,
                "incomplete", ErrorCode.WORKER_RESET,
                "eof_no_terminal", ErrorCode.WORKER_RESET,
                "midutf8", ErrorCode.WORKER_RESET);
    }

    @Override
    protected Map<String, ErrorCode> refusals() {
        return Map.of(
                "http401", ErrorCode.POOL_UNAVAILABLE,
                "http413", ErrorCode.INVALID_PARAMS,
                "http500", ErrorCode.WORKER_RESET,
                "http503", ErrorCode.POOL_UNREADY,
                "validation", ErrorCode.INVALID_PARAMS);
    }

    @Override
    protected EngineUsage usage(String prompt, int tokens, FinishReason reason) {
        return new EngineUsage(reason, prompt.length() / 4, tokens, NONE, NONE);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready("3.3.6-double", 2, 4096, new EngineLoad(0, 3, 0.25));
    }

    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.LOADING;
    }

    /** The routes of a probe are open; see {@link #shouldSendTheKeyOnlyWhereTheEngineAsks}. */
    @Override
    protected boolean hasKeys() {
        return false;
    }

    @Override
    protected List<String> cuts() {
        List<String> all = new ArrayList<>(super.cuts());
        all.addAll(List.of("[[hold=1]]", "[[ping=1]][[special=3]]"));
        return all;
    }

    @Override
    protected FrameReader reader() {
        return new TgiReader(List.of("p"));
    }

    @Override
    protected String frame(int i) {
        return "data:{\"index\":" + i + ",\"token\":{\"id\":" + (100 + i % 900)
                + ",\"text\":\" tok\",\"logprob\":-0.5,\"special\":false},\"generated_text\":null,\"details\":null}\n\n";
    }

    private static TaskRequest request(String prompt, Sampling sampling) {
        return Requests.completion(prompt, TOKENS, SEED, Workload.COMPLETION, sampling);
    }

    private static TaskRequest request(String prompt, List<String> stops) {
        return request(prompt, new Sampling(NONE, NONE, -1, NONE, NONE, stops, null, null));
    }

    @Test
    void shouldCutTheTextAtAStopStringThatTokensSpread() {
        String whole = DoubleText.plainText("stop", SEED, TOKENS);
        for (int at = 1; at < TOKENS; at++) {
            int edge = DoubleText.plainText("stop", SEED, at).length();
            String stop = whole.substring(edge - 1, edge + 1);
            RecordingSink sink = new RecordingSink();
            EngineUsage usage = (EngineUsage) run(target(), request("stop", List.of("never", stop)), sink);
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
        EngineUsage usage = (EngineUsage) run(target(), request("many", List.of("a1", "b1", "c1", "d1", stop)), sink);
        assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(DoubleText.plain(sink.text())).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        awaitStats("\"running\":0");
    }

    @Test
    void shouldNotAllocateForTokensWhenStopStringsAreLookedFor() {
        double perToken = TokenAllocation.bytesPerToken(
                this::reader, this::frame, 10_000, sink -> new StopSink(sink, List.of("token", "\n\n"), false));
        assertThat(perToken).isLessThanOrEqualTo(1.0);
    }

    @Test
    void shouldKeepToWhatTheEngineTakes() {
        for (Sampling sampling : List.of(
                new Sampling(0, 1, 0, NONE, 1.1, List.of(), null, null),
                new Sampling(1, 1, 5, NONE, NONE, List.of(), null, "{\"properties\":{}}"),
                new Sampling(NONE, 0, -1, NONE, NONE, List.of("a1", "b1", "c1", "d1", "e1"), null, null))) {
            assertThat(run(target(), request("p", sampling), new RecordingSink()))
                    .isInstanceOf(EngineUsage.class);
        }
    }

    @Test
    void shouldBeRefusedInBandWhenTheEngineHasNoPermitLeft() {
        TaskRequest endless = Requests.completion("p [[pace=5]]", 1_000_000, SEED);
        EngineCall one = start(target(), endless, new RecordingSink());
        EngineCall two = start(target(), endless, new RecordingSink());
        awaitStats("\"running\":2");
        EngineFailure failure =
                (EngineFailure) run(target(), Requests.completion("p", TOKENS, SEED), new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.ADMISSION_REJECT);
        loop().execute(one::abort);
        loop().execute(two::abort);
        awaitStats("\"running\":0");
    }

    @Test
    void shouldFollowTheHealthFlagAfterAFailedGeneration() {
        try (EngineDouble other = newDouble(Map.of())) {
            var target = target(other.url(), target().timeouts());
            run(target, Requests.completion("p [[fault=generation@2]]", TOKENS, SEED), new RecordingSink());
            ReplicaStatus flipped = probe(target);
            assertThat(flipped.state()).isEqualTo(ReplicaStatus.State.LOADING);
            assertThat(flipped.lastError()).contains("503").contains("unhealthy");
            assertThat(probe(target).state()).isEqualTo(ReplicaStatus.State.READY);
        }
    }

    @Test
    void shouldBeReadyWithoutMetrics() {
        try (EngineDouble other = newDouble(Map.of("slots", "2"))) {
            var nowhere = target(other.url(), target().timeouts())
                    .withOptions(Map.of("metrics_url", other.url() + "/nothing"));
            assertThat(probe(nowhere)).isEqualTo(ReplicaStatus.ready("3.3.6-double", 2, 4096, EngineLoad.UNKNOWN));
        }
    }

    @Test
    void shouldSendTheKeyOnlyWhereTheEngineAsks() {
        try (EngineDouble locked = newDouble(Map.of("api_key", "k-e-y"))) {
            var open = target(locked.url(), target().timeouts());
            TaskRequest request = Requests.completion("p", 2, SEED);
            EngineFailure failure = (EngineFailure) run(open, request, new RecordingSink());
            assertThat(failure.code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
            assertThat(run(open.withAuth(EngineAuth.bearer("k-e-y")), request, new RecordingSink()))
                    .isInstanceOf(EngineUsage.class);
        }
    }

    @Test
    void shouldNameWhatIsWrongWithAnOption() {
        assertThat(adapter.problemOf(target().withOptions(Map.of("max_stop_sequences", "8"))))
                .isNull();
        assertThat(adapter.problemOf(target().withOptions(Map.of("max_stop_sequences", "x"))))
                .contains("max_stop_sequences");
        assertThat(adapter.problemOf(target().withOptions(Map.of("metrics_url", "ftp://h/"))))
                .contains("metrics_url");
    }
}
