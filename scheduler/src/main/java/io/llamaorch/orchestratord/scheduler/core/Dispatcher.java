package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Everything that changes where a task waits: it starts on a slot, steps aside, moves to another pool, is tried again,
 * or is taken out. Owned by the scheduler's thread, and used by {@link Scheduler} alone.
 *
 * @param <T> the caller's handle of a task
 */
final class Dispatcher<T> {
    private final PoolRuntime[] pools;
    private final Ledger ledger;
    private final Effects<T> effects;
    private final long unreadyRetryMs;
    /** Most tasks that one {@link #displaceSome} moves or evicts. */
    private final int slice;

    private final DeadlineHeap deadlines = new DeadlineHeap();
    /** Those aside while {@link #pumpAside} looks at them; empty otherwise. */
    private final List<TaskEntry> looking = new ArrayList<>();
    /** Pools with {@link PoolRuntime#received}. */
    private int receivers;

    private long live;
    private int lastConsidered;

    Dispatcher(PoolRuntime[] pools, Ledger ledger, Effects<T> effects, long unreadyRetryMs, int slice) {
        this.pools = pools;
        this.ledger = ledger;
        this.effects = effects;
        this.unreadyRetryMs = unreadyRetryMs;
        this.slice = slice;
    }

    /** Tasks queued or running. */
    long live() {
        return live;
    }

    /** Replicas that the last placement looked at. */
    int lastConsidered() {
        return lastConsidered;
    }

    void considered(int replicas) {
        lastConsidered = replicas;
    }

    // ---- in ----

    /** Evicts a victim where a newcomer has no place of its own; the caller has checked that there is one. */
    void makeRoom(long nowNs, PoolRuntime pool, boolean isInteractive) {
        if (!pool.hasRoom(isInteractive)) {
            TaskEntry victim = pool.victim(isInteractive);
            if (victim == null) {
                throw new IllegalStateException("pool " + pool.spec.id() + " has no room and no victim");
            }
            evict(victim, Refusals.dropped(pool, pool.forecast.retryAfterMs(nowNs)));
        }
    }

    /** Queues an admitted task; there is room. */
    void enqueue(TaskEntry entry) {
        entry.pool.open().append(entry);
        deadlines.add(entry);
        live++;
    }

    /** Queues a task that had its place before a restart; there may be no room. */
    void enqueueAgain(TaskEntry entry) {
        entry.pool.open().appendBeyond(entry);
        deadlines.add(entry);
        live++;
    }

    // ---- start ----

    /** Starts tasks in their order while the next one finds a slot, here and where tasks moved to from here. */
    void pump(long nowNs, PoolRuntime pool) {
        pumpOne(nowNs, pool);
        pumpReceivers(nowNs);
    }

    /** The same for every pool. */
    void pumpAll(long nowNs) {
        for (PoolRuntime pool : pools) {
            pumpOne(nowNs, pool);
        }
        pumpReceivers(nowNs);
    }

    /** Ends: a task moves to a pool with a READY replica for it, or one that is paused, and stays there for now. */
    private void pumpReceivers(long nowNs) {
        while (receivers > 0) {
            for (PoolRuntime pool : pools) {
                if (pool.received) {
                    pumpOne(nowNs, pool);
                }
            }
        }
    }

    private void pumpOne(long nowNs, PoolRuntime pool) {
        if (pool.received) {
            pool.received = false;
            receivers--;
        }
        if (!pool.aside.isEmpty()) {
            pumpAside(nowNs, pool);
        }
        TaskEntry next = pool.next();
        while (next != null && pool.hasFreeSlot()) {
            if (!tryStart(nowNs, next) && !stepAside(nowNs, next)) {
                return;
            }
            next = pool.next();
        }
    }

    private void pumpAside(long nowNs, PoolRuntime pool) {
        looking.addAll(pool.aside);
        for (int i = 0; i < looking.size(); i++) {
            TaskEntry entry = looking.get(i);
            if (pool.hasFreeSlot() && tryStart(nowNs, entry)) {
                continue;
            }
            if (PlacementPolicy.hasReadyCandidate(entry)) {
                continue; // its turn comes when a slot there is given back
            }
            if (entry.isRetry()) {
                refuseRetry(entry);
            } else if (!PlacementPolicy.hasCandidateToCome(entry)) {
                relocate(nowNs, entry, "has no replica any more that this task fits");
            }
        }
        looking.clear();
    }

    private boolean tryStart(long nowNs, TaskEntry entry) {
        if (!PlacementPolicy.hasFreeCandidate(entry)) {
            return false; // before anything is allocated: many may wait, and each is asked at each event
        }
        Session session = entry.heldSession();
        List<PlacementDecision.Candidate> seen = new ArrayList<>(entry.pool.replicas.length + entry.otherPools.size());
        PlacementPolicy.Choice choice = PlacementPolicy.chooseReplica(entry, session, nowNs, seen);
        if (choice == null) {
            return false;
        }
        start(nowNs, entry, choice, session, seen);
        return true;
    }

    /**
     * The head of the queue suits no slot that is free.
     *
     * @return whether it made way for the next one
     */
    private boolean stepAside(long nowNs, TaskEntry entry) {
        if (PlacementPolicy.hasReadyCandidate(entry)) {
            return false; // its turn comes when a slot there is given back
        }
        if (!PlacementPolicy.hasCandidateToCome(entry)) {
            relocate(nowNs, entry, "has no replica any more that this task fits");
            return true;
        }
        if (!entry.pool.hasRoomAside()) {
            return false;
        }
        entry.pool.removed(entry);
        entry.pool.putAside(entry);
        return true;
    }

    private void start(
            long nowNs,
            TaskEntry entry,
            PlacementPolicy.Choice choice,
            Session session,
            List<PlacementDecision.Candidate> seen) {
        PoolRuntime pool = entry.pool;
        ReplicaRuntime replica = choice.replica();
        boolean warm = session.isWarm(pool.index, replica);
        pool.started(entry);
        Lease lease = new Lease(pool.index, replica.index, replica.take(entry), nowNs);
        entry.lease = lease;
        entry.state = TaskEntry.RUNNING;
        entry.generation = pool.generation;
        entry.runVersion = replica.version;
        session.started(pool.index, replica);
        lastConsidered = seen.size() + entry.otherPools.size();
        seen.addAll(entry.otherPools);
        boolean pinned = entry.spec.placement().mode() == PlacementMode.PIN;
        String decidedBy = pool.replicas.length > 1 ? choice.decidedBy() : entry.poolDecidedBy;
        double onTime = pool.forecast.model.endsWithin(
                entry.spec.promptBytes(), entry.spec.maxTokens(), entry.deadlineAtNs - (double) nowNs);
        boolean retriable = entry.failures < pool.spec.retries() && PlacementPolicy.hasSecond(entry, replica);
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
                        pool.generation,
                        entry.failures,
                        retriable,
                        ledger.allowance(session),
                        new PlacementDecision(
                                pool.spec.id(),
                                replica.spec.id(),
                                pinned,
                                entry.fallback,
                                Collections.unmodifiableList(seen),
                                decidedBy)));
    }

    // ---- again ----

    /** A running task failed before its first token: its lease is given back, and it waits for another replica. */
    void retry(long nowNs, TaskEntry entry) {
        PoolRuntime pool = entry.pool;
        Lease lease = entry.heldLease();
        ReplicaRuntime replica = pool.replicas[lease.replicaIndex()];
        replica.giveBack(lease.slotIndex(), entry);
        entry.heldSession().left(lease, false);
        entry.resetRun();
        entry.failures++;
        entry.failedOn |= 1L << replica.index;
        entry.retryVersion = entry.runVersion;
        boolean again = !entry.aborted
                && !entry.forgetWhenOver
                && entry.failures <= pool.spec.retries()
                && entry.deadlineAtNs > nowNs
                && pool.hasRoomForRetry();
        if (!again) {
            refuseRetry(entry);
            return;
        }
        entry.state = TaskEntry.QUEUED;
        pool.putAside(entry);
        if (pool.draining || !pool.willServe(entry.spec.modelRef())) {
            moveOrElse(nowNs, entry, () -> refuseRetry(entry));
        } // else pump starts it, waits with it for a slot, or refuses
    }

    private void refuseRetry(TaskEntry entry) {
        if (entry.state == TaskEntry.QUEUED) {
            entry.pool.removed(entry);
        }
        end(entry);
        effects.retryRefused(handleOf(entry));
    }

    // ---- elsewhere ----

    /** Whether a {@link #displaceSome} has something to do. */
    boolean hasLeavers() {
        for (PoolRuntime pool : pools) {
            if (pool.hasLeavers()) {
                return true;
            }
        }
        return false;
    }

    /** Moves or evicts the next few tasks that have to leave their pools. */
    void displaceSome(long nowNs) {
        int room = slice;
        for (PoolRuntime pool : pools) {
            for (TaskEntry next = null; room > 0 && (next = pool.nextToLeave()) != null; room--) {
                displace(nowNs, next);
            }
        }
        pumpReceivers(nowNs);
    }

    /** Those aside would be looked at for every slot: they leave at once, and are few. */
    void displaceAside(long nowNs, PoolRuntime pool) {
        for (TaskEntry entry : List.copyOf(pool.aside)) {
            if (pool.draining || !pool.willServe(entry.spec.modelRef())) {
                displace(nowNs, entry);
            }
        }
    }

    private void displace(long nowNs, TaskEntry entry) {
        PoolRuntime pool = entry.pool;
        boolean byDrain = pool.draining && pool.couldStay(entry);
        relocate(nowNs, entry, byDrain ? "is draining" : "serves " + pool.model + " now");
        if (byDrain) {
            pool.drained(entry.pool != pool);
        }
    }

    private void relocate(long nowNs, TaskEntry entry, String why) {
        moveOrElse(nowNs, entry, () -> {
            if (entry.failures > 0) {
                refuseRetry(entry);
            } else {
                evict(entry, Refusals.displaced(entry, why, unreadyRetryMs));
            }
        });
    }

    private void moveOrElse(long nowNs, TaskEntry entry, Runnable otherwise) {
        PlacementPolicy.Choice choice = PlacementPolicy.chooseOtherPool(entry, pools, entry.heldSession(), nowNs);
        if (choice == null) {
            otherwise.run();
            return;
        }
        entry.pool.removed(entry);
        entry.moveTo(choice);
        Admission admission = Standing.newcomer(nowNs, entry, ledger.allowance(entry.heldSession()));
        entry.pool.open().append(entry);
        if (!entry.pool.received) {
            entry.pool.received = true;
            receivers++;
        }
        effects.moved(handleOf(entry), admission);
    }

    // ---- out ----

    /** Deals with every deadline that has passed; only then may others start where evicted ones stood. */
    void expire(long nowNs) {
        boolean evicted = false;
        while (deadlines.earliestNs() <= nowNs) {
            TaskEntry entry = deadlines.earliest();
            if (entry == null) {
                break;
            }
            if (entry.state == TaskEntry.QUEUED) {
                if (entry.failures > 0) {
                    refuseRetry(entry);
                } else {
                    evict(entry, Refusals.deadlineWhileQueued(entry));
                }
                evicted = true;
            } else {
                abort(entry, Refusals.deadlineWhileRunning(entry));
            }
        }
        if (evicted) {
            pumpAll(nowNs);
        }
    }

    /** Tells the owner of a running task to stop it, once. */
    void abort(TaskEntry entry, ApiError error) {
        deadlines.remove(entry);
        if (!entry.aborted) {
            entry.aborted = true;
            effects.aborted(handleOf(entry), error);
        }
    }

    /** Evicts all queued tasks of a pool in the order in which they would have started. */
    void evictQueued(PoolRuntime pool, ApiError error) {
        for (TaskEntry entry : List.copyOf(pool.aside)) {
            evict(entry, error);
        }
        for (TaskEntry next = pool.nextOfAll(); next != null; next = pool.nextOfAll()) {
            evict(next, error);
        }
    }

    private void evict(TaskEntry entry, ApiError error) {
        leaveQueue(entry);
        effects.evicted(handleOf(entry), error);
    }

    /** A queued task is over. */
    void leaveQueue(TaskEntry entry) {
        entry.pool.removed(entry);
        end(entry);
    }

    /** A task is over, wherever it was. */
    void end(TaskEntry entry) {
        deadlines.remove(entry);
        entry.state = TaskEntry.TERMINAL;
        live--;
        Charge charge = ledger.close(entry);
        if (charge != null) {
            effects.settled(handleOf(entry), charge);
        }
    }

    @SuppressWarnings("unchecked") // every handle came in as a T
    T handleOf(TaskEntry entry) {
        return (T) entry.handle;
    }
}
