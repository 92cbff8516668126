package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.artifacts.ledger.Ledger;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSettings;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.scheduler.ring.RingSettings;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.scheduler.ring.WaitMode;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.pool.PoolControl;
import io.llamaorch.orchestratord.server.pool.Pools;
import io.llamaorch.orchestratord.server.pool.Watches;
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
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Everything about tasks, put together: loops, scheduler, pools, routes. Built and started by one thread; then each
 * part has its own.
 */
public final class TaskPlane {
    private static final int RETRY_MS = 1000;
    private static final int SEAL_WAIT_MS = 50;

    private final LoopContexts loops;
    private final TaskRegistry registry = new TaskRegistry();
    private final Config.Streams streams;
    private final Scheduler<Task> core;
    private final SchedulerBridge bridge;
    private final @Nullable Ledger ledger;
    private final TaskLedger records;
    private final @Nullable TranscriptLog transcripts;
    private final EventLog log;
    private final SchedulerRing<Task> ring;
    private final Pools pools;
    private final Watches watches;
    private final PoolControl control;
    private final TaskRoutes routes;
    private final SessionRoutes sessions;
    private final TaskLifecycle lifecycle;
    private final ArchivedTasks archive;

    /**
     * A plane that is not running.
     *
     * @param eventLoops the loops, each of which will own a share of the tasks
     * @param adapters the adapter of an engine's wire
     * @param engineLoopOf which loop makes the engine calls of the streams of a loop, by index: the same one, unless a
     *     test wants them apart
     * @param transcripts where the streams of tasks that are over go; null: nowhere
     * @param ledger where tasks go on record, open and not started; null: nowhere
     * @param onFatal told when the scheduler dies of a defect
     */
    public TaskPlane(
            Config config,
            List<EventLoop> eventLoops,
            Function<EngineKind, EngineAdapter> adapters,
            IntUnaryOperator engineLoopOf,
            @Nullable Ledger ledger,
            Metrics metrics,
            EventLog log,
            @Nullable TranscriptLog transcripts,
            Consumer<Throwable> onFatal) {
        this.ledger = ledger;
        this.transcripts = transcripts;
        this.log = log;
        this.streams = config.streams();
        pools = new Pools(config.pools(), adapters, metrics);
        List<LoopContext> contexts = new ArrayList<>();
        lifecycle =
                new TaskLifecycle(registry, pools, metrics, log, index -> contexts.get(engineLoopOf.applyAsInt(index)));
        StreamSettings settings = settings(config.streams());
        Queue<TokenSlab> sharedSlabs = SlabPool.newShared();
        Retention retention = new Retention(
                config.streams().retainedBytes(),
                config.streams().retainedTasks(),
                config.streams().retainedMs());
        TranscriptDocument documents =
                new TranscriptDocument(config.transcripts().prompts(), registry);
        archive = new ArchivedTasks(transcripts, config.streams().readerStallMs(), RETRY_MS);
        int count = eventLoops.size();
        for (int i = 0; i < count; i++) {
            StreamLoop streams = new StreamLoop(
                    eventLoops.get(i), settings, lifecycle, sharedSlabs, retention, transcripts, documents);
            contexts.add(new LoopContext(i, streams, lifecycle::messageFailed));
        }
        loops = new LoopContexts(contexts);
        bridge = new SchedulerBridge(contexts, registry, lifecycle, archive);
        core = scheduler(config, bridge);
        ring = new SchedulerRing<>(
                core, ringSettings(config.scheduler()), System::nanoTime, bridge::flush, onFatal, this::onOffer);
        ring.answerFirst(bridge::answeredFromDisk);
        watches = new Watches(pools, number -> loops.get(number % count).eventLoop(), ring, this::tell, metrics, log);
        LoopContext controlLoop = loops.get(0);
        control =
                new PoolControl(config, pools, watches, ring, controlLoop::tell, controlLoop.eventLoop(), metrics, log);
        records = new TaskLedger(ledger, contexts, log);
        lifecycle.connect(ring, watches, records);
        routes = new TaskRoutes(loops, registry, ring, records, pools, metrics, log, archive);
        sessions = new SessionRoutes(loops, ring);
    }

    private static Scheduler<Task> scheduler(Config config, SchedulerBridge bridge) {
        List<PoolSpec> pools = config.pools().stream().map(Config.Pool::spec).toList();
        return new Scheduler<>(settings(config.sessions()), config.accounting(), pools, bridge);
    }

    private static SchedulerSettings settings(Config.Sessions sessions) {
        return SchedulerSettings.DEFAULT.withSessionsMax(sessions.idleMax());
    }

    /** Offers what must not be lost to the ring, on the loop that the caller is on. */
    private void tell(EventLoop loop, BooleanSupplier offer) {
        loops.of(loop).tell(offer);
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

    /** Brings back what the ledger knows, then starts the scheduler, the loops' clocks and the probes. */
    public void start() {
        loops.all().forEach(LoopContext::start);
        if (ledger != null) {
            ledger.start();
            TaskRecovery recovery = new TaskRecovery(loops, registry, core, log, transcripts);
            bridge.countFrom(recovery.recover(ledger, streams.retainedMs(), streams.retainedTasks()));
            bridge.flush();
        }
        ring.start(); // from here on the core is its thread's
        watches.start();
    }

    /** Any thread: the transcript of a task that had left memory is kept no longer, and so is what is on record of it. */
    public void forgetOnRecord(UUID id) {
        records.forget(id);
    }

    /** The data plane's handlers. */
    public TaskRoutes routes() {
        return routes;
    }

    /** The handlers of sessions. */
    public SessionRoutes sessions() {
        return sessions;
    }

    /** The scheduler's ring. */
    public SchedulerRing<Task> ring() {
        return ring;
    }

    /** The tasks that can be asked for. */
    public TaskRegistry registry() {
        return registry;
    }

    /** The loops. */
    public LoopContexts loops() {
        return loops;
    }

    /** The pools. */
    public Pools pools() {
        return pools;
    }

    /** What is known of their replicas. */
    public Watches watches() {
        return watches;
    }

    /** Drains and reloads. */
    public PoolControl control() {
        return control;
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
                boolean queued = stream.dispatch() == null;
                if (!queued || !ring.alive()) { // a scheduler that lives evicts what is queued, once
                    stream.fail(queued ? Ending.Outcome.EVICTED : Ending.Outcome.FAILED, error);
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
        return snapshot.draining() && snapshot.tasksLive() == 0;
    }

    /** Readers of streams. */
    public int openReaders() {
        int readers = archive.openReaders();
        for (LoopContext loop : loops.all()) {
            readers += loop.streams().openReaders();
        }
        return readers;
    }

    /** Stops the probes and the scheduler's thread. */
    public void stop() {
        watches.stop();
        ring.close();
    }
}
