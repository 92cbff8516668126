package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.llamaorch.orchestratord.server.config.Config;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One token decoded at an engine that has just come up: weights are paged in, kernels compiled, and what only shows when
 * it decodes has shown. Owned by its loop.
 */
final class Preload implements EngineSink {
    private final EngineAdapter adapter;
    private final EngineTarget target;
    private final Config.Pool pool;
    private final EventLoop loop;
    private @Nullable Consumer<@Nullable EngineFailure> done;
    private @Nullable EngineCall call;

    Preload(EngineAdapter adapter, EngineTarget target, Config.Pool pool, EventLoop loop) {
        this.adapter = adapter;
        this.target = target;
        this.pool = pool;
        this.loop = loop;
    }

    /** @param whenDone told once, on the loop: null after a token or a good end, else why not */
    void run(Consumer<@Nullable EngineFailure> whenDone) {
        done = whenDone;
        call = adapter.start(target, request(), null, loop, this);
    }

    private TaskRequest request() {
        UUID none = new UUID(0, 0);
        return new TaskRequest(
                none,
                none,
                Workload.COMPLETION,
                pool.model(),
                pool.engine(),
                0,
                Priority.BATCH,
                1,
                1,
                "1",
                List.of(),
                OptionalLong.empty(),
                Determinism.BEST_EFFORT,
                null,
                1,
                null,
                null,
                TaskRequest.Sampling.DEFAULT,
                TaskRequest.Placement.AUTO,
                false);
    }

    @Override
    public void accepted() {}

    @Override
    public boolean token(ByteBuf text, int offset, int length) {
        return true;
    }

    @Override
    public void batchEnd() {}

    @Override
    public void output(EngineOutput output) {}

    @Override
    public void end(EngineUsage usage) {
        tell(null);
    }

    @Override
    public void failed(EngineFailure failure) {
        tell(failure);
    }

    /** Its watch looks at another engine now. */
    void abort() {
        done = null;
        EngineCall running = call;
        if (running != null) {
            running.abort();
        }
    }

    private void tell(@Nullable EngineFailure failure) {
        Consumer<@Nullable EngineFailure> waiting = done;
        done = null;
        if (waiting != null) {
            waiting.accept(failure);
        }
    }
}
