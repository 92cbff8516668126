package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Loads by the engine's own API, beside the old model: a Triton repository, a llama-server router, the built-in engine.
 * One replica after the other, so that a failure leaves few to undo. Owned by the control loop.
 */
final class NativeLoader implements ModelLoader {
    private static final int UNLOAD_LIMIT_MS = 30_000;

    private final Pool pool;
    private final Pools pools;
    private final ModelControl control;
    private final EventLoop loop;
    private List<EngineTarget> old = List.of();
    private String newModel = "";

    /** @param pools all pools: a model that another one uses at the same engine is not unloaded */
    NativeLoader(Pool pool, Pools pools, ModelControl control, EventLoop loop) {
        this.pool = pool;
        this.pools = pools;
        this.control = control;
        this.loop = loop;
    }

    @Override
    public Mode mode() {
        return Mode.BESIDE;
    }

    @Override
    public void load(String modelRef, Mode mode, long limitMs, Consumer<Loaded> done) {
        old = pool.replicas().stream().map(Replica::target).toList();
        newModel = Targets.engineModel(modelRef);
        new Load(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs), done).next();
    }

    @Override
    public void restoreOld(long limitMs, Consumer<Loaded> done) {
        done.accept(Loaded.failed("the old model was never gone"));
    }

    @Override
    public void retireOld() {
        for (EngineTarget target : old) {
            if (!target.model().equals(newModel)) {
                unload(target);
            }
        }
    }

    /** Unloads a target's model, but where another pool uses it at the same engine. */
    private void unload(EngineTarget target) {
        for (Pool other : pools.all()) {
            for (Replica replica : other.replicas()) {
                EngineTarget theirs = replica.target();
                if (other != pool
                        && theirs.url().equals(target.url())
                        && theirs.model().equals(target.model())) {
                    return;
                }
            }
        }
        control.unload(target, target.model(), UNLOAD_LIMIT_MS, loop, outcome -> {});
    }

    /** One load over all replicas. */
    private final class Load {
        private final long deadlineNs;
        private final Consumer<Loaded> done;
        private final List<Ready> ready = new ArrayList<>();

        Load(long deadlineNs, Consumer<Loaded> done) {
            this.deadlineNs = deadlineNs;
            this.done = done;
        }

        private int leftMs() {
            return Math.clamp(TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime()), 1, Integer.MAX_VALUE);
        }

        void next() {
            if (ready.size() == old.size()) {
                done.accept(Loaded.of(ready));
                return;
            }
            EngineTarget target = old.get(ready.size()).withModel(newModel);
            control.load(target, newModel, leftMs(), loop, outcome -> {
                if (outcome.result() == ModelControl.Result.DONE) {
                    verify(target);
                } else {
                    undo(target, outcome.message());
                }
            });
        }

        private void verify(EngineTarget target) {
            Verification.begin(pool.adapter(), target, pool.config(), loop, leftMs(), verdict -> {
                ReplicaStatus status = verdict.status();
                if (verdict.problem() == null && status != null) {
                    ready.add(new Ready(target, status, 0));
                    next();
                } else {
                    undo(target, String.valueOf(verdict.problem()));
                }
            });
        }

        /** Takes the new model off again, where it is not the old one by another name. */
        private void undo(EngineTarget failed, @Nullable String why) {
            List<EngineTarget> begun = new ArrayList<>();
            ready.forEach(one -> begun.add(one.target()));
            begun.add(failed);
            for (int i = 0; i < begun.size(); i++) {
                if (!old.get(i).model().equals(newModel)) {
                    unload(begun.get(i));
                }
            }
            done.accept(Loaded.failed("replica " + failed.replicaId() + ": " + why));
        }
    }
}
