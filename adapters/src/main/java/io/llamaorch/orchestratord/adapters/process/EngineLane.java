package io.llamaorch.orchestratord.adapters.process;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** One engine of a replica, over all its starts. Owned by the thread {@code engine-supervisor}. */
final class EngineLane {
    EngineSpec spec;

    /** 0 or 1: two engines of a replica differ in it. */
    final int number;

    EngineStatus.Role role;
    EngineState state = EngineState.STOPPED;
    RestartPolicy policy;

    /** Whether somebody wants it to run; false from the order to stop on. */
    boolean wanted;

    /** Started after the running one has stopped. */
    @Nullable
    EngineSpec next;

    /** Leased port, 0 for none. It is kept over restarts, so that the engine's address stays. */
    int port;

    long runId;
    long restarts;
    long restartInMs;
    boolean wasReady;
    long readyAtMs;

    @Nullable
    EngineProcess process;

    /** Why the process was told to stop although it is wanted. */
    @Nullable
    String unresponsive;

    @Nullable
    ExitKind lastExit;

    @Nullable
    String lastError;

    /** The start timeout, or the next start. */
    @Nullable
    Future<?> timer;

    final List<CompletableFuture<Void>> waiting = new ArrayList<>();

    EngineLane(EngineSpec spec, int number, EngineStatus.Role role) {
        this.spec = spec;
        this.number = number;
        this.role = role;
        this.policy = new RestartPolicy(spec.restarts());
    }

    /** Whether there is a process, or will be. */
    boolean isActive() {
        return state != EngineState.STOPPED && state != EngineState.FAILED;
    }

    void cancelTimer() {
        Future<?> set = timer;
        if (set != null) {
            set.cancel(false);
            timer = null;
        }
    }

    void completeWaiting() {
        List<CompletableFuture<Void>> done = List.copyOf(waiting);
        waiting.clear();
        for (CompletableFuture<Void> one : done) {
            one.complete(null);
        }
    }

    EngineStatus status() {
        EngineProcess running = process;
        return new EngineStatus(
                spec.replicaId(),
                role,
                runId,
                state,
                running == null ? 0 : port,
                running == null ? 0 : running.pid(),
                restarts,
                restartInMs,
                lastExit,
                lastError);
    }
}
