package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.process.EngineSpec;
import io.llamaorch.orchestratord.adapters.process.EngineState;
import io.llamaorch.orchestratord.adapters.process.EngineStatus;
import io.llamaorch.orchestratord.server.config.Config;
import io.netty.channel.EventLoop;
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
    private static final long RESTORE_LIMIT_MS = 600_000;

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
        new Load(modelRef, mode, limitMs, loaded -> {
                    if (loaded.problem() != null && mode == Mode.BESIDE) {
                        pool.replicas().forEach(replica -> fleet.supervisor().abandon(Fleet.name(replica)));
                    }
                    done.accept(loaded);
                })
                .begin();
    }

    @Override
    public void restoreOld(Consumer<Loaded> done) {
        new Load(pool.replicas().get(0).modelRef(), Mode.INSTEAD, RESTORE_LIMIT_MS, done).begin();
    }

    @Override
    public void retireOld() {
        if (lastMode == Mode.BESIDE) {
            pool.replicas().forEach(replica -> fleet.supervisor().promote(Fleet.name(replica)));
        }
    }

    /** One load on all replicas at once. */
    private final class Load {
        private final String modelRef;
        private final Mode mode;
        private final long deadlineNs;
        private final Map<String, Replica> waiting = new HashMap<>();
        private final Map<Integer, Ready> ready = new HashMap<>();
        private final Map<String, Long> runs = new HashMap<>();
        private final Consumer<EngineStatus> follower = this::onStatus;
        private @Nullable Consumer<Loaded> done;

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
            fleet.follow(follower);
            loop.schedule(() -> end(Loaded.failed("not started in time")), leftMs(), TimeUnit.MILLISECONDS);
            for (Replica replica : pool.replicas()) {
                waiting.put(Fleet.name(replica), replica);
            }
            for (Replica replica : pool.replicas()) {
                EngineSpec spec = fleet.spec(replica, modelRef);
                CompletableFuture<Void> ordered = mode == Mode.BESIDE
                        ? fleet.supervisor().runTwo(spec)
                        : fleet.supervisor().replace(spec);
                ordered.exceptionally(failure -> {
                    loop.execute(() -> end(Loaded.failed("replica " + replica.id() + ": " + failure.getMessage())));
                    return null;
                });
            }
        }

        private void onStatus(EngineStatus status) {
            Replica replica = waiting.get(status.replicaId());
            EngineStatus.Role role = mode == Mode.BESIDE ? EngineStatus.Role.CANDIDATE : EngineStatus.Role.CURRENT;
            if (done == null || replica == null || status.role() != role) {
                return;
            }
            Long known = runs.get(status.replicaId());
            if (status.state() == EngineState.STARTING && status.port() > 0 && known == null) {
                runs.put(status.replicaId(), status.runId());
                verify(replica, status);
            } else if (known != null && known == status.runId() && isOver(status.state())) {
                end(Loaded.failed("replica " + replica.id() + ": " + status.lastError()));
            }
        }

        private static boolean isOver(EngineState state) {
            return state == EngineState.BACKOFF || state == EngineState.FAILED || state == EngineState.STOPPED;
        }

        private void verify(Replica replica, EngineStatus status) {
            EngineTarget target = Fleet.target(replica, status.port(), modelRef);
            Verification.begin(pool.adapter(), target, pool.config(), loop, leftMs(), verdict -> {
                ReplicaStatus found = verdict.status();
                if (verdict.problem() != null || found == null) {
                    end(Loaded.failed("replica " + replica.id() + ": " + verdict.problem()));
                    return;
                }
                fleet.supervisor().ready(status.runId());
                ready.put(replica.index(), new Ready(target, found));
                if (ready.size() == pool.replicas().size()) {
                    pool.replicas().forEach(one -> fleet.adopt(one, runs.getOrDefault(Fleet.name(one), 0L)));
                    end(Loaded.of(inOrder()));
                }
            });
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

        private void end(Loaded loaded) {
            Consumer<Loaded> waitingFor = done;
            done = null;
            fleet.unfollow(follower);
            if (waitingFor != null) {
                waitingFor.accept(loaded);
            }
        }
    }
}
