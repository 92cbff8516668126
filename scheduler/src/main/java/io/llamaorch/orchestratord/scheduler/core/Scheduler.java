package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The admission state machine: a task comes in by {@link #admit}, waits in a pool's queue, holds a slot from
 * {@link Effects#dispatched} until {@link #finished}, and is remembered until {@link #forget}.
 *
 * <pre>
 *   admit ──▶ QUEUED ──dispatched──▶ RUNNING ──finished──▶ TERMINAL ──forget──▶ (gone)
 *               └────── evicted, withdraw ──────────────────────▲
 * </pre>
 *
 * <p><b>Thread:</b> one, the scheduler's. <b>Time:</b> each input carries {@code nowNs} of one monotonic clock; a
 * smaller one than before is a broken invariant. <b>Determinism:</b> the same calls yield the same effects.
 * <b>Errors:</b> what can happen in operation is told through {@link Effects}; an {@link IllegalStateException} is a
 * defect, after which this object must not be used again.
 *
 * @param <T> the caller's handle of a task, never looked into
 */
public final class Scheduler<T> {
    /** Differences of free device memory below this decide nothing, bytes: they change from sample to sample. */
    public static final long VRAM_STEP_BYTES = 256L << 20;

    /**
     * Most tasks that one input moves or evicts because their pool drains or serves another model. That many take
     * about 30 µs here (DisplacementBenchmark) and half a millisecond in the daemon, where each is told to its loop.
     */
    static final int SLICE = 64;

    private final SchedulerSettings settings;
    private final Effects<T> effects;
    private final PoolRuntime[] pools;
    private final Map<UUID, TaskEntry> tasks = new HashMap<>();
    private final SessionTable sessions;
    private final Ledger ledger;
    private final Dispatcher<T> dispatcher;

    private boolean started;
    private long lastNowNs;
    private long nextOrdinal;
    private boolean draining;

    /**
     * A scheduler with every replica LOADING until {@link #replicaChanged} says otherwise.
     *
     * @throws IllegalArgumentException if there is no pool, or one that is out of range
     */
    public Scheduler(SchedulerSettings settings, List<PoolSpec> pools, Effects<T> effects) {
        this(settings, Accounting.NONE, pools, effects);
    }

    /**
     * The same where keys and sessions are limited.
     *
     * @throws IllegalArgumentException if there is no pool, or one that is out of range
     */
    public Scheduler(SchedulerSettings settings, Accounting accounting, List<PoolSpec> pools, Effects<T> effects) {
        this(settings, accounting, pools, effects, SLICE);
    }

    /** The same with slices of another size, ≥ 1: for tests, whose queues are short. */
    Scheduler(SchedulerSettings settings, Accounting accounting, List<PoolSpec> pools, Effects<T> effects, int slice) {
        if (pools.isEmpty()) {
            throw new IllegalArgumentException("a scheduler needs at least one pool");
        }
        this.settings = settings;
        this.effects = effects;
        this.pools = new PoolRuntime[pools.size()];
        for (int i = 0; i < this.pools.length; i++) {
            this.pools[i] = new PoolRuntime(i, pools.get(i), settings);
        }
        this.sessions = new SessionTable(settings.sessionsMax(), accounting.sessionTtlNs());
        this.ledger = new Ledger(accounting, sessions, this.pools);
        this.dispatcher = new Dispatcher<>(this.pools, ledger, effects, settings.unreadyRetryMs(), slice);
    }

    /** What a submit is told whose id is another request's, or another owner's. */
    public static ApiError idTaken(TaskSpec spec) {
        return Refusals.idTaken(spec);
    }

    /**
     * A client asks. Exactly one of {@code admitted}, {@code replayed} and {@code refused} follows for {@code handle};
     * {@code admitted} may be followed by {@code dispatched} at once.
     */
    public void admit(long nowNs, TaskSpec spec, T handle) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        TaskEntry known = tasks.get(spec.id());
        if (known != null) {
            if (known.spec.owner().equals(spec.owner()) && known.spec.digest().equals(spec.digest())) {
                effects.replayed(handle, dispatcher.handleOf(known), standing(nowNs, known));
            } else {
                effects.refused(handle, Refusals.idTaken(spec), null);
            }
            return;
        }
        PlacementPolicy.Choice choice = null;
        ApiError refusal = precheck(nowNs, spec);
        if (refusal == null) {
            choice = PlacementPolicy.choosePool(spec, pools, ledger.account(spec.owner()), ledger.session(spec), nowNs);
            if (choice == null) {
                refusal = Refusals.infeasible(nowNs, spec, pools, settings.unreadyRetryMs());
            } else {
                dispatcher.considered(choice.considered());
                refusal = ledger.refusal(spec, choice.pool());
                refusal = refusal != null ? refusal : checkPool(nowNs, spec, choice.pool());
            }
        }
        if (choice == null || refusal != null) {
            ApiError error = refusal != null ? refusal : Refusals.idTaken(spec);
            effects.refused(handle, error, ledger.allowance(spec));
            return;
        }
        enqueue(nowNs, spec, handle, choice);
        dispatcher.pump(nowNs, choice.pool());
    }

    /**
     * A task that was admitted before a restart is back: it is queued behind those that were restored before it, whatever
     * its queue holds and its pool's state is. Exactly one of {@code admitted} and {@code evicted} follows; an evicted one is
     * remembered like any that is over. Comes before the first {@link #admit}, in the order of the admissions.
     *
     * @param poolId where it waited or ran, by name
     * @param waitedNs since its admission, ns, ≥ 0
     * @throws IllegalStateException if the id is known
     */
    public void restore(long nowNs, TaskSpec spec, T handle, String poolId, long waitedNs) {
        tick(nowNs);
        if (tasks.containsKey(spec.id())) {
            throw new IllegalStateException("task " + spec.id() + " is restored twice");
        }
        PlacementPolicy.Choice choice = PlacementPolicy.choosePoolAgain(spec, pools, poolId);
        if (choice == null) {
            remember(nowNs, spec, handle);
            effects.evicted(handle, Refusals.notServedAgain(spec, settings.unreadyRetryMs()));
            return;
        }
        if (waitedNs >= spec.deadlineNs()) {
            remember(nowNs, spec, handle);
            effects.evicted(handle, Refusals.deadlineWhileDown(spec));
            return;
        }
        long deadlineAtNs = later(nowNs, spec.deadlineNs() - waitedNs);
        TaskEntry entry = new TaskEntry(spec, handle, nextOrdinal++, nowNs - waitedNs, deadlineAtNs, choice);
        ledger.open(entry);
        Admission admission = Standing.newcomer(nowNs, entry, ledger.allowance(entry.heldSession()));
        dispatcher.enqueueAgain(entry);
        tasks.put(spec.id(), entry);
        effects.admitted(handle, admission);
        dispatcher.pump(nowNs, choice.pool());
    }

    /**
     * A task that was over before a restart: its id is known until {@link #forget}.
     *
     * @throws IllegalStateException if the id is known
     */
    public void restoreEnded(long nowNs, TaskSpec spec, T handle) {
        tick(nowNs);
        if (tasks.containsKey(spec.id())) {
            throw new IllegalStateException("task " + spec.id() + " is restored twice");
        }
        remember(nowNs, spec, handle);
    }

    private void remember(long nowNs, TaskSpec spec, T handle) {
        PoolRuntime any = pools[0]; // it holds nothing there
        PlacementPolicy.Choice choice = new PlacementPolicy.Choice(any, any.replicas[0], false, "", 0, List.of());
        TaskEntry entry = new TaskEntry(spec, handle, nextOrdinal++, nowNs, nowNs, choice);
        entry.state = TaskEntry.TERMINAL;
        tasks.put(spec.id(), entry);
    }

    private static long later(long nowNs, long spanNs) {
        long thenNs = nowNs + spanNs;
        return thenNs < nowNs ? Long.MAX_VALUE : thenNs;
    }

    /** The owner canceled a task: a queued one leaves its queue without an effect; anything else is left alone. */
    public void withdraw(long nowNs, UUID id) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry != null && entry.state == TaskEntry.QUEUED) {
            dispatcher.leaveQueue(entry);
            dispatcher.pump(nowNs, entry.pool);
        }
    }

    /**
     * A running task decoded its first token. Unknown and terminal tasks are ignored.
     *
     * @param promptTokens as the engine counted them, or −1
     */
    public void firstToken(long nowNs, UUID id, int promptTokens) {
        tick(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry == null || entry.state != TaskEntry.RUNNING || entry.firstTokenSeen) {
            return;
        }
        EtaModel model = entry.pool.forecast.model;
        entry.firstTokenSeen = true;
        entry.firstTokenAtNs = nowNs;
        entry.progressAtNs = nowNs;
        entry.tokensOut = 1;
        if (!entry.isOfCurrentModel()) {
            return;
        }
        if (promptTokens > 0) {
            entry.promptTokens = promptTokens;
            model.observePrompt(entry.spec.promptBytes(), promptTokens);
        }
        double tokens = promptTokens > 0 ? promptTokens : model.promptTokens(entry.spec.promptBytes());
        model.observeFirstToken(nowNs - entry.heldLease().grantedAtNs(), tokens);
    }

    /** A running task has decoded that many tokens so far. Unknown and terminal tasks are ignored. */
    public void progress(long nowNs, UUID id, int tokensOut) {
        tick(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry != null && entry.state == TaskEntry.RUNNING && entry.firstTokenSeen) {
            entry.tokensOut = Math.max(entry.tokensOut, tokensOut);
            entry.progressAtNs = nowNs;
        }
    }

    /**
     * A running task is over: its slot is given back and the next task may start.
     *
     * @param tokensIn prompt tokens as the engine counted them, or −1
     * @param tokensOut tokens decoded, ≥ 0
     * @param decodeMs time from its first token to its end, as its clients are told it, ms, ≥ 0
     * @throws IllegalStateException if the task does not run: leases would not balance
     */
    public void finished(long nowNs, UUID id, Outcome outcome, int tokensIn, int tokensOut, long decodeMs) {
        tick(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry == null || entry.state != TaskEntry.RUNNING) {
            throw new IllegalStateException("finished for task " + id + ", which does not run");
        }
        learn(nowNs, entry, outcome, tokensIn, tokensOut);
        Lease lease = entry.heldLease();
        entry.pool.replicas[lease.replicaIndex()].giveBack(lease.slotIndex(), entry);
        boolean decoded = entry.firstTokenSeen && (outcome == Outcome.COMPLETED || outcome == Outcome.CANCELED);
        entry.heldSession().left(lease, decoded);
        entry.lease = null;
        entry.tokensOut = tokensOut;
        boolean hasRead = tokensOut > 0 || outcome == Outcome.COMPLETED;
        entry.usedTokensIn = tokensIn >= 0 || hasRead ? tokensIn : 0;
        entry.usedTokensOut = tokensOut;
        entry.usedDecodeMs = decodeMs;
        dispatcher.end(entry);
        if (entry.forgetWhenOver) {
            tasks.remove(id);
        }
        dispatcher.expire(nowNs);
        dispatcher.pump(nowNs, entry.pool);
    }

    /**
     * A running task failed before its first token, in a way that another replica might not: its slot is given back.
     * {@code dispatched} follows, at once or later, or {@code retryRefused}, after which the task is over.
     *
     * @throws IllegalStateException if the task does not run: leases would not balance
     */
    public void retry(long nowNs, UUID id) {
        tick(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry == null || entry.state != TaskEntry.RUNNING) {
            throw new IllegalStateException("retry for task " + id + ", which does not run");
        }
        PoolRuntime pool = entry.pool; // it may move
        dispatcher.retry(nowNs, entry);
        if (entry.forgetWhenOver) {
            tasks.remove(id);
        }
        dispatcher.expire(nowNs);
        dispatcher.pump(nowNs, pool);
    }

    /** Asks how a task stands. {@code answered} follows, but for an unknown id: that has no handle to answer to. */
    public void query(long nowNs, UUID id) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry != null) {
            effects.answered(dispatcher.handleOf(entry), standing(nowNs, entry));
        }
    }

    /**
     * Drops a terminal task: its id is free again. An unknown id is ignored. A task that was dispatched while its owner's
     * withdrawal was on its way is dropped once its lease has come back.
     *
     * @throws IllegalStateException if the task is queued or running
     */
    public void forget(long nowNs, UUID id) {
        tick(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry == null) {
            return;
        }
        switch (entry.state) {
            case TaskEntry.TERMINAL -> tasks.remove(id);
            case TaskEntry.RUNNING -> entry.forgetWhenOver = true;
            default -> throw new IllegalStateException("forget for task " + id + ", which is queued");
        }
    }

    /**
     * A probe found a replica so. Tasks that run on it are their owners' to finish; queued tasks wait.
     *
     * @param version of the engine, empty where unknown
     * @param slots decodes at once, 0 where the engine did not say; never more than configured
     * @param ctx context of one slot, tokens, 0 for the pool's; a larger one than the pool's counts as the pool's
     */
    public void replicaChanged(
            long nowNs, int poolIndex, int replicaIndex, ReplicaState state, String version, int slots, int ctx) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        PoolRuntime pool = pools[poolIndex];
        ReplicaRuntime replica = pool.replicas[replicaIndex];
        if (replica.ready() && state != ReplicaState.READY) {
            replica.epoch++;
        }
        replica.state = state;
        replica.version = version;
        replica.resize(slots <= 0 ? replica.spec.slots() : Math.min(slots, replica.spec.slots()));
        replica.ctx = ctx <= 0 ? pool.spec.ctx() : Math.min(ctx, pool.spec.ctx());
        pool.refreshStrictVersion();
        pool.forecast.invalidate();
        dispatcher.pump(nowNs, pool);
    }

    /** Telemetry found that much device memory free for a replica; −1 where unknown. Breaks ties of placement. */
    public void replicaVram(long nowNs, int poolIndex, int replicaIndex, long freeBytes) {
        tick(nowNs);
        pools[poolIndex].replicas[replicaIndex].freeVram(freeBytes);
    }

    /**
     * Starts or ends the drain of one pool. While it drains it admits and starts nothing; what is queued moves to another
     * pool that would take it, or is evicted, by and by: see {@link #hasLeavers}. Where the drain ends before that, the
     * rest stays. Running tasks go on.
     */
    public void drainPool(long nowNs, int poolIndex, boolean drain) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        PoolRuntime pool = pools[poolIndex];
        pool.drain(drain);
        displaceFirst(nowNs, pool);
    }

    private void displaceFirst(long nowNs, PoolRuntime pool) {
        dispatcher.displaceAside(nowNs, pool);
        dispatcher.displaceSome(nowNs);
        dispatcher.pumpAll(nowNs);
    }

    /**
     * Tells the owner of each task that runs in a pool to stop it, with one error.
     *
     * @param belowGeneration only tasks that were placed on an earlier model than this, see {@link Dispatch#generation};
     *     {@link Integer#MAX_VALUE}: all
     */
    public void abortPool(long nowNs, int poolIndex, int belowGeneration, ApiError error) {
        tick(nowNs);
        for (ReplicaRuntime replica : pools[poolIndex].replicas) {
            for (int slot = 0; slot < replica.slotIndexEnd(); slot++) {
                TaskEntry holder = replica.holder(slot);
                if (holder != null && holder.generation < belowGeneration) {
                    dispatcher.abort(holder, error);
                }
            }
        }
    }

    /**
     * A pool begins to load another model; {@link #endReload} follows. Beside the old one, that one serves on meanwhile;
     * instead of it ({@code pause}), nothing starts, tasks for the new model wait, and tasks for the old one are refused.
     *
     * @param model the new one; may be the old one's name again
     * @param expectedMs how long it is thought to take, for those who are told to come back, ms
     * @throws IllegalStateException if the pool is loading one already
     */
    public void beginReload(long nowNs, int poolIndex, String model, boolean pause, long expectedMs) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        PoolRuntime pool = pools[poolIndex];
        if (pool.incoming != null) {
            throw new IllegalStateException("pool " + pool.spec.id() + " is loading " + pool.incoming + " already");
        }
        pool.beginReload(model, pause, nowNs + Math.multiplyExact(expectedMs, 1_000_000));
    }

    /**
     * The end of a reload: the pool serves the new model from now on, or the old one as before. Queued tasks for a model
     * that it does not serve have lost their place, and move to another pool or are evicted, by and by: see
     * {@link #hasLeavers}.
     *
     * @throws IllegalStateException if no reload is under way
     */
    public void endReload(long nowNs, int poolIndex, boolean committed) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        PoolRuntime pool = pools[poolIndex];
        if (pool.incoming == null) {
            throw new IllegalStateException("pool " + pool.spec.id() + " is loading no model");
        }
        pool.endReload(committed);
        displaceFirst(nowNs, pool);
    }

    /** The daemon is stopping: every admission is refused from now on; queued and running tasks go on. */
    public void beginDrain(long nowNs) {
        tick(nowNs);
        draining = true;
    }

    /** Evicts every queued task with one error, pool by pool in the order in which they would have started. */
    public void evictAll(long nowNs, ApiError error) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        for (PoolRuntime pool : pools) {
            dispatcher.evictQueued(pool, error);
        }
    }

    /** Whether queued tasks have to leave their pools still: then {@link #advance} is to be called again soon. */
    public boolean hasLeavers() {
        return dispatcher.hasLeavers();
    }

    /** Moves time: tasks whose deadline has passed are evicted or aborted; a few of those that have to leave do so. */
    public void advance(long nowNs) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        if (dispatcher.hasLeavers()) {
            dispatcher.displaceSome(nowNs);
        }
    }

    /** After a defect, the one call that is left: somebody waits whose admission was never looked at. */
    public void refuse(T handle, ApiError error) {
        effects.refused(handle, error, null);
    }

    // ---- sessions and budgets ----

    /**
     * How a session stands.
     *
     * @param all whether who asks may see those of other keys
     * @return null where there is none that it may see
     */
    public @Nullable SessionInfo session(long nowNs, String owner, boolean all, UUID id) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        return ledger.info(owner, all, id, pools);
    }

    /**
     * Ends a session: it is unknown from now on, and its budget with it. Its open tasks go on; who asked cancels them.
     *
     * @param all whether who asks may end those of other keys
     * @return the open tasks; null where there is no session that it may end
     */
    public @Nullable List<T> endSession(long nowNs, String owner, boolean all, UUID id) {
        tick(nowNs);
        dispatcher.expire(nowNs);
        List<TaskEntry> open = ledger.end(owner, all, id);
        if (open == null) {
            return null;
        }
        List<T> handles = new ArrayList<>(open.size());
        for (TaskEntry entry : open) {
            handles.add(dispatcher.handleOf(entry));
        }
        return handles;
    }

    /** Other limits and budgets of keys; what was used and is reserved stays. Prices and the times of sessions stay too. */
    public void changeAccounting(long nowNs, Accounting accounting) {
        tick(nowNs);
        ledger.change(accounting);
    }

    /** The ledger: every figure of a key or a session that is not 0. */
    public List<BudgetBalance> budgetSnapshot(long nowNs) {
        tick(nowNs);
        return ledger.balances();
    }

    /** What a key or a session had used before a restart; what was reserved is not looked at: its tasks are gone. */
    public void restoreBudget(long nowNs, BudgetBalance balance) {
        tick(nowNs);
        ledger.restore(balance);
    }

    private Admission standing(long nowNs, TaskEntry entry) {
        Session session = entry.session; // null for one that was over before a restart
        return Standing.of(nowNs, entry, session != null ? ledger.allowance(session) : ledger.allowance(entry.spec));
    }

    /** The figures of this moment; changes nothing that a later event could see. */
    public SchedulerSnapshot snapshot() {
        SchedulerSnapshot.Pool[] views = new SchedulerSnapshot.Pool[pools.length];
        for (int i = 0; i < views.length; i++) {
            views[i] = pools[i].snapshot(lastNowNs, draining);
        }
        return new SchedulerSnapshot(
                lastNowNs,
                draining,
                tasks.size(),
                dispatcher.live(),
                dispatcher.lastConsidered(),
                new SchedulerSnapshot.Sessions(sessions.size(), sessions.expired(), sessions.evicted()),
                List.of(views));
    }

    /** What an open task has reserved; for tests in this package. */
    Reservation reservation(UUID id) {
        return ledger.reservationOf(known(id));
    }

    /** Tokens that the prompt of a task was thought to have; for tests in this package. */
    int promptEstimate(UUID id) {
        return known(id).promptEstimate;
    }

    private TaskEntry known(UUID id) {
        TaskEntry entry = tasks.get(id);
        if (entry == null) {
            throw new IllegalStateException("task " + id + " is not known");
        }
        return entry;
    }

    /** What a pool thinks of its future; for tests and benchmarks in this package. */
    PoolForecast forecast(int poolIndex) {
        return pools[poolIndex].forecast;
    }

    private void tick(long nowNs) {
        if (started && nowNs < lastNowNs) {
            throw new IllegalStateException("time ran backwards by " + (lastNowNs - nowNs) + " ns");
        }
        started = true;
        lastNowNs = nowNs;
        ledger.tick(nowNs);
    }

    private @Nullable ApiError precheck(long nowNs, TaskSpec spec) {
        if (draining) {
            return Refusals.daemonDraining(settings.unreadyRetryMs());
        }
        if (spec.deadlineNs() < 1) {
            return Refusals.deadlineNotPositive(spec);
        }
        if (tasks.size() >= settings.tasksMax()) {
            return Refusals.tableFull(settings.tasksMax(), settings.unreadyRetryMs());
        }
        return pinningRefused(spec) ? Refusals.infeasible(nowNs, spec, pools, settings.unreadyRetryMs()) : null;
    }

    /** Whether a request pins a pool that exists and may not be pinned; an unknown one is infeasible by itself. */
    private boolean pinningRefused(TaskSpec spec) {
        String pinned = spec.placement().pinPoolId();
        if (pinned == null || spec.placement().mode() != PlacementMode.PIN) {
            return false;
        }
        for (PoolRuntime pool : pools) {
            if (pool.spec.id().equals(pinned)) {
                return !pool.spec.allowPinning();
            }
        }
        return false;
    }

    /** What the chosen pool has against a task: its deadline, or no room. */
    private @Nullable ApiError checkPool(long nowNs, TaskSpec spec, PoolRuntime pool) {
        PoolForecast forecast = pool.forecast;
        boolean isInteractive = spec.priority() == Priority.INTERACTIVE;
        if (!pool.accepts(isInteractive)) {
            return Refusals.queueFull(spec, pool, forecast.retryAfterMs(nowNs));
        }
        long position = pool.newcomerPosition(isInteractive, ledger.account(spec.owner()));
        if (soonestEndNs(nowNs, spec, forecast, position) <= spec.deadlineNs()) {
            return null;
        }
        double start = forecast.startNs(nowNs, position, 0.5);
        double end = start + forecast.model.serviceNs(spec.promptBytes(), spec.maxTokens(), 0.5);
        return Refusals.deadlineInfeasible(spec, pool, Standing.toMs(start), Standing.toMs(end));
    }

    /** When the task would end if things went unusually well; while little was measured, far better than thought. */
    private double soonestEndNs(long nowNs, TaskSpec spec, PoolForecast forecast, long position) {
        EtaModel model = forecast.model;
        if (model.samples() < settings.etaSamplesMin()) {
            return (model.firstTokenNs(spec.promptBytes()) + model.nsPerToken()) / settings.priorDoubt();
        }
        return forecast.startNs(nowNs, position, 0.05) + model.serviceNs(spec.promptBytes(), spec.maxTokens(), 0.05);
    }

    private void enqueue(long nowNs, TaskSpec spec, T handle, PlacementPolicy.Choice choice) {
        PoolRuntime pool = choice.pool();
        dispatcher.makeRoom(nowNs, pool, spec.priority() == Priority.INTERACTIVE);
        long deadlineAtNs = later(nowNs, spec.deadlineNs());
        TaskEntry entry = new TaskEntry(spec, handle, nextOrdinal++, nowNs, deadlineAtNs, choice);
        ledger.open(entry);
        Admission admission = Standing.newcomer(nowNs, entry, ledger.allowance(entry.heldSession()));
        dispatcher.enqueue(entry);
        tasks.put(spec.id(), entry);
        effects.admitted(handle, admission);
    }

    private void learn(long nowNs, TaskEntry entry, Outcome outcome, int tokensIn, int tokensOut) {
        EtaModel model = entry.pool.forecast.model;
        long grantedAtNs = entry.heldLease().grantedAtNs();
        model.observeDeparture(nowNs);
        if (outcome != Outcome.COMPLETED || !entry.isOfCurrentModel()) {
            return;
        }
        if (tokensIn > 0 && entry.promptTokens < 0) {
            model.observePrompt(entry.spec.promptBytes(), tokensIn);
        }
        if (!entry.firstTokenSeen) {
            double tokens = tokensIn > 0 ? tokensIn : model.promptTokens(entry.spec.promptBytes());
            model.observeFirstToken(nowNs - grantedAtNs, tokens);
        }
        long decodedNs = entry.firstTokenSeen ? nowNs - entry.firstTokenAtNs : 0;
        model.observeEnd(tokensOut, entry.spec.maxTokens(), decodedNs, nowNs - grantedAtNs);
    }
}
