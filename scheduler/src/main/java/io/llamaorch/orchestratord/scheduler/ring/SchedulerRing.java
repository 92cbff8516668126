package io.llamaorch.orchestratord.scheduler.ring;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.InsufficientCapacityException;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.TimeoutException;
import com.lmax.disruptor.WaitStrategy;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.Accounting;
import io.llamaorch.orchestratord.scheduler.core.BudgetBalance;
import io.llamaorch.orchestratord.scheduler.core.Outcome;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.scheduler.core.SessionInfo;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import java.util.List;
import java.util.UUID;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The one way to the core: a bounded multi-producer ring of preallocated events, and the thread that applies them.
 *
 * <pre>
 *   producers  any thread                offerX()
 *   consumer   scheduler-0               Scheduler.x(nowNs, …), then Scheduler.advance(nowNs), then onBatchEnd
 *   ordering   offers of one thread keep their order; what it wrote before an offer is visible to the core
 *   full       offerX() returns false, nothing happened; offerAdmit() does so already when less than a quarter is free
 *   time       read once per batch, and at least each tick while idle
 *   leavers    while tasks have to leave their pools batches are short, and nothing is waited for: each is followed by an
 *              advance, which takes a few of them out
 *   failure    an exception out of the core or a hook stops the thread, is told to onFatal once, and every offer
 *              returns false from then on; events already in the ring are lost with the core
 *   close      applies what was offered before it, then ends the thread
 * </pre>
 *
 * <p>The quarter kept for control events is checked before the claim, so producers that race may each pass it once:
 * the reserve can be short by as many events as there are producers.
 *
 * @param <T> the caller's handle of a task
 */
public final class SchedulerRing<T> implements AutoCloseable {
    private static final long UNPUBLISHED_WAIT_NS = 100_000_000;
    /** Most events between two slices of those who leave a pool, so that neither waits long for the other. */
    private static final int BATCH_BESIDE_LEAVERS = 64;

    private final Scheduler<T> core;
    private final RingSettings settings;
    private final WaitStrategy waitStrategy;
    private final @Nullable Runnable onOffer;
    private final LongSupplier clock;
    private final Runnable onBatchEnd;
    private final Consumer<Throwable> onFatal;
    private final RingBuffer<SchedulerEvent<T>> ring;
    private final SequenceBarrier barrier;
    private final Sequence consumed = new Sequence();
    private final Thread thread;
    private final int reserve;

    private volatile SchedulerSnapshot snapshot;
    private volatile boolean closing;
    private volatile boolean dead;
    private volatile long turnAtNs;

    private BiPredicate<TaskSpec, T> answerFirst = (spec, handle) -> false;

    /** Owned by the scheduler's thread. */
    private long snapshotAtNs;

    /**
     * A ring that is not running yet; it takes offers already.
     *
     * @param core handed over: nobody else may touch it from {@link #start} on
     * @param clock monotonic, ns; called on the scheduler's thread, by {@link #start} and by {@link #overdueNs}
     * @param onBatchEnd called on the scheduler's thread after each batch and each idle tick
     * @param onFatal told at most once, on the scheduler's thread, why it stops
     */
    public SchedulerRing(
            Scheduler<T> core,
            RingSettings settings,
            LongSupplier clock,
            Runnable onBatchEnd,
            Consumer<Throwable> onFatal) {
        this(core, settings, clock, onBatchEnd, onFatal, null);
    }

    /**
     * The same, with a say in when the scheduler's thread is woken.
     *
     * @param onOffer called after each offer that was taken, on the offering thread; {@link #wake} must follow soon, or
     *     what was offered waits for the next tick; null: woken at once
     */
    public SchedulerRing(
            Scheduler<T> core,
            RingSettings settings,
            LongSupplier clock,
            Runnable onBatchEnd,
            Consumer<Throwable> onFatal,
            @Nullable Runnable onOffer) {
        this.onOffer = onOffer;
        this.core = core;
        this.settings = settings;
        this.clock = clock;
        this.onBatchEnd = onBatchEnd;
        this.onFatal = onFatal;
        this.waitStrategy = waitStrategy(settings);
        this.ring = RingBuffer.createMultiProducer(SchedulerEvent::new, settings.size(), waitStrategy);
        this.barrier = ring.newBarrier();
        ring.addGatingSequences(consumed);
        this.reserve = settings.size() / 4;
        this.snapshot = core.snapshot();
        this.thread = new Thread(this::run, "scheduler-0");
        thread.setDaemon(true);
    }

    private static WaitStrategy waitStrategy(RingSettings settings) {
        return switch (settings.waitMode()) {
            case PARKING -> new ParkingWait(settings.tickNs());
            case YIELDING -> new TickingSpinWait(true, settings.tickNs());
            case BUSY_SPIN -> new TickingSpinWait(false, settings.tickNs());
        };
    }

    /**
     * Says who answers for tasks that the core has forgotten; before {@link #start}.
     *
     * @param elsewhere asked on the scheduler's thread before each admission; true: it has answered, and the core is not
     *     asked. What was published before an offer of {@code forget} is visible to it for every admission behind that
     */
    public void answerFirst(BiPredicate<TaskSpec, T> elsewhere) {
        answerFirst = elsewhere;
    }

    /** Starts the thread; once. */
    public void start() {
        turnAtNs = clock.getAsLong();
        thread.start();
    }

    /** Offers {@link Scheduler#admit}; false also when less than a quarter of the ring is free. */
    public boolean offerAdmit(TaskSpec spec, T handle) {
        if (ring.remainingCapacity() < reserve) {
            return false;
        }
        SchedulerEvent<T> event = claim(SchedulerEvent.ADMIT);
        if (event == null) {
            return false;
        }
        event.spec = spec;
        event.handle = handle;
        return publish(event);
    }

    /** Offers {@link Scheduler#withdraw}. */
    public boolean offerWithdraw(UUID id) {
        return offer(SchedulerEvent.WITHDRAW, id, 0, 0);
    }

    /** Offers {@link Scheduler#firstToken}. */
    public boolean offerFirstToken(UUID id, int promptTokens) {
        return offer(SchedulerEvent.FIRST_TOKEN, id, promptTokens, 0);
    }

    /** Offers {@link Scheduler#progress}. */
    public boolean offerProgress(UUID id, int tokensOut) {
        return offer(SchedulerEvent.PROGRESS, id, tokensOut, 0);
    }

    /** Offers {@link Scheduler#finished}. A refused one must be offered again: the slot stays leased until it is in. */
    public boolean offerFinished(UUID id, Outcome outcome, int tokensIn, int tokensOut, long decodeMs) {
        SchedulerEvent<T> event = claim(SchedulerEvent.FINISHED);
        if (event == null) {
            return false;
        }
        event.id = id;
        event.outcome = outcome;
        event.a = tokensIn;
        event.b = tokensOut;
        event.e = decodeMs;
        return publish(event);
    }

    /** Offers {@link Scheduler#query}. */
    public boolean offerQuery(UUID id) {
        return offer(SchedulerEvent.QUERY, id, 0, 0);
    }

    /** Offers {@link Scheduler#forget}. */
    public boolean offerForget(UUID id) {
        return offer(SchedulerEvent.FORGET, id, 0, 0);
    }

    /** Offers {@link Scheduler#replicaChanged}. */
    public boolean offerReplicaChanged(
            int poolIndex, int replicaIndex, ReplicaState state, String version, int slots, int ctx) {
        SchedulerEvent<T> event = claim(SchedulerEvent.REPLICA_CHANGED);
        if (event == null) {
            return false;
        }
        event.state = state;
        event.text = version;
        event.a = poolIndex;
        event.b = replicaIndex;
        event.c = slots;
        event.d = ctx;
        return publish(event);
    }

    /** Offers {@link Scheduler#beginDrain}. */
    public boolean offerBeginDrain() {
        return offer(SchedulerEvent.BEGIN_DRAIN, null, 0, 0);
    }

    /** Offers {@link Scheduler#drainPool}. */
    public boolean offerDrainPool(int poolIndex, boolean drain) {
        return offer(SchedulerEvent.DRAIN_POOL, null, poolIndex, drain ? 1 : 0);
    }

    /** Offers {@link Scheduler#evictAll}. */
    public boolean offerEvictAll(ApiError error) {
        return offer(SchedulerEvent.EVICT_ALL, 0, 0, error);
    }

    /** Offers {@link Scheduler#retry}. A refused one must be offered again: the slot stays leased until it is in. */
    public boolean offerRetry(UUID id) {
        return offer(SchedulerEvent.RETRY, id, 0, 0);
    }

    /** Offers {@link Scheduler#abortPool}. */
    public boolean offerAbortPool(int poolIndex, int belowGeneration, ApiError error) {
        return offer(SchedulerEvent.ABORT_POOL, poolIndex, belowGeneration, error);
    }

    /** Offers {@link Scheduler#beginReload}. */
    public boolean offerBeginReload(int poolIndex, String model, boolean pause, long expectedMs) {
        SchedulerEvent<T> event = claim(SchedulerEvent.BEGIN_RELOAD);
        if (event == null) {
            return false;
        }
        event.a = poolIndex;
        event.b = pause ? 1 : 0;
        event.e = expectedMs;
        event.text = model;
        return publish(event);
    }

    /** Offers {@link Scheduler#endReload}. */
    public boolean offerEndReload(int poolIndex, boolean committed) {
        return offer(SchedulerEvent.END_RELOAD, null, poolIndex, committed ? 1 : 0);
    }

    /** Offers {@link Scheduler#replicaVram}. */
    public boolean offerReplicaVram(int poolIndex, int replicaIndex, long freeBytes) {
        SchedulerEvent<T> event = claim(SchedulerEvent.REPLICA_VRAM);
        if (event == null) {
            return false;
        }
        event.a = poolIndex;
        event.b = replicaIndex;
        event.e = freeBytes;
        return publish(event);
    }

    /**
     * Offers a step that tells nothing to the core: it shows that the scheduler's thread still takes what it is given.
     *
     * @param probe called on that thread, after all that was offered before; must not throw or wait
     */
    public boolean offerProbe(Runnable probe) {
        return offerAsk((scheduler, nowNs) -> probe.run());
    }

    /**
     * Offers {@link Scheduler#session}.
     *
     * @param reply told on the scheduler's thread: it hands the answer on and returns, and must not throw
     */
    public boolean offerSession(String owner, boolean all, UUID id, Consumer<@Nullable SessionInfo> reply) {
        return offerAsk((scheduler, nowNs) -> reply.accept(scheduler.session(nowNs, owner, all, id)));
    }

    /** Offers {@link Scheduler#endSession}; {@code reply} as in {@link #offerSession}. */
    public boolean offerEndSession(String owner, boolean all, UUID id, Consumer<@Nullable List<T>> reply) {
        return offerAsk((scheduler, nowNs) -> reply.accept(scheduler.endSession(nowNs, owner, all, id)));
    }

    /** Offers {@link Scheduler#budgetSnapshot}; {@code reply} as in {@link #offerSession}. */
    public boolean offerBudgetSnapshot(Consumer<List<BudgetBalance>> reply) {
        return offerAsk((scheduler, nowNs) -> reply.accept(scheduler.budgetSnapshot(nowNs)));
    }

    /** Offers {@link Scheduler#restoreBudget}. */
    public boolean offerRestoreBudget(BudgetBalance balance) {
        return offerAsk((scheduler, nowNs) -> scheduler.restoreBudget(nowNs, balance));
    }

    /** Offers {@link Scheduler#changeAccounting}. */
    public boolean offerChangeAccounting(Accounting accounting) {
        return offerAsk((scheduler, nowNs) -> scheduler.changeAccounting(nowNs, accounting));
    }

    private boolean offerAsk(ObjLongConsumer<Scheduler<T>> ask) {
        SchedulerEvent<T> event = claim(SchedulerEvent.ASK);
        if (event == null) {
            return false;
        }
        event.ask = ask;
        return publish(event);
    }

    /** The last published figures, at most {@code snapshotNs} and a tick old while the thread runs. Any thread. */
    public SchedulerSnapshot snapshot() {
        return snapshot;
    }

    /** Events offered and not yet applied. Any thread; a moment's figure. */
    public int occupancy() {
        return settings.size() - (int) ring.remainingCapacity();
    }

    /** Events that the ring holds. */
    public int size() {
        return settings.size();
    }

    /**
     * How late the thread is for its next look at the ring, ns: 0 or less while it is in time, whatever it does. By the
     * clock of the constructor, which must be one that any thread may read. Not meaningful before {@link #start}.
     */
    public long overdueNs() {
        return clock.getAsLong() - turnAtNs - settings.tickNs();
    }

    /** What the thread does now; empty where it does not run. Any thread. */
    public StackTraceElement[] stackTrace() {
        return thread.getStackTrace();
    }

    /** Whether offers can still have an effect. */
    public boolean alive() {
        return !dead && !closing;
    }

    /**
     * Ends the thread after it has applied what was offered before, and waits for it. Offers return false from now on.
     * Not to be called on the scheduler's thread.
     */
    @Override
    public void close() {
        closing = true;
        barrier.alert();
        wake();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        dead = true;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean offer(byte kind, @Nullable UUID id, int a, int b) {
        SchedulerEvent<T> event = claim(kind);
        if (event == null) {
            return false;
        }
        event.id = id;
        event.a = a;
        event.b = b;
        return publish(event);
    }

    private boolean offer(byte kind, int poolIndex, int b, ApiError error) {
        SchedulerEvent<T> event = claim(kind);
        if (event == null) {
            return false;
        }
        event.a = poolIndex;
        event.b = b;
        event.error = error;
        return publish(event);
    }

    /** The event to fill in and {@link #publish}, or null where the ring is full or nobody reads it any more. */
    private @Nullable SchedulerEvent<T> claim(byte kind) {
        if (dead || closing) {
            return null;
        }
        try {
            long sequence = ring.tryNext();
            SchedulerEvent<T> event = ring.get(sequence);
            event.sequence = sequence;
            event.kind = kind;
            return event;
        } catch (InsufficientCapacityException e) {
            return null; // preallocated and without a stack trace
        }
    }

    /** Hands a claimed event over. */
    private boolean publish(SchedulerEvent<T> event) {
        ring.publish(event.sequence);
        if (onOffer == null) {
            wake();
        } else {
            onOffer.run();
        }
        return true;
    }

    private void run() {
        Throwable cause = null;
        try {
            loop();
        } catch (Throwable e) {
            cause = e;
        }
        dead = true;
        if (cause != null) {
            refuseUnread();
            onFatal.accept(cause);
        }
    }

    /** Who waits for an answer to an admission that nobody will read gets one. */
    private void refuseUnread() {
        ApiError error =
                ApiError.of(ErrorCode.INTERNAL, "The scheduler has stopped by a defect; the daemon is going down.");
        long cursor = ring.getCursor();
        long patientUntilNs = System.nanoTime() + UNPUBLISHED_WAIT_NS;
        for (long next = consumed.get() + 1; next <= cursor; next++) {
            while (!ring.isAvailable(next) && System.nanoTime() < patientUntilNs) {
                Thread.onSpinWait(); // claimed before the end, and about to be published
            }
            SchedulerEvent<T> event = ring.get(next);
            T handle = event.handle;
            if (ring.isAvailable(next) && event.kind == SchedulerEvent.ADMIT && handle != null) {
                core.refuse(handle, error);
            }
            event.clear();
        }
        onBatchEnd.run();
    }

    private void loop() {
        long next = consumed.get() + 1;
        while (true) {
            boolean last = closing;
            long available = core.hasLeavers() ? published(next, BATCH_BESIDE_LEAVERS) : await(next);
            long nowNs = clock.getAsLong();
            turnAtNs = nowNs;
            while (next <= available) {
                SchedulerEvent<T> event = ring.get(next);
                if (!isAnswered(event)) {
                    event.applyTo(core, nowNs);
                }
                event.clear();
                next++;
            }
            consumed.set(available);
            core.advance(nowNs);
            publishSnapshot(nowNs);
            onBatchEnd.run();
            if (last && available >= ring.getCursor()) {
                return;
            }
        }
    }

    private boolean isAnswered(SchedulerEvent<T> event) {
        TaskSpec spec = event.spec;
        T handle = event.handle;
        return event.kind == SchedulerEvent.ADMIT && spec != null && handle != null && answerFirst.test(spec, handle);
    }

    /** The last event that can be applied, or the one before {@code next} where a tick passed without any. */
    private long await(long next) {
        try {
            return Math.max(next - 1, barrier.waitFor(next));
        } catch (TimeoutException | AlertException e) {
            return published(next, Integer.MAX_VALUE);
        } catch (InterruptedException e) {
            throw new IllegalStateException("the scheduler's thread was interrupted", e);
        }
    }

    /** The last of up to {@code most} events that can be applied now, or the one before {@code next}. */
    private long published(long next, int most) {
        long end = Math.min(ring.getCursor(), next - 1L + most);
        long available = next - 1;
        while (available < end && ring.isAvailable(available + 1)) {
            available++;
        }
        return available;
    }

    /** Any thread: what was offered before is applied soon. */
    public void wake() {
        if (waitStrategy instanceof ParkingWait parking) {
            parking.wake();
        }
    }

    private void publishSnapshot(long nowNs) {
        if (nowNs - snapshotAtNs >= settings.snapshotNs() || snapshotAtNs == 0) {
            snapshotAtNs = nowNs;
            snapshot = core.snapshot();
        }
    }
}
