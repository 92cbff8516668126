package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.EngineConformanceSuite;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.testing.TritonDialect;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What holds for Triton whatever family its model is of. */
@NullUnmarked
abstract class TritonConformance extends EngineConformanceSuite {
    static final double NONE = Double.NaN;

    final Queue<String> warnings = new ConcurrentLinkedQueue<>();
    private final String model;

    TritonConformance(String model) {
        this.model = model;
    }

    @BeforeAll
    void learn() {
        assertThat(probe(target()).state()).isEqualTo(ReplicaStatus.State.READY);
    }

    @Override
    protected EngineAdapter newAdapter() {
        return new TritonAdapter(CLIENT, (target, what) -> warnings.add(target.replicaId() + ": " + what));
    }

    @Override
    protected EngineDouble newDouble(Map<String, String> knobs) {
        return EngineDouble.start(new TritonDialect(), knobs);
    }

    @Override
    protected EngineTarget target(URI url, EngineTimeouts timeouts) {
        return super.target(url, timeouts).withModel(model);
    }

    @Override
    protected Map<String, ErrorCode> streamFaults() {
        return Map.of(
                "close", ErrorCode.WORKER_RESET,
                "rst", ErrorCode.WORKER_RESET,
                "garbage", ErrorCode.INTERNAL,
                "badchunk", ErrorCode.INTERNAL,
                "inband_error", ErrorCode.INTERNAL,
                "cancelled", ErrorCode.WORKER_RESET,
                "midutf8", ErrorCode.WORKER_RESET);
    }

    @Override
    protected Map<String, ErrorCode> refusals() {
        return Map.of(
                "eof_no_terminal", ErrorCode.WORKER_RESET,
                "first503", ErrorCode.ADMISSION_REJECT,
                "error200", ErrorCode.INTERNAL,
                "http403", ErrorCode.POOL_UNAVAILABLE,
                "http500", ErrorCode.INTERNAL);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready("2.60.0-double", 0, 0, EngineLoad.UNKNOWN);
    }

    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.LOADING;
    }

    @Override
    protected boolean carries(String body, SamplingMember member) {
        return member == SamplingMember.JSON_SCHEMA
                ? body.contains("\\\"maxProperties\\\":3")
                : super.carries(body, member);
    }

    static TaskRequest request(String prompt, Sampling sampling) {
        return Requests.completion(prompt, TOKENS, SEED, Workload.COMPLETION, sampling);
    }

    static Sampling stopping(String... stops) {
        return new Sampling(NONE, NONE, -1, NONE, NONE, List.of(stops), null, null);
    }

    @Test
    void shouldCutTheTextAtAStopString() {
        String whole = DoubleText.plainText("stop", SEED, TOKENS);
        for (int at = 1; at < TOKENS; at++) {
            int edge = DoubleText.plainText("stop", SEED, at).length();
            String stop = whole.substring(edge - 1, edge + 1);
            RecordingSink sink = new RecordingSink();
            EngineUsage usage = (EngineUsage) run(target(), request("stop", stopping("never", stop)), sink);
            assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(DoubleText.plain(sink.text())).as(stop).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        }
    }

    @Test
    void shouldAskForTheLikeliestTokenWhenGreedy() {
        Sampling greedy = new Sampling(0, 0.5, 9, NONE, NONE, List.of(), null, null);
        assertThat(run(target(), request("p", greedy), new RecordingSink())).isInstanceOf(EngineUsage.class);
        assertThat(engine.lastBody()).contains("top_k\":1").doesNotContain("temperature");
    }

    @Test
    void shouldNotBeReadyWhenTheModelIsNotLoaded() {
        EngineTarget spare = target().withModel("spare");
        assertThat(probe(spare).state()).isEqualTo(ReplicaStatus.State.LOADING);
        assertThat(probe(spare).lastError()).contains("400").contains("not ready");
        EngineFailure failure = (EngineFailure) run(spare, Requests.completion("p", TOKENS, SEED), new RecordingSink());
        assertThat(failure.code()).isEqualTo(ErrorCode.POOL_UNREADY);
    }

    /** A frame of the model whose text is that. */
    static String frame(String text) {
        return "data: {\"model_name\":\"m\",\"model_version\":\"1\",\"sequence_end\":false,\"sequence_id\":0,"
                + "\"sequence_start\":false,\"text_output\":\"" + text + "\"}\n\n";
    }

    static FrameReader reader(TritonText.Mode mode) {
        return new TritonReader(mode, 1 << 20, List.of("p"), null, () -> {});
    }
}
