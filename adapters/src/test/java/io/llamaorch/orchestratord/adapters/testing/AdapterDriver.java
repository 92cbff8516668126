package io.llamaorch.orchestratord.adapters.testing;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Drives an adapter from a test's thread, on a loop of its own. */
public final class AdapterDriver implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final EngineAdapter adapter;

    /** A driver of that adapter. */
    public AdapterDriver(EngineAdapter adapter) {
        this.adapter = adapter;
    }

    /** The loop on which all happens. */
    public EventLoop loop() {
        return group.next();
    }

    /** Starts a decode. */
    public EngineCall start(EngineTarget target, TaskRequest request, RecordingSink sink) {
        return loop().submit(() -> adapter.start(target, request, "00-abc-def-01", loop(), sink))
                .syncUninterruptibly()
                .getNow();
    }

    /** Runs a decode to its end: {@code EngineUsage} or {@code EngineFailure}. */
    public Object run(EngineTarget target, TaskRequest request, RecordingSink sink) {
        start(target, request, sink);
        Object terminal = sink.terminal().join();
        if (!sink.violations().isEmpty()) {
            throw new AssertionError(sink.violations());
        }
        return terminal;
    }

    /** Probes a replica. */
    public ReplicaStatus probe(EngineTarget target) {
        CompletableFuture<ReplicaStatus> answer = new CompletableFuture<>();
        loop().execute(() -> adapter.probe(target, loop(), answer::complete));
        return answer.join();
    }

    /** Orders a model to be loaded or unloaded. */
    public ModelControl.Outcome order(EngineTarget target, String model, boolean load) {
        CompletableFuture<ModelControl.Outcome> answer = new CompletableFuture<>();
        ModelControl control = adapter.modelControl();
        if (control == null) {
            throw new AssertionError("no model control");
        }
        loop().execute(() -> {
            if (load) {
                control.load(target, model, 20_000, loop(), answer::complete);
            } else {
                control.unload(target, model, 20_000, loop(), answer::complete);
            }
        });
        return answer.join();
    }

    /** Waits until the double, asked over and over, says so. */
    public static void awaitStats(EngineDouble engine, String part) {
        while (!engine.stats().contains(part)) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
