package io.llamaorch.orchestratord.adapters.mock;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.wire.RequestCheck;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The built-in engine. Its text is a pure function of the request; its speed comes from the target's URL
 * ({@link MockSpeed}). {@code stop} strings change the text but do not end it.
 */
public final class MockAdapter implements EngineAdapter {
    /** How it names itself. */
    public static final String VERSION = "mock-1";

    private static final String BAD_URL =
            "mock engine URL: known parameters are tokens_per_s, ttft_ms, prompt_ms_per_token, each a number of 0 or more";

    private static final EngineFeatures FEATURES = new EngineFeatures(
            true,
            EnumSet.complementOf(EnumSet.of(SamplingMember.GRAMMAR, SamplingMember.JSON_SCHEMA)),
            true,
            "Text is a pure function of prompt, sampling, limit and seed.");

    private static final ModelControl MODELS = new ModelControl() {
        @Override
        public void load(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer) {
            loop.execute(() -> answer.accept(Outcome.DONE));
        }

        @Override
        public void unload(EngineTarget target, String model, int limitMs, EventLoop loop, Consumer<Outcome> answer) {
            loop.execute(() -> answer.accept(Outcome.DONE));
        }
    };

    /** The one kind of mock engine. */
    public MockAdapter() {}

    @Override
    public EngineKind kind() {
        return EngineKind.MOCK;
    }

    @Override
    public Set<Workload> workloads() {
        return Set.of(Workload.COMPLETION);
    }

    @Override
    public EngineFeatures features() {
        return FEATURES;
    }

    @Override
    public @Nullable String problemOf(EngineTarget target) {
        return MockSpeed.of(target.url()) == null ? BAD_URL : null;
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        return RequestCheck.of(this, request);
    }

    @Override
    public EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop loop, EngineSink sink) {
        MockSpeed speed = MockSpeed.of(target.url());
        if (speed == null) {
            RefusedCall refused = new RefusedCall(sink);
            loop.execute(refused);
            return refused;
        }
        MockCall call = new MockCall(new MockText(request), speed, loop, sink);
        call.begin();
        return call;
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        ReplicaStatus status = MockSpeed.of(target.url()) == null
                ? ReplicaStatus.down(BAD_URL)
                : ReplicaStatus.ready(VERSION, 0, 0, EngineLoad.UNKNOWN);
        loop.execute(() -> answer.accept(status));
    }

    /** Has every model at once: there is nothing to load. */
    @Override
    public ModelControl modelControl() {
        return MODELS;
    }

    /** A call that can only fail. */
    private static final class RefusedCall implements EngineCall, Runnable {
        private final EngineSink sink;
        private boolean ended;

        RefusedCall(EngineSink sink) {
            this.sink = sink;
        }

        @Override
        public void run() {
            if (!ended) {
                ended = true;
                sink.failed(new EngineFailure(ErrorCode.POOL_UNAVAILABLE, BAD_URL, false));
            }
        }

        @Override
        public void abort() {
            ended = true;
        }

        @Override
        public void resume() {}
    }
}
