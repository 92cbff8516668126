package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the engines of all {@code process} pools running: starts, restarts with backoff, gives up in a storm, replaces,
 * and runs a second engine beside the first for a change without a gap. Whether an engine is ready is told from outside
 * ({@link #ready}, {@link #unresponsive}), by run id, so that a late answer never counts for a later process.
 *
 * <pre>
 *   owner     thread engine-supervisor: all state, all starts, all calls of the listener
 *   callers   any thread; every order returns a future at once, and is idempotent: giving it twice is giving it once
 *   statuses  any thread, without a lock: the list of the last change
 * </pre>
 */
public final class EngineSupervisor implements AutoCloseable {
    private static final long CLOSE_OVERTIME_MS = 30_000;

    /** The engines of one replica. Two at most are wanted; those that leave are kept until they are gone. */
    private static final class Replica {
        @Nullable
        EngineLane current;

        @Nullable
        EngineLane candidate;

        final List<EngineLane> retired = new ArrayList<>();

        List<EngineLane> lanes() {
            List<EngineLane> out = new ArrayList<>();
            if (current != null) {
                out.add(current);
            }
            if (candidate != null) {
                out.add(candidate);
            }
            out.addAll(retired);
            return out;
        }
    }

    private final EngineGuard guard;
    private final PortLeases ports;
    private final EngineListener listener;
    private final Function<EngineSpec, @Nullable String> driverHint;
    private final DoubleSupplier jitter;
    private final ScheduledThreadPoolExecutor thread;
    private final Map<String, Replica> replicas = new LinkedHashMap<>();
    private volatile List<EngineStatus> statuses = List.of();
    private long runs;
    private volatile long lastRun;
    private boolean closing;
    private boolean hurry;

    /** A supervisor without driver telemetry. */
    public EngineSupervisor(EngineGuard guard, PortLeases ports, EngineListener listener) {
        this(guard, ports, listener, spec -> null, () -> ThreadLocalRandom.current()
                .nextDouble());
    }

    /**
     * A supervisor.
     *
     * @param driverHint asked when an engine has ended, on that engine's watch thread: what driver telemetry saw of its
     *     devices while it ran, such as an Xid, null for nothing
     * @param jitter uniform within [0, 1), for the waits before restarts
     */
    public EngineSupervisor(
            EngineGuard guard,
            PortLeases ports,
            EngineListener listener,
            Function<EngineSpec, @Nullable String> driverHint,
            DoubleSupplier jitter) {
        this.guard = guard;
        this.ports = ports;
        this.listener = listener;
        this.driverHint = driverHint;
        this.jitter = jitter;
        this.thread = new ScheduledThreadPoolExecutor(
                1,
                task -> Thread.ofPlatform().daemon().name("engine-supervisor").unstarted(task));
        thread.setRemoveOnCancelPolicy(true);
        thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /**
     * Starts the replica's engine. Nothing happens when it is active with an equal spec; one that failed or stopped is
     * started anew, its storm forgotten. Completes when the process was started or its first start failed, not when it is
     * ready; exceptionally with {@link IllegalStateException} when another spec is active ({@link #replace} is for that).
     */
    public CompletableFuture<Void> start(EngineSpec spec) {
        return order(done -> {
            refuseWhenClosing();
            Replica replica = replicas.computeIfAbsent(spec.replicaId(), id -> new Replica());
            EngineLane lane = replica.current;
            if (lane != null && lane.state == EngineState.STOPPING && !lane.wanted) {
                if (lane.next != null && !lane.next.equals(spec)) {
                    throw new IllegalStateException(
                            "replica " + spec.replicaId() + " is being replaced by another configuration");
                }
                lane.next = spec;
            } else if (lane != null && lane.isActive()) {
                if (!lane.spec.equals(spec)) {
                    throw new IllegalStateException("replica " + spec.replicaId() + " runs with another configuration");
                }
            } else {
                begin(replica, spec);
            }
            done.complete(null);
        });
    }

    /**
     * Stops all engines of the replica. Completes when their processes are gone, at once when there are none. A start or
     * replacement that was to follow an earlier stop is dropped.
     */
    public CompletableFuture<Void> stop(String replicaId) {
        return order(done -> {
            Replica replica = replicas.get(replicaId);
            endAll(replica == null ? List.of() : replica.lanes(), done);
        });
    }

    /** {@link #stop}, and the replica is forgotten when its engines are gone, unless it was started again meanwhile. */
    public CompletableFuture<Void> remove(String replicaId) {
        return order(done -> {
            Replica replica = replicas.get(replicaId);
            if (replica == null) {
                done.complete(null);
                return;
            }
            CompletableFuture<Void> gone = new CompletableFuture<>();
            gone.thenRun(() -> {
                if (replica.lanes().stream().noneMatch(EngineLane::isActive)) {
                    replicas.remove(replicaId, replica);
                    publish();
                }
                done.complete(null);
            });
            endAll(replica.lanes(), gone);
        });
    }

    /**
     * Stops the replica's engine and starts one by {@code spec} once it is gone: for a host without room for two. Nothing
     * happens when the engine is active with an equal spec. Completes when the old one is gone.
     */
    public CompletableFuture<Void> replace(EngineSpec spec) {
        return replace(spec, false);
    }

    /** {@link #replace}, also of an engine that is active with an equal spec. Not idempotent. */
    public CompletableFuture<Void> restart(EngineSpec spec) {
        return replace(spec, true);
    }

    private CompletableFuture<Void> replace(EngineSpec spec, boolean anew) {
        return order(done -> {
            refuseWhenClosing();
            Replica replica = replicas.computeIfAbsent(spec.replicaId(), id -> new Replica());
            EngineLane lane = replica.current;
            if (lane == null || !lane.isActive()) {
                begin(replica, spec);
                done.complete(null);
            } else if (!anew && lane.wanted && lane.spec.equals(spec)) {
                done.complete(null);
            } else {
                lane.next = spec;
                end(lane).thenRun(() -> done.complete(null));
            }
        });
    }

    /**
     * Starts a second engine beside the replica's: the candidate. It has one attempt; when it ends it is {@code FAILED}
     * and the current one is as it was. Nothing happens when a candidate with an equal spec is active; exceptionally with
     * {@link IllegalStateException} when there is another one.
     */
    public CompletableFuture<Void> runTwo(EngineSpec spec) {
        return order(done -> {
            refuseWhenClosing();
            Replica replica = replicas.computeIfAbsent(spec.replicaId(), id -> new Replica());
            EngineLane lane = replica.candidate;
            if (lane == null || !lane.isActive()) {
                EngineLane current = replica.current;
                EngineLane second =
                        new EngineLane(spec, current == null ? 0 : 1 - current.number, EngineStatus.Role.CANDIDATE);
                replica.candidate = second;
                second.wanted = true;
                launch(second);
            } else if (!lane.wanted || !lane.spec.equals(spec)) {
                throw new IllegalStateException("replica " + spec.replicaId() + " has another candidate already");
            }
            done.complete(null);
        });
    }

    /**
     * Makes the candidate the replica's engine and stops the old one. Completes when the old one is gone, at once when
     * there is no candidate; exceptionally with {@link IllegalStateException} when the candidate is not ready.
     */
    public CompletableFuture<Void> promote(String replicaId) {
        return order(done -> {
            Replica replica = replicas.get(replicaId);
            EngineLane lane = replica == null ? null : replica.candidate;
            if (replica == null || lane == null) {
                done.complete(null);
                return;
            }
            if (lane.state != EngineState.RUNNING) {
                throw new IllegalStateException(
                        "the candidate of replica " + replicaId + " is not ready: " + lane.state);
            }
            EngineLane old = replica.current;
            replica.candidate = null;
            replica.current = lane;
            lane.role = EngineStatus.Role.CURRENT;
            changed(lane);
            if (old == null) {
                done.complete(null);
                return;
            }
            old.role = EngineStatus.Role.RETIRED;
            old.next = null;
            replica.retired.add(old);
            end(old).thenRun(() -> done.complete(null));
        });
    }

    /** Stops the candidate and forgets it. Completes when it is gone, at once when there is none. */
    public CompletableFuture<Void> abandon(String replicaId) {
        return order(done -> {
            Replica replica = replicas.get(replicaId);
            EngineLane lane = replica == null ? null : replica.candidate;
            if (replica == null || lane == null) {
                done.complete(null);
                return;
            }
            replica.candidate = null;
            lane.role = EngineStatus.Role.RETIRED;
            replica.retired.add(lane);
            end(lane).thenRun(() -> done.complete(null));
        });
    }

    /** The engine of start {@code runId} answers and has its model. Any thread; an old or unknown id is ignored. */
    public void ready(long runId) {
        submit(() -> {
            EngineLane lane = find(runId);
            if (lane != null && lane.state == EngineState.STARTING) {
                lane.cancelTimer();
                lane.state = EngineState.RUNNING;
                lane.wasReady = true;
                lane.readyAtMs = nowMs();
                lane.lastError = null;
                changed(lane);
            }
        });
    }

    /**
     * The engine of start {@code runId} runs and does not answer any more: it is stopped and counts as failed. Any thread;
     * an old or unknown id is ignored.
     *
     * @param why one sentence for {@code last_error}
     */
    public void unresponsive(long runId, String why) {
        submit(() -> {
            EngineLane lane = find(runId);
            if (lane != null) {
                giveUpOn(lane, why);
            }
        });
    }

    /** All engines that there are, as of the last change. Any thread. */
    public List<EngineStatus> statuses() {
        return statuses;
    }

    /** Number of the last start so far; what is ordered from now on starts with a higher one. Any thread. */
    public long lastRun() {
        return lastRun;
    }

    /** The last lines of the engine of start {@code runId}, oldest first, empty where it is gone. Any thread. */
    public CompletableFuture<List<String>> logTail(long runId, int max) {
        CompletableFuture<List<String>> out = new CompletableFuture<>();
        if (!submit(() -> {
            EngineLane lane = find(runId);
            EngineProcess process = lane == null ? null : lane.process;
            out.complete(process == null ? List.of() : process.logTail(max));
        })) {
            out.complete(List.of());
        }
        return out;
    }

    /** Stops every engine at once, each with its own grace, and starts no more. Completes when all are gone. */
    public CompletableFuture<Void> shutDown() {
        return order(done -> {
            closing = true;
            List<EngineLane> all = new ArrayList<>();
            for (Replica replica : replicas.values()) {
                all.addAll(replica.lanes());
            }
            endAll(all, done);
        });
    }

    /** From now on engines are ended without their grace, also those that are being ended. Any thread. */
    public void hurry() {
        submit(() -> {
            hurry = true;
            for (Replica replica : replicas.values()) {
                for (EngineLane lane : replica.lanes()) {
                    EngineProcess process = lane.process;
                    if (process != null && lane.state == EngineState.STOPPING) {
                        process.stop(0);
                    }
                }
            }
        });
    }

    /** {@link #shutDown}, waited for: the longest grace and half a minute at most. Not on an event loop. */
    @Override
    public void close() {
        long grace = CLOSE_OVERTIME_MS;
        CompletableFuture<Long> longest = new CompletableFuture<>();
        if (submit(() -> longest.complete(longestGraceMs()))) {
            grace += longest.join();
            try {
                shutDown().get(grace, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException | TimeoutException e) {
                // What is left has a guard, and the guard sees the end of this process.
            }
        }
        thread.shutdown();
    }

    private long longestGraceMs() {
        return replicas.values().stream()
                .flatMap(replica -> replica.lanes().stream())
                .mapToLong(lane -> lane.spec.stopGraceMs())
                .max()
                .orElse(0);
    }

    // ---- on engine-supervisor from here on ----

    private void refuseWhenClosing() {
        if (closing) {
            throw new IllegalStateException("the supervisor is shutting down");
        }
    }

    private void begin(Replica replica, EngineSpec spec) {
        EngineLane old = replica.current;
        EngineLane candidate = replica.candidate;
        int number = old != null ? old.number : candidate != null ? 1 - candidate.number : 0;
        EngineLane lane = new EngineLane(spec, number, EngineStatus.Role.CURRENT);
        if (old != null) {
            lane.runId = old.runId;
            lane.lastExit = old.lastExit;
        }
        replica.current = lane;
        lane.wanted = true;
        launch(lane);
    }

    private void launch(EngineLane lane) {
        lane.cancelTimer();
        lane.restartInMs = 0;
        if (closing) {
            lane.wanted = false;
            stopped(lane);
            return;
        }
        lane.policy.onStart(nowMs());
        lane.runId = ++runs;
        lastRun = lane.runId;
        lane.wasReady = false;
        lane.unresponsive = null;
        long runId = lane.runId;
        EngineSpec spec = lane.spec;
        EngineProcess process;
        try {
            lease(lane);
            EngineCommand command = spec.command().resolve(spec.values(), lane.port);
            Path logs = spec.logDirectory();
            if (logs != null) {
                Files.createDirectories(logs);
            }
            process = EngineProcess.start(
                    guard, command, spec.logsOf(lane.number), spec.stopGraceMs(), () -> driverHint.apply(spec));
        } catch (IOException | RuntimeException e) {
            String message = e.getMessage();
            ended(lane, new ExitReason(ExitKind.CANNOT_START, true, -1, 0, message == null ? e.toString() : message));
            return;
        }
        lane.process = process;
        lane.state = EngineState.STARTING;
        if (spec.startTimeoutMs() > 0) {
            lane.timer = thread.schedule(
                    () -> giveUpOn(lane, "not ready within " + spec.startTimeoutMs() + " ms of its start"),
                    spec.startTimeoutMs(),
                    TimeUnit.MILLISECONDS);
        }
        changed(lane);
        process.started()
                .thenRun(() -> submit(() -> {
                    if (lane.runId == runId && lane.process == process) {
                        changed(lane);
                    }
                }));
        process.exit()
                .thenAccept(reason -> submit(() -> {
                    if (lane.runId == runId && lane.process == process) {
                        ended(lane, reason);
                    }
                }));
    }

    private void lease(EngineLane lane) throws IOException {
        if (lane.port != 0 && !PortLeases.isFree(lane.port)) {
            release(lane);
        }
        if (lane.port == 0) {
            lane.port = ports.lease();
        }
    }

    private void release(EngineLane lane) {
        if (lane.port != 0) {
            ports.release(lane.port);
            lane.port = 0;
        }
    }

    private void ended(EngineLane lane, ExitReason end) {
        lane.cancelTimer();
        lane.process = null;
        if (!lane.wanted) {
            lane.lastExit = end.kind();
            stopped(lane);
            return;
        }
        String why = lane.unresponsive;
        ExitReason reason = why == null ? end : ExitClassifier.unresponsive(end, why);
        lane.lastExit = reason.kind();
        lane.lastError = reason.sentence();
        if (reason.kind() == ExitKind.PORT_IN_USE) {
            // Somebody took it between the check and the engine's bind; the leases go round, so the next is another.
            release(lane);
        }
        long now = nowMs();
        long readyMs = lane.wasReady ? Math.max(1, now - lane.readyAtMs) : 0;
        if (lane.role == EngineStatus.Role.CANDIDATE) {
            failed(lane);
            return;
        }
        RestartPolicy.Decision decision =
                lane.policy.onExit(now, readyMs, reason.kind(), Math.min(jitter.getAsDouble(), Math.nextDown(1.0)));
        if (!decision.restart()) {
            RestartPolicy.Limits limits = lane.policy.limits();
            lane.lastError = "given up after " + limits.stormStarts() + " starts in " + limits.stormWindowMs() / 1000
                    + " s; the last: " + reason.sentence();
            failed(lane);
            return;
        }
        lane.state = EngineState.BACKOFF;
        lane.restartInMs = decision.delayMs();
        lane.timer = thread.schedule(
                () -> {
                    if (lane.state == EngineState.BACKOFF) {
                        lane.restarts++;
                        launch(lane);
                    }
                },
                decision.delayMs(),
                TimeUnit.MILLISECONDS);
        changed(lane);
    }

    private void failed(EngineLane lane) {
        release(lane);
        lane.state = EngineState.FAILED;
        lane.wanted = false;
        changed(lane);
        lane.completeWaiting();
    }

    private void stopped(EngineLane lane) {
        release(lane);
        lane.cancelTimer();
        lane.restartInMs = 0;
        lane.state = EngineState.STOPPED;
        Replica replica = replicas.get(lane.spec.replicaId());
        if (replica != null) {
            replica.retired.remove(lane);
        }
        changed(lane);
        EngineSpec next = lane.next;
        lane.next = null;
        if (replica != null && next != null && replica.current == lane) {
            begin(replica, next);
        }
        lane.completeWaiting();
    }

    private void endAll(List<EngineLane> lanes, CompletableFuture<Void> done) {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (EngineLane lane : lanes) {
            lane.next = null;
            all.add(end(lane));
        }
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).thenRun(() -> done.complete(null));
    }

    /** Ends {@code lane}'s process. The future completes when it is gone. */
    private CompletableFuture<Void> end(EngineLane lane) {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        lane.wanted = false;
        lane.waiting.add(gone);
        EngineProcess process = lane.process;
        if (lane.state == EngineState.STOPPED) {
            lane.completeWaiting();
            return gone;
        }
        if (process == null) {
            stopped(lane);
            return gone;
        }
        if (lane.state != EngineState.STOPPING) {
            lane.cancelTimer();
            lane.state = EngineState.STOPPING;
            process.stop(graceMs(lane));
            changed(lane);
        }
        return gone;
    }

    private long graceMs(EngineLane lane) {
        return hurry ? 0 : lane.spec.stopGraceMs();
    }

    private void giveUpOn(EngineLane lane, String why) {
        EngineProcess process = lane.process;
        if (process == null || (lane.state != EngineState.STARTING && lane.state != EngineState.RUNNING)) {
            return;
        }
        lane.cancelTimer();
        lane.unresponsive = why;
        lane.state = EngineState.STOPPING;
        process.stop(graceMs(lane));
        changed(lane);
    }

    private @Nullable EngineLane find(long runId) {
        for (Replica replica : replicas.values()) {
            for (EngineLane lane : replica.lanes()) {
                if (lane.runId == runId && lane.process != null) {
                    return lane;
                }
            }
        }
        return null;
    }

    private void changed(EngineLane lane) {
        publish();
        try {
            listener.onEngine(lane.status());
        } catch (RuntimeException e) {
            // A listener that fails must not cost an engine its supervision; it knows of its own failure.
        }
    }

    private void publish() {
        List<EngineStatus> all = new ArrayList<>();
        for (Replica replica : replicas.values()) {
            for (EngineLane one : replica.lanes()) {
                all.add(one.status());
            }
        }
        statuses = List.copyOf(all);
    }

    private static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    private interface Order {
        void run(CompletableFuture<Void> done);
    }

    private CompletableFuture<Void> order(Order order) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (!submit(() -> {
            try {
                order.run(done);
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        })) {
            done.completeExceptionally(new IllegalStateException("the supervisor is closed"));
        }
        return done;
    }

    private boolean submit(Runnable task) {
        try {
            thread.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }
}
