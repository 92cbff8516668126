package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.ArrayList;
import java.util.Collections;
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
    private final SchedulerSettings settings;
    private final Effects<T> effects;
    private final PoolRuntime[] pools;
    private final Map<UUID, TaskEntry> tasks = new HashMap<>();
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private final SessionTable sessions;

    private boolean started;
    private long lastNowNs;
    private long nextOrdinal;
    private long live;
    private boolean draining;
    private int lastConsidered;

    /**
     * A scheduler with every replica LOADING until {@link #replicaChanged} says otherwise.
     *
     * @throws IllegalArgumentException if there is no pool, or one that is out of range
     */
    public Scheduler(SchedulerSettings settings, List<PoolSpec> pools, Effects<T> effects) {
        if (pools.isEmpty()) {
            throw new IllegalArgumentException("a scheduler needs at least one pool");
        }
        this.settings = settings;
        this.effects = effects;
        this.pools = new PoolRuntime[pools.size()];
        for (int i = 0; i < this.pools.length; i++) {
            this.pools[i] = new PoolRuntime(i, pools.get(i), settings);
        }
        this.sessions = new SessionTable(settings.sessionsMax());
    }

    /**
     * A client asks. Exactly one of {@code admitted}, {@code replayed} and {@code refused} follows for {@code handle};
     * {@code admitted} may be followed by {@code dispatched} at once.
     */
    public void admit(long nowNs, TaskSpec spec, T handle) {
        tick(nowNs);
        expire(nowNs);
        TaskEntry known = tasks.get(spec.id());
        if (known != null) {
            if (known.spec.owner().equals(spec.owner()) && known.spec.digest().equals(spec.digest())) {
                effects.replayed(handle, handleOf(known), standing(nowNs, known));
            } else {
                effects.refused(handle, Refusals.idTaken(spec));
            }
            return;
        }
        PlacementPolicy.Choice choice = null;
        ApiError refusal = precheck(spec);
        if (refusal == null) {
            choice = PlacementPolicy.choosePool(spec, pools, sessions.find(spec.sessionId()), nowNs);
            if (choice == null) {
                refusal = Refusals.infeasible(spec, pools, settings.unreadyRetryMs());
            } else {
                lastConsidered = choice.considered();
                refusal = checkPool(nowNs, spec, choice.pool());
            }
        }
        if (choice == null || refusal != null) {
            effects.refused(handle, refusal != null ? refusal : Refusals.idTaken(spec));
            return;
        }
        enqueue(nowNs, spec, handle, choice);
        pump(nowNs, choice.pool());
    }

    /** The owner canceled a task: a queued one leaves its queue without an effect; anything else is left alone. */
    public void withdraw(long nowNs, UUID id) {
        tick(nowNs);
        expire(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry != null && entry.state == TaskEntry.QUEUED) {
            leaveQueue(entry);
            pump(nowNs, entry.pool);
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
     * @throws IllegalStateException if the task does not run: leases would not balance
     */
    public void finished(long nowNs, UUID id, Outcome outcome, int tokensIn, int tokensOut) {
        tick(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry == null || entry.state != TaskEntry.RUNNING) {
            throw new IllegalStateException("finished for task " + id + ", which does not run");
        }
        learn(nowNs, entry, outcome, tokensIn, tokensOut);
        Lease lease = entry.heldLease();
        entry.pool.replicas[lease.replicaIndex()].giveBack(lease.slotIndex(), entry);
        boolean decoded = entry.firstTokenSeen && (outcome == Outcome.COMPLETED || outcome == Outcome.CANCELED);
        sessions.ended(entry.spec.sessionId(), entry.pool.index, lease.replicaIndex(), decoded);
        entry.lease = null;
        entry.tokensOut = tokensOut;
        end(entry);
        if (entry.forgetWhenOver) {
            tasks.remove(id);
        }
        expire(nowNs);
        pump(nowNs, entry.pool);
    }

    /** Asks how a task stands. {@code answered} follows, but for an unknown id: that has no handle to answer to. */
    public void query(long nowNs, UUID id) {
        tick(nowNs);
        expire(nowNs);
        TaskEntry entry = tasks.get(id);
        if (entry != null) {
            effects.answered(handleOf(entry), standing(nowNs, entry));
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
        expire(nowNs);
        PoolRuntime pool = pools[poolIndex];
        ReplicaRuntime replica = pool.replicas[replicaIndex];
        if (replica.ready() && state != ReplicaState.READY) {
            replica.epoch++;
        }
        replica.state = state;
        replica.version = version;
        replica.resize(slots <= 0 ? replica.spec.slots() : Math.min(slots, replica.spec.slots()));
        replica.ctx = ctx <= 0 ? pool.spec.ctx() : Math.min(ctx, pool.spec.ctx());
        pool.forecast.invalidate();
        pump(nowNs, pool);
    }

    /** Starts or ends the drain of one pool: while it drains it admits nothing; queued and running tasks go on. */
    public void drainPool(long nowNs, int poolIndex, boolean drain) {
        tick(nowNs);
        pools[poolIndex].draining = drain;
    }

    /** The daemon is stopping: every admission is refused from now on; queued and running tasks go on. */
    public void beginDrain(long nowNs) {
        tick(nowNs);
        draining = true;
    }

    /** Evicts every queued task with one error, pool by pool in the order in which they would have started. */
    public void evictAll(long nowNs, ApiError error) {
        tick(nowNs);
        expire(nowNs);
        for (PoolRuntime pool : pools) {
            evictQueued(pool, error);
        }
    }

    /** The same for one pool. */
    public void evictPool(long nowNs, int poolIndex, ApiError error) {
        tick(nowNs);
        expire(nowNs);
        evictQueued(pools[poolIndex], error);
    }

    /** Moves time: tasks whose deadline has passed are evicted or aborted. */
    public void advance(long nowNs) {
        tick(nowNs);
        expire(nowNs);
    }

    /** The figures of this moment; changes nothing that a later event could see. */
    public SchedulerSnapshot snapshot() {
        SchedulerSnapshot.Pool[] views = new SchedulerSnapshot.Pool[pools.length];
        for (int i = 0; i < views.length; i++) {
            views[i] = pools[i].snapshot(lastNowNs, draining);
        }
        return new SchedulerSnapshot(lastNowNs, draining, tasks.size(), live, lastConsidered, List.of(views));
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
    }

    private @Nullable ApiError precheck(TaskSpec spec) {
        if (draining) {
            return Refusals.daemonDraining(settings.unreadyRetryMs());
        }
        if (spec.deadlineNs() < 1) {
            return Refusals.deadlineNotPositive(spec);
        }
        if (tasks.size() >= settings.tasksMax()) {
            return Refusals.tableFull(settings.tasksMax(), settings.unreadyRetryMs());
        }
        return pinningRefused(spec) ? Refusals.infeasible(spec, pools, settings.unreadyRetryMs()) : null;
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
        long position = pool.newcomerPosition(isInteractive);
        if (soonestEndNs(nowNs, spec, forecast, position) <= spec.deadlineNs()) {
            return null;
        }
        double start = forecast.startNs(nowNs, position, 0.5);
        double end = start + forecast.model.serviceNs(spec.promptBytes(), spec.maxTokens(), 0.5);
        return Refusals.deadlineInfeasible(spec, pool, toMs(start), toMs(end));
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
        boolean isInteractive = spec.priority() == Priority.INTERACTIVE;
        if (!pool.hasRoom(isInteractive)) {
            TaskEntry victim = pool.victim(isInteractive);
            if (victim == null) {
                throw new IllegalStateException("pool " + pool.spec.id() + " has no room and no victim");
            }
            evict(victim, Refusals.dropped(pool, pool.forecast.retryAfterMs(nowNs)));
        }
        long deadlineAtNs = nowNs + spec.deadlineNs();
        if (deadlineAtNs < nowNs) {
            deadlineAtNs = Long.MAX_VALUE;
        }
        TaskEntry entry = new TaskEntry(spec, handle, pool, nextOrdinal++, nowNs, deadlineAtNs, choice);
        long position = pool.newcomerPosition(isInteractive);
        Admission admission = queuedAdmission(nowNs, entry, position, pool.queued() + 1L);
        pool.queue(spec.priority()).append(entry);
        deadlines.add(entry);
        tasks.put(spec.id(), entry);
        live++;
        effects.admitted(handle, admission);
    }

    /** Starts tasks in their order while the next one finds a slot. */
    private void pump(long nowNs, PoolRuntime pool) {
        TaskEntry next = pool.next();
        while (next != null && pool.hasFreeSlot()) {
            SessionTable.Place last = sessions.find(next.spec.sessionId());
            List<PlacementDecision.Candidate> seen = new ArrayList<>(pool.replicas.length + next.otherPools.size());
            PlacementPolicy.Choice choice = PlacementPolicy.chooseReplica(next.spec, pool, last, nowNs, seen);
            if (choice == null) {
                return;
            }
            start(nowNs, next, choice, last, seen);
            next = pool.next();
        }
    }

    private void start(
            long nowNs,
            TaskEntry entry,
            PlacementPolicy.Choice choice,
            SessionTable.@Nullable Place last,
            List<PlacementDecision.Candidate> seen) {
        PoolRuntime pool = entry.pool;
        ReplicaRuntime replica = choice.replica();
        boolean warm = SessionTable.warm(last, pool.index, replica);
        pool.started(entry);
        Lease lease = new Lease(pool.index, replica.index, replica.take(entry), nowNs);
        entry.lease = lease;
        entry.state = TaskEntry.RUNNING;
        sessions.started(entry.spec.sessionId(), pool.index, replica);
        lastConsidered = seen.size() + entry.otherPools.size();
        seen.addAll(entry.otherPools);
        boolean pinned = entry.spec.placement().mode() == PlacementMode.PIN;
        String decidedBy = pool.replicas.length > 1 ? choice.decidedBy() : entry.poolDecidedBy;
        double onTime = pool.forecast.model.endsWithin(
                entry.spec.promptBytes(), entry.spec.maxTokens(), entry.deadlineAtNs - (double) nowNs);
        effects.dispatched(
                handleOf(entry),
                new Dispatch(
                        lease,
                        pool.spec.id(),
                        replica.spec.id(),
                        replica.version,
                        nowNs - entry.admittedAtNs,
                        warm,
                        onTime,
                        pool.queued(),
                        new PlacementDecision(
                                pool.spec.id(),
                                replica.spec.id(),
                                pinned,
                                entry.fallback,
                                Collections.unmodifiableList(seen),
                                decidedBy)));
    }

    private void learn(long nowNs, TaskEntry entry, Outcome outcome, int tokensIn, int tokensOut) {
        EtaModel model = entry.pool.forecast.model;
        long grantedAtNs = entry.heldLease().grantedAtNs();
        model.observeDeparture(nowNs);
        if (outcome != Outcome.COMPLETED) {
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

    /** Deals with every deadline that has passed; only then may others start where evicted ones stood. */
    private void expire(long nowNs) {
        boolean evicted = false;
        while (deadlines.earliestNs() <= nowNs) {
            TaskEntry entry = deadlines.earliest();
            if (entry == null) {
                break;
            }
            if (entry.state == TaskEntry.QUEUED) {
                evict(entry, Refusals.deadlineWhileQueued(entry));
                evicted = true;
            } else {
                deadlines.remove(entry);
                effects.aborted(handleOf(entry), Refusals.deadlineWhileRunning(entry));
            }
        }
        if (evicted) {
            for (PoolRuntime pool : pools) {
                pump(nowNs, pool);
            }
        }
    }

    private void evictQueued(PoolRuntime pool, ApiError error) {
        TaskEntry next = pool.next();
        while (next != null) {
            evict(next, error);
            next = pool.next();
        }
    }

    private void evict(TaskEntry entry, ApiError error) {
        leaveQueue(entry);
        effects.evicted(handleOf(entry), error);
    }

    private void leaveQueue(TaskEntry entry) {
        entry.pool.removed(entry);
        end(entry);
    }

    private void end(TaskEntry entry) {
        deadlines.remove(entry);
        entry.state = TaskEntry.TERMINAL;
        live--;
    }

    private Admission standing(long nowNs, TaskEntry entry) {
        PoolRuntime pool = entry.pool;
        if (entry.state == TaskEntry.QUEUED) {
            return queuedAdmission(nowNs, entry, pool.position(entry), pool.queued());
        }
        long backoffMs = pool.forecast.backoffMs(nowNs);
        if (entry.state == TaskEntry.TERMINAL) {
            return new Admission(pool.spec.id(), 0, 0, 0, backoffMs, 0, pool.queued());
        }
        double remaining = pool.forecast.remainingNs(nowNs, entry);
        double onTime = pool.forecast.runningOnTime(nowNs, entry, entry.deadlineAtNs - (double) nowNs);
        return new Admission(pool.spec.id(), 0, 0, toMs(remaining), backoffMs, onTime, pool.queued());
    }

    private Admission queuedAdmission(long nowNs, TaskEntry entry, long position, long depth) {
        PoolRuntime pool = entry.pool;
        PoolForecast forecast = pool.forecast;
        TaskSpec spec = entry.spec;
        double start = forecast.startNs(nowNs, position, 0.5);
        double end = start + forecast.model.serviceNs(spec.promptBytes(), spec.maxTokens(), 0.5);
        double onTime = forecast.onTime(nowNs, position, spec, entry.deadlineAtNs - (double) nowNs);
        boolean startsNow = position == 0 && pool.startsNow();
        return new Admission(
                pool.spec.id(),
                position,
                toMs(start),
                toMs(end),
                startsNow ? 0 : forecast.backoffMs(nowNs),
                onTime,
                startsNow ? 0 : depth);
    }

    private static long toMs(double ns) {
        return Math.round(ns / 1e6);
    }

    @SuppressWarnings("unchecked") // every handle came in as a T
    private T handleOf(TaskEntry entry) {
        return (T) entry.handle;
    }
}
