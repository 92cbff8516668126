package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Drains and reloads: one at a time for each pool, each with a deadline.
 *
 * <p><b>Owner thread:</b> the control loop, one of the event loops. The public methods may be called on any thread, and
 * answer on the control loop.
 */
public final class PoolControl {
    private static final long LOOK_MS = 20;
    private static final long PUBLISHED_NS = TimeUnit.MILLISECONDS.toNanos(500);

    /**
     * What came of a request.
     *
     * @param value what was done, null where it was not
     * @param error why not, null where it was
     */
    public record Answer<V>(@Nullable V value, @Nullable ApiError error) {
        static <V> Answer<V> of(V value) {
            return new Answer<>(value, null);
        }

        static <V> Answer<V> refused(ApiError error) {
            return new Answer<>(null, error);
        }
    }

    /**
     * A drain that has begun.
     *
     * @param inFlight tasks that ran in the pool
     * @param moved queued tasks that went to other pools
     * @param evicted queued tasks that no other pool took
     */
    public record Drain(int inFlight, int moved, int evicted) {}

    private final SchedulerRing<?> ring;
    private final Consumer<BooleanSupplier> tell;
    private final EventLoop loop;
    private final Metrics metrics;
    private final EventLog log;
    private final Fleet fleet;
    private final List<PoolState> pools = new ArrayList<>();

    /**
     * What is under way in one pool.
     *
     * @param incoming the model that is being loaded, null while none is
     * @param leaving a model that is not the pool's any more and on which tasks still run, null while none is
     * @param returning a model that is the pool's and is not there yet, because another one was loaded in its place and
     *     failed; null while none is
     * @param untilNs when {@code leaving} or {@code returning} is over at the latest, {@link System#nanoTime}
     */
    public record Standing(
            @Nullable String incoming, @Nullable String leaving, @Nullable String returning, long untilNs) {
        static final Standing NOTHING = new Standing(null, null, null, 0);

        static Standing incoming(String model) {
            return new Standing(model, null, null, 0);
        }

        static Standing leaving(String model, long limitMs) {
            return new Standing(null, model, null, untilNs(limitMs));
        }

        static Standing returning(String model, long limitMs) {
            return new Standing(null, null, model, untilNs(limitMs));
        }

        private static long untilNs(long limitMs) {
            return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        }

        /** How long that may take still, ms, ≥ 0. */
        public long leftMs() {
            return Math.max(0, TimeUnit.NANOSECONDS.toMillis(untilNs - System.nanoTime()));
        }
    }

    /** What the control loop keeps of one pool. */
    static final class PoolState {
        final Pool pool;
        final List<ReplicaWatch> watches;
        final @Nullable ModelLoader loader;
        boolean draining;
        /** Whether the figures of the last drain are awaited. */
        boolean answering;
        /** Written by the control loop, read by any thread. */
        volatile Standing standing = Standing.NOTHING;
        /** Distinguishes one drain from the next. */
        int drain;
        /** How long the last reload took, ms; 0 before the first. */
        long lastReloadMs;
        /** The least time that a load in the place of the old model took, ms; 0 before the first. */
        long leastLoadMs;

        PoolState(Pool pool, List<ReplicaWatch> watches, @Nullable ModelLoader loader) {
            this.pool = pool;
            this.watches = watches;
            this.loader = loader;
        }
    }

    /**
     * Nothing under way.
     *
     * @param tell offers to the ring what must not be lost; called on the control loop
     * @param loop the control loop
     */
    public PoolControl(
            Config config,
            Pools pools,
            Watches watches,
            SchedulerRing<?> ring,
            Consumer<BooleanSupplier> tell,
            EventLoop loop,
            Metrics metrics,
            EventLog log) {
        this.ring = ring;
        this.tell = tell;
        this.loop = loop;
        this.metrics = metrics;
        this.log = log;
        this.fleet = new Fleet(config, pools, watches, loop, metrics, log);
        watches.alsoTell(fleet::onView);
        for (Pool pool : pools.all()) {
            this.pools.add(new PoolState(pool, watches.of(pool), loader(pool, pools)));
        }
    }

    /** Told of each engine that the daemon starts, on the control loop; set before {@link #startEngines}. */
    public void onEngineStarted(BiConsumer<Integer, Integer> listener) {
        fleet.onStarted(listener::accept);
    }

    /** Starts the engines that are the daemon's to start. Blocks; not on an event loop. */
    public void startEngines() throws IOException {
        fleet.start();
    }

    /** Ends them. Blocks; not on an event loop. */
    public void stopEngines() {
        fleet.close();
    }

    /** Any thread: those that are being ended, or will be, get no grace any more. */
    public void hurryEngines() {
        fleet.hurry();
    }

    /** How a pool gets another model; null where it can't. */
    private @Nullable ModelLoader loader(Pool pool, Pools all) {
        if (pool.config().process() != null) {
            return new ProcessLoader(pool, fleet, loop);
        }
        ModelControl control = pool.adapter().modelControl();
        return control == null ? null : new NativeLoader(pool, all, control, loop);
    }

    EventLoop loop() {
        return loop;
    }

    Metrics metrics() {
        return metrics;
    }

    EventLog log() {
        return log;
    }

    /** Offers to the scheduler what must not be lost. */
    void tell(BooleanSupplier offer) {
        tell.accept(offer);
    }

    SchedulerRing<?> ring() {
        return ring;
    }

    SchedulerSnapshot.Pool snapshot(Pool pool) {
        return ring.snapshot().pools().get(pool.index());
    }

    /** What is under way in a pool; any thread. */
    public Standing standing(Pool pool) {
        return pools.get(pool.index()).standing;
    }

    // ---- drain ----

    /**
     * Drains a pool: nothing more starts there, what is queued goes elsewhere or gets an answer, what runs may end until
     * the deadline.
     */
    public void drain(int poolIndex, long deadlineMs, Consumer<Answer<Drain>> done) {
        loop.execute(() -> {
            PoolState state = pools.get(poolIndex);
            if (state.answering) { // that of a drain which was undone: the scheduler keeps the figures of one
                loop.schedule(() -> drain(poolIndex, deadlineMs, done), LOOK_MS, TimeUnit.MILLISECONDS);
                return;
            }
            ApiError busy = drainRefused(state);
            if (busy != null) {
                done.accept(Answer.refused(busy));
                return;
            }
            state.draining = true;
            state.answering = true;
            int round = ++state.drain;
            tell(() -> ring.offerDrainPool(poolIndex, true));
            metrics.drains(state.pool.config().id()).inc();
            log.poolChanged(state.pool.config().id(), "draining", "asked to, within " + deadlineMs + " ms");
            long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(deadlineMs);
            answerDrain(state, done);
            loop.schedule(() -> watchDrain(state, round, deadlineNs), LOOK_MS, TimeUnit.MILLISECONDS);
        });
    }

    /** The figures are the scheduler's: they are there when everybody has left who had to. */
    private void answerDrain(PoolState state, Consumer<Answer<Drain>> done) {
        SchedulerSnapshot.Drain drain = snapshot(state.pool).lastDrain();
        boolean over = drain.number() >= state.drain && drain.left() == 0;
        if (over || !ring.alive()) {
            state.answering = false;
            done.accept(Answer.of(new Drain(drain.inFlight(), drain.moved(), drain.evicted())));
        } else {
            loop.schedule(() -> answerDrain(state, done), 1, TimeUnit.MILLISECONDS);
        }
    }

    private void watchDrain(PoolState state, int round, long deadlineNs) {
        if (!state.draining || state.drain != round) {
            return;
        }
        String id = state.pool.config().id();
        SchedulerSnapshot.Pool now = snapshot(state.pool);
        if (now.draining() && now.leases() == 0) {
            log.poolChanged(id, "drained", null);
            return;
        }
        if (System.nanoTime() - deadlineNs >= 0) {
            tell(() -> ring.offerAbortPool(state.pool.index(), Integer.MAX_VALUE, drained(state.pool)));
            log.poolChanged(id, "drained", "the deadline ended " + now.leases() + " tasks");
            return;
        }
        loop.schedule(() -> watchDrain(state, round, deadlineNs), LOOK_MS, TimeUnit.MILLISECONDS);
    }

    static ApiError drained(Pool pool) {
        return ApiError.of(
                        ErrorCode.WORKER_RESET,
                        "pool " + pool.config().id() + " was drained before the task ended; submit it again")
                .at(pool.config().engine().wireName(), pool.config().id());
    }

    /** Ends a drain; does nothing where none is under way. */
    public void undrain(int poolIndex, Runnable done) {
        loop.execute(() -> {
            PoolState state = pools.get(poolIndex);
            if (state.draining) {
                state.draining = false;
                tell(() -> ring.offerDrainPool(poolIndex, false));
                log.poolChanged(state.pool.config().id(), "undrained", "asked to");
            }
            answerUndrain(state, System.nanoTime() + PUBLISHED_NS, done);
        });
    }

    /** Who hears of it and looks finds it so. */
    private void answerUndrain(PoolState state, long untilNs, Runnable done) {
        boolean waits = !state.draining
                && snapshot(state.pool).draining()
                && !ring.snapshot().draining();
        if (waits && ring.alive() && System.nanoTime() - untilNs < 0) {
            loop.schedule(() -> answerUndrain(state, untilNs, done), 1, TimeUnit.MILLISECONDS);
        } else {
            done.run();
        }
    }

    // ---- reload ----

    /** Gives a pool another model, or the same anew: answered when it serves that, or when it is as it was. */
    public void reload(int poolIndex, String modelRef, long deadlineMs, Consumer<Answer<Reload.Done>> done) {
        loop.execute(() -> {
            PoolState state = pools.get(poolIndex);
            if (state.standing.leaving() != null && snapshot(state.pool).leasesBefore() == 0) {
                // The last task on the old model has ended, and its engine is about to be let go.
                loop.schedule(() -> reload(poolIndex, modelRef, deadlineMs, done), LOOK_MS, TimeUnit.MILLISECONDS);
                return;
            }
            ApiError busy = reloadRefused(state);
            if (busy != null) {
                done.accept(Answer.refused(busy));
                return;
            }
            ModelLoader loader = state.loader;
            if (loader == null) {
                done.accept(Answer.refused(conflict(
                        state.pool,
                        "is provisioned from outside and its engine loads no models by itself: start it with the new"
                                + " model there, or let the daemon start it (provisioning: process)")));
                return;
            }
            if (state.pool.config().process() != null && !fleet.isStarted()) {
                done.accept(Answer.refused(conflict(state.pool, "has not been started yet; try again in a moment")));
                return;
            }
            new Reload(this, state, loader, modelRef, deadlineMs, done).begin();
        });
    }

    /** Tasks that run out on an old model, and a model that comes back, do not stand in a drain's way. */
    private static @Nullable ApiError drainRefused(PoolState state) {
        if (state.draining) {
            return conflict(state.pool, "is draining; undrain it first");
        }
        String incoming = state.standing.incoming();
        return incoming == null
                ? null
                : conflict(state.pool, "is being reloaded with " + incoming + "; wait for the answer to that");
    }

    private @Nullable ApiError reloadRefused(PoolState state) {
        ApiError refused = drainRefused(state);
        Standing standing = state.standing;
        if (refused != null || (standing.leaving() == null && standing.returning() == null)) {
            return refused;
        }
        if (standing.leaving() != null) {
            return conflict(
                    state.pool,
                    "waits for the tasks that still run on " + standing.leaving() + " ("
                            + snapshot(state.pool).leasesBefore() + ")" + ", for " + standing.leftMs()
                            + " ms at most; drain the pool to end them sooner");
        }
        return conflict(
                state.pool,
                "waits for " + standing.returning() + ", which comes back after a reload that failed, for "
                        + standing.leftMs() + " ms at most; its health tells when it is there");
    }

    static ApiError conflict(Pool pool, String what) {
        return ApiError.of(ErrorCode.CONFLICT, "pool " + pool.config().id() + " " + what)
                .at(pool.config().engine().wireName(), pool.config().id());
    }
}
