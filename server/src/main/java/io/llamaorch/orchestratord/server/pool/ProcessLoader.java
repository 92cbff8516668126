package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.process.EngineSpec;
import io.llamaorch.orchestratord.adapters.process.EngineStatus;
import io.llamaorch.orchestratord.server.config.Config;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Loads by starting engines: beside those that run, as candidates that take their place, or in their place. Owned by the
 * control loop.
 */
final class ProcessLoader implements ModelLoader {
    private final Pool pool;
    private final Fleet fleet;
    private final EventLoop loop;
    private Mode lastMode = Mode.INSTEAD;

    ProcessLoader(Pool pool, Fleet fleet, EventLoop loop) {
        this.pool = pool;
        this.fleet = fleet;
        this.loop = loop;
    }

    @Override
    public Mode mode() {
        return pool.config().reload().mode() == Config.ReloadMode.BLUE_GREEN ? Mode.BESIDE : Mode.INSTEAD;
    }

    @Override
    public void load(String modelRef, Mode mode, long limitMs, Consumer<Loaded> done) {
        lastMode = mode;
        new Load(modelRef, mode, limitMs, done).begin();
    }

    @Override
    public void restoreOld(long limitMs, Consumer<Loaded> done) {
        new Load(pool.replicas().get(0).modelRef(), Mode.INSTEAD, limitMs, done).begin();
    }

    @Override
    public long leastStartMs() {
        long least = Long.MAX_VALUE;
        for (Replica replica : pool.replicas()) {
            long tookMs = fleet.startMs(replica);
            least = tookMs > 0 ? Math.min(least, tookMs) : least;
        }
        return least == Long.MAX_VALUE ? 0 : least;
    }

    @Override
    public void retireOld() {
        if (lastMode == Mode.BESIDE) {
            pool.replicas().forEach(fleet::promote);
        }
    }

    /** One load on all replicas at once. */
    private final class Load {
        private final String modelRef;
        private final Mode mode;
        private final long deadlineNs;
        private final Map<String, Replica> replicas = new HashMap<>();
        private final Map<String, Attempt> attempts = new HashMap<>();
        private final Map<Integer, Ready> ready = new HashMap<>();
        private final Consumer<EngineStatus> follower = this::onStatus;
        private @Nullable Consumer<Loaded> done;
        private @Nullable ScheduledFuture<?> limit;
        private long startedAfter;

        /** One process that is being verified; {@code end} ends that. */
        private record Attempt(long run, Consumer<String> end) {}

        Load(String modelRef, Mode mode, long limitMs, Consumer<Loaded> done) {
            this.modelRef = modelRef;
            this.mode = mode;
            this.deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
            this.done = done;
        }

        private long leftMs() {
            return Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime()));
        }

        void begin() {
            startedAfter = fleet.supervisor().lastRun();
            fleet.follow(follower);
            limit = loop.schedule(() -> end(Loaded.failed(tooLate())), leftMs(), TimeUnit.MILLISECONDS);
            for (Replica replica : pool.replicas()) {
                replicas.put(Fleet.name(replica), replica);
            }
            for (Replica replica : pool.replicas()) {
                EngineSpec spec = fleet.spec(replica, modelRef);
                if (mode == Mode.INSTEAD) {
                    fleet.claim(replica);
                }
                CompletableFuture<Void> ordered = mode == Mode.BESIDE
                        ? fleet.supervisor().runTwo(spec)
                        : fleet.supervisor().restart(spec);
                ordered.exceptionally(failure -> {
                    loop.execute(() -> fail(replica, failure.getMessage()));
                    return null;
                });
            }
        }

        private String tooLate() {
            StringBuilder waiting = new StringBuilder();
            for (Replica replica : pool.replicas()) {
                if (!ready.containsKey(replica.index())) {
                    waiting.append(waiting.isEmpty() ? "" : ", ").append(replica.id());
                }
            }
            return "the deadline came before these replicas were ready: " + waiting;
        }

        private void onStatus(EngineStatus status) {
            Replica replica = replicas.get(status.replicaId());
            EngineStatus.Role role = mode == Mode.BESIDE ? EngineStatus.Role.CANDIDATE : EngineStatus.Role.CURRENT;
            if (done == null || replica == null || status.role() != role || status.runId() <= startedAfter) {
                return;
            }
            Attempt known = attempts.get(status.replicaId());
            switch (status.state()) {
                case STARTING -> {
                    if (known == null && status.port() > 0) {
                        verify(replica, status);
                    }
                }
                // Stopped as asked: it was started anew by itself before the order came, and another one follows.
                case STOPPED -> forget(replica);
                case BACKOFF, FAILED -> fail(replica, status.lastError());
                case STOPPING, RUNNING -> {}
            }
        }

        private void forget(Replica replica) {
            ready.remove(replica.index());
            Attempt attempt = attempts.remove(Fleet.name(replica));
            if (attempt != null) {
                attempt.end().accept("it was stopped");
            }
        }

        private void verify(Replica replica, EngineStatus status) {
            EngineTarget target = Fleet.target(replica, status.port(), modelRef);
            Consumer<String> end =
                    Verification.begin(pool.adapter(), target, pool.config(), loop, leftMs(), verdict -> {
                        Attempt attempt = attempts.get(Fleet.name(replica));
                        if (done != null && attempt != null && attempt.run() == status.runId()) {
                            onVerdict(replica, target, status.runId(), verdict);
                        }
                    });
            attempts.put(Fleet.name(replica), new Attempt(status.runId(), end));
        }

        private void onVerdict(Replica replica, EngineTarget target, long run, Verification.Verdict verdict) {
            ReplicaStatus found = verdict.status();
            if (verdict.problem() != null || found == null) {
                fail(replica, verdict.problem());
                return;
            }
            fleet.supervisor().ready(run);
            ready.put(replica.index(), new Ready(target, found, run));
            if (ready.size() == pool.replicas().size()) {
                end(Loaded.of(inOrder()));
            }
        }

        private List<Ready> inOrder() {
            List<Ready> all = new ArrayList<>();
            for (int i = 0; i < ready.size(); i++) {
                Ready one = ready.get(i);
                if (one != null) {
                    all.add(one);
                }
            }
            return all;
        }

        private void fail(Replica replica, @Nullable String why) {
            end(Loaded.failed("replica " + replica.id() + ": " + (why == null ? "its engine was stopped" : why)));
        }

        private void end(Loaded loaded) {
            Consumer<Loaded> waitingFor = done;
            ScheduledFuture<?> timer = limit;
            if (waitingFor == null) {
                return;
            }
            done = null;
            fleet.unfollow(follower);
            if (timer != null) {
                timer.cancel(false);
            }
            attempts.values().forEach(attempt -> attempt.end().accept("the load is over"));
            for (Replica replica : pool.replicas()) {
                Ready one = ready.get(replica.index());
                if (loaded.problem() == null && one != null) {
                    fleet.adopt(replica, one.run(), mode);
                } else if (mode == Mode.INSTEAD) {
                    fleet.release(replica);
                } else {
                    fleet.supervisor().abandon(Fleet.name(replica));
                }
            }
            waitingFor.accept(loaded);
        }
    }
}
