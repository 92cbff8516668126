package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSettings;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.scheduler.ring.RingSettings;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.scheduler.ring.WaitMode;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.sse.Ending;
import io.llamaorch.orchestratord.server.sse.Retention;
import io.llamaorch.orchestratord.server.sse.SlabPool;
import io.llamaorch.orchestratord.server.sse.StreamLoop;
import io.llamaorch.orchestratord.server.sse.StreamSettings;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import io.llamaorch.orchestratord.server.sse.TokenSlab;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Everything about tasks, put together: loops, scheduler, probers, routes. Built and started by one thread; then each
 * part has its own.
 */
public final class TaskPlane {
    private static final int RETRY_MS = 1000;
    private static final int SEAL_WAIT_MS = 50;

    private final LoopContexts loops;
    private final TaskRegistry registry = new TaskRegistry();
    private final SchedulerRing<Task> ring;
    private final List<List<ReplicaProber>> probers = new ArrayList<>();
    private final TaskRoutes routes;
    private final TaskLifecycle lifecycle;
    private final EventLog log;

    /**
     * A plane that is not running.
     *
     * @param eventLoops the loops, each of which will own a share of the tasks
     * @param adapters the adapter of a pool
     * @param engineLoopOf which loop makes the engine calls of the streams of a loop, by index: the same one, unless a
     *     test wants them apart
     * @param onFatal told when the scheduler dies of a defect
     */
    public TaskPlane(
            Config config,
            List<EventLoop> eventLoops,
            Function<Config.Pool, EngineAdapter> adapters,
            IntUnaryOperator engineLoopOf,
            Metrics metrics,
            EventLog log,
            Consumer<Throwable> onFatal) {
        this.log = log;
        Pools pools = new Pools(config.pools(), adapters, metrics);
        List<LoopContext> contexts = new ArrayList<>();
        lifecycle = new TaskLifecycle(
                registry,
                pools,
                metrics,
                log,
                index -> contexts.get(engineLoopOf.applyAsInt(index)),
                (pool, replica) -> probers.get(pool).get(replica).suspect());
        StreamSettings settings = settings(config.streams());
        Queue<TokenSlab> sharedSlabs = SlabPool.newShared();
        Retention retention = new Retention(
                config.streams().retainedBytes(),
                config.streams().retainedTasks(),
                config.streams().retainedMs());
        int count = eventLoops.size();
        for (int i = 0; i < count; i++) {
            StreamLoop streams = new StreamLoop(eventLoops.get(i), settings, lifecycle, sharedSlabs, retention);
            contexts.add(new LoopContext(i, streams, lifecycle::messageFailed));
        }
        loops = new LoopContexts(contexts);
        SchedulerBridge bridge = new SchedulerBridge(contexts, registry, lifecycle);
        Scheduler<Task> scheduler = new Scheduler<>(
                SchedulerSettings.DEFAULT,
                config.pools().stream().map(Config.Pool::spec).toList(),
                bridge);
        ring = new SchedulerRing<>(
                scheduler, ringSettings(config.scheduler()), System::nanoTime, bridge::flush, onFatal, this::onOffer);
        lifecycle.connect(ring);
        for (int p = 0; p < pools.all().size(); p++) {
            probers.add(probersOf(p, pools.all().get(p)));
        }
        routes = new TaskRoutes(loops, registry, ring, pools, metrics, log);
    }

    private List<ReplicaProber> probersOf(int poolIndex, Pools.Pool pool) {
        List<ReplicaProber> all = new ArrayList<>();
        for (int r = 0; r < pool.replicas().size(); r++) {
            int replicaIndex = r;
            LoopContext loop = loops.get((poolIndex + r) % loops.all().size());
            all.add(new ReplicaProber(
                    pool.adapter(),
                    pool.replicas().get(r).target(),
                    loop.eventLoop(),
                    (before, now) -> onProbed(loop, poolIndex, replicaIndex, pool, before, now)));
        }
        return all;
    }

    private void onProbed(
            LoopContext loop,
            int poolIndex,
            int replicaIndex,
            Pools.Pool pool,
            @Nullable ReplicaStatus before,
            ReplicaStatus now) {
        if (before == null || before.state() != now.state()) {
            log.replicaChanged(
                    pool.config().id(),
                    pool.replicas().get(replicaIndex).target().replicaId(),
                    before == null ? null : before.state(),
                    now);
        }
        if (now.equals(before)) {
            return;
        }
        String version = now.engineVersion();
        loop.tell(() -> ring.offerReplicaChanged(
                poolIndex,
                replicaIndex,
                ReplicaState.valueOf(now.state().name()),
                version == null ? "" : version,
                now.slots(),
                now.ctx()));
    }

    private static StreamSettings settings(Config.Streams streams) {
        return new StreamSettings(
                streams.heartbeatMs(),
                streams.metricsPeriodMs(),
                streams.readerStallMs(),
                streams.readerLagBytes(),
                streams.disconnectGraceMs().interactive(),
                streams.disconnectGraceMs().batch(),
                RETRY_MS,
                SEAL_WAIT_MS,
                streams.tokenQueueSlabs());
    }

    private static RingSettings ringSettings(Config.Scheduler scheduler) {
        return new RingSettings(
                scheduler.ringSize(),
                waitMode(scheduler.waitStrategy()),
                scheduler.tickMs() * 1_000_000L,
                RingSettings.DEFAULT.snapshotNs());
    }

    private static WaitMode waitMode(Config.WaitStrategy strategy) {
        return switch (strategy) {
            case PARKING -> WaitMode.PARKING;
            case YIELDING -> WaitMode.YIELDING;
            case BUSY_SPIN -> WaitMode.BUSY_SPIN;
        };
    }

    /** An event loop wakes the scheduler once for all that it offers in a turn; any other thread at once. */
    private void onOffer() {
        LoopContext loop = LoopContext.current();
        if (loop == null) {
            ring.wake();
        } else {
            loop.wakeAtEndOfTurn(ring);
        }
    }

    /** Starts the scheduler, the loops' clocks and the probes. */
    public void start() {
        ring.start();
        loops.all().forEach(LoopContext::start);
        probers.forEach(pool -> pool.forEach(ReplicaProber::start));
    }

    /** The data plane's handlers. */
    public TaskRoutes routes() {
        return routes;
    }

    /** The scheduler's ring. */
    public SchedulerRing<Task> ring() {
        return ring;
    }

    /** The loops. */
    public LoopContexts loops() {
        return loops;
    }

    /** Why a replica is not ready; null where it is, or has not been asked yet. */
    public @Nullable String lastError(int poolIndex, int replicaIndex) {
        ReplicaStatus last = probers.get(poolIndex).get(replicaIndex).last();
        return last == null ? null : last.lastError();
    }

    /** No new tasks from now on; those that are in go on. */
    public void beginDrain() {
        LoopContext any = loops.get(0);
        any.run(() -> any.tell(ring::offerBeginDrain));
    }

    /** Ends every task that is not over, with that error. */
    public void failAll(ApiError error) {
        lifecycle.failWhatComes(error); // first: a dispatch may be on its way to its loop
        LoopContext any = loops.get(0);
        any.run(() -> any.tell(() -> ring.offerEvictAll(error)));
        for (Task task : registry.all()) {
            TaskStream stream = task.stream();
            task.home().run(() -> {
                if (stream.dispatch() != null) {
                    stream.fail(Ending.Outcome.FAILED, error);
                }
            });
        }
    }

    /** Tasks that are not over, as the scheduler last published. */
    public long openTasks() {
        return ring.snapshot().tasksLive();
    }

    /** Whether a drain has begun, as the scheduler published, and no task is open since. */
    public boolean drained() {
        SchedulerSnapshot snapshot = ring.snapshot();
        return (snapshot.draining() || !ring.alive()) && snapshot.tasksLive() == 0;
    }

    /** Readers of streams. */
    public int openReaders() {
        int readers = 0;
        for (LoopContext loop : loops.all()) {
            readers += loop.streams().openReaders();
        }
        return readers;
    }

    /** Stops the probes and the scheduler's thread. */
    public void stop() {
        probers.forEach(pool -> pool.forEach(ReplicaProber::stop));
        ring.close();
    }
}
