package io.llamaorch.orchestratord.adapters.mock;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
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

    /** The one kind of mock engine. */
    public MockAdapter() {}

    @Override
    public EngineKind kind() {
        return EngineKind.MOCK;
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        return request.workload() == Workload.COMPLETION
                ? null
                : ApiError.of(
                        ErrorCode.INVALID_PARAMS,
                        "workload " + request.workload().wireName() + " is not served by mock pools",
                        "/workload",
                        request.workload().wireName());
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
                ? new ReplicaStatus(ReplicaStatus.State.DOWN, VERSION, 0, 0, BAD_URL)
                : new ReplicaStatus(ReplicaStatus.State.READY, VERSION, 0, 0, null);
        loop.execute(() -> answer.accept(status));
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
