package io.llamaorch.orchestratord.adapters.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.EngineConformanceSuite;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class LlamaCppAdapterIT extends EngineConformanceSuite {

    @Override
    protected EngineAdapter newAdapter() {
        return new LlamaCppAdapter(CLIENT);
    }

    @Override
    protected EngineDouble newDouble(Map<String, String> knobs) {
        return EngineDouble.start(knobs);
    }

    @Override
    protected Map<String, ErrorCode> streamFaults() {
        return Map.of(
                "close", ErrorCode.WORKER_RESET,
                "rst", ErrorCode.WORKER_RESET,
                "garbage", ErrorCode.INTERNAL,
                "badchunk", ErrorCode.INTERNAL,
                "inband_error", ErrorCode.WORKER_RESET,
                "oldstyle_error", ErrorCode.WORKER_RESET,
                "context_full", ErrorCode.REPLICA_EXHAUSTED,
                "eof_no_terminal", ErrorCode.WORKER_RESET,
                "midutf8", ErrorCode.WORKER_RESET);
    }

    @Override
    protected Map<String, ErrorCode> refusals() {
        return Map.of(
                "http400", ErrorCode.INVALID_PARAMS,
                "http401", ErrorCode.POOL_UNAVAILABLE,
                "http429", ErrorCode.ADMISSION_REJECT,
                "http500", ErrorCode.INTERNAL,
                "http503", ErrorCode.POOL_UNREADY,
                "toolong", ErrorCode.INVALID_PARAMS,
                "proxy", ErrorCode.WORKER_RESET);
    }

    @Override
    protected EngineUsage usage(String prompt, int tokens, FinishReason reason) {
        return new EngineUsage(reason, prompt.length() / 4, tokens, 1.5, tokens + 0.25);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready("b1-double", 2, 4096, new EngineLoad(0, 0, 0));
    }

    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.LOADING;
    }

    @Override
    protected FrameReader reader() {
        return new LlamaReader("p");
    }

    @Override
    protected String frame(int i) {
        return "data: {\"index\":0,\"content\":\" tok\",\"tokens\":[" + (100 + i % 900)
                + "],\"stop\":false,\"id_slot\":0,\"tokens_predicted\":" + (i + 1) + ",\"tokens_evaluated\":8}\n\n";
    }

    @Override
    protected List<String> cuts() {
        List<String> all = new ArrayList<>(super.cuts());
        all.addAll(List.of("[[empty=2]][[ping=1]]", "[[hold=1]]", "[[progress=1]]"));
        return all;
    }

    @Test
    void shouldResetEveryCallWhenAllSlotsFailTogether() {
        List<RecordingSink> sinks = new ArrayList<>();
        CompletableFuture<Void> bothRun = new CompletableFuture<>();
        int[] running = {0};
        for (int i = 0; i < 2; i++) {
            RecordingSink sink = new RecordingSink(n -> {
                if (n == 1 && ++running[0] == 2) {
                    bothRun.complete(null);
                }
                return true;
            });
            start(target(), Requests.completion("p" + i + " [[pace=1]]", 1_000_000, SEED), sink);
            sinks.add(sink);
        }
        bothRun.join();
        engine.set("fail_all", "inband_error");
        for (RecordingSink sink : sinks) {
            EngineFailure failure = (EngineFailure) sink.terminal().join();
            assertThat(failure.code()).isEqualTo(ErrorCode.WORKER_RESET);
        }
    }

    @Test
    void shouldTellTheLoadOfBusySlots() {
        RecordingSink sink = new RecordingSink();
        EngineCall call = start(target(), Requests.completion("p [[fault=stall@1]]", 5, SEED), sink);
        awaitStats("\"running\":1");
        assertThat(probe(target()).load()).isEqualTo(new EngineLoad(1, 0, 0.125));
        loop().execute(call::abort);
        awaitStats("\"running\":0");
    }

    @Test
    void shouldResetTheCallWhenTheProcessDies() throws Exception {
        try (LlamaServerDoubleProcess other = LlamaServerDoubleProcess.start("--slots=1")) {
            RecordingSink sink = new RecordingSink(n -> {
                if (n == 3) {
                    other.kill();
                }
                return true;
            });
            EngineTarget doomed = target(other.url(), EngineTimeouts.of(5_000, 20_000, 20_000));
            EngineFailure failure = (EngineFailure) run(doomed, Requests.completion("p [[pace=5]]", 1000, SEED), sink);
            assertThat(failure.code()).isEqualTo(ErrorCode.WORKER_RESET);
        }
    }

    private ModelControl.Outcome order(EngineTarget target, String model, boolean load, int limitMs) {
        CompletableFuture<ModelControl.Outcome> answer = new CompletableFuture<>();
        EventLoop loop = loop();
        ModelControl control = adapter.modelControl();
        if (load) {
            control.load(target, model, limitMs, loop, answer::complete);
        } else {
            control.unload(target, model, limitMs, loop, answer::complete);
        }
        return answer.join();
    }

    @Test
    void shouldLoadAndUnloadTheModelsOfARouter() {
        EngineDouble router = newDouble(Map.of("models", "one,two,bad"));
        try {
            EngineTarget target = target(router.url(), EngineTimeouts.of(20_000, 20_000, 20_000));
            EngineTarget one = target.withModel("one");
            assertThat(probe(target).lastError()).contains("router");
            assertThat(probe(one).state()).isEqualTo(ReplicaStatus.State.LOADING);
            EngineFailure early = (EngineFailure) run(one, Requests.completion("p", 2, SEED), new RecordingSink());
            assertThat(early.code()).isEqualTo(ErrorCode.POOL_UNREADY);

            assertThat(order(target, "one", true, 20_000)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(order(target, "one", true, 20_000)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(probe(one)).isEqualTo(ReplicaStatus.ready("b1-double", 4, 4096, new EngineLoad(0, 0, 0)));
            RecordingSink sink = new RecordingSink();
            assertThat(run(one, Requests.completion("p", 2, SEED), sink)).isInstanceOf(EngineUsage.class);
            assertThat(sink.text()).isEqualTo(DoubleText.text("p", SEED, 2));

            assertThat(order(target, "one", false, 20_000)).isEqualTo(ModelControl.Outcome.DONE);
            assertThat(probe(one).state()).isEqualTo(ReplicaStatus.State.LOADING);
            assertThat(order(target, "none", true, 20_000).result()).isEqualTo(ModelControl.Result.UNKNOWN_MODEL);
            assertThat(order(target, "bad", true, 20_000).result()).isEqualTo(ModelControl.Result.FAILED);
            assertThat(order(target, "two", true, 1).result()).isEqualTo(ModelControl.Result.TIMED_OUT);
        } finally {
            router.close();
        }
    }
}
