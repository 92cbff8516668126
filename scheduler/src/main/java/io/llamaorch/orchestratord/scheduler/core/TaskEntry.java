package io.llamaorch.orchestratord.scheduler.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the core keeps of one task, from its admission until it is forgotten. Owned by the scheduler's thread. */
final class TaskEntry {
    static final byte QUEUED = 0;
    static final byte RUNNING = 1;
    static final byte TERMINAL = 2;

    final TaskSpec spec;
    final Object handle;
    /** Order of admission over all pools: breaks ties between equal deadlines. */
    final long ordinal;

    /** Devices that it must have, empty where any will do. */
    final List<String> devices;

    final long admittedAtNs;
    final long deadlineAtNs;
    /** The pool that it waits in or runs in; another one only after a move. */
    PoolRuntime pool;
    /** How the pool was chosen, for the decision told at dispatch. */
    boolean fallback;

    String poolDecidedBy;
    List<PlacementDecision.Candidate> otherPools;

    byte state = QUEUED;
    /** Where it waits while queued and not {@link #aside}; else null. */
    @Nullable
    Backlog backlog;
    /** Sequence in its queue there. */
    long sequence;
    /** Whether it waits beside the queues, for replicas of its own: see {@link PoolRuntime#aside}. */
    boolean aside;
    /** Number in the deadline heap, −1 while not in it. */
    int deadlineNumber = -1;

    @Nullable
    Lease lease;

    long firstTokenAtNs;
    /** Its owner let it go while it was being dispatched. */
    boolean forgetWhenOver;
    /** Model of its pool that it runs on, see {@link PoolRuntime#generation}. */
    int generation;
    /** Engine version that its replica had told when it was dispatched. */
    String runVersion = "";
    /** Its owner was told to stop it, and has not said {@code finished} yet. */
    boolean aborted;
    /** Dispatches that ended in a failure before the first token. */
    int failures;
    /** Replicas of its pool on which it failed, one bit each. */
    long failedOn;
    /** The engine version that a further try in its pool must meet; null where it has not failed in this pool. */
    @Nullable
    String retryVersion;

    /** Its key's tasks while queued and not {@link #aside}, and its place in the order of arrivals in that queue. */
    FairQueue.@Nullable Flow flow;

    long appended;

    /** Set when it is admitted; its neighbours among the open tasks of that session. */
    @Nullable
    Session session;

    @Nullable
    TaskEntry olderOfSession;

    @Nullable
    TaskEntry newerOfSession;

    /** Tokens of its prompt as estimated at admission, and as reserved. */
    int promptEstimate;

    int promptReserve;
    /** The pool that admitted it, whose price it pays wherever it goes. */
    int pricedPool;
    /** What it used, once it is over: −1 where it read the prompt and its engine did not say how long it was. */
    int usedTokensIn;

    int usedTokensOut;
    long usedDecodeMs;

    boolean firstTokenSeen;
    int promptTokens = -1;
    int tokensOut;
    long progressAtNs;

    TaskEntry(
            TaskSpec spec,
            Object handle,
            long ordinal,
            long admittedAtNs,
            long deadlineAtNs,
            PlacementPolicy.Choice choice) {
        this.spec = spec;
        this.handle = handle;
        this.pool = choice.pool();
        this.ordinal = ordinal;
        String mask = spec.placement().requireDeviceMask();
        this.devices = mask == null ? List.of() : PlacementPolicy.devicesOf(mask);
        this.admittedAtNs = admittedAtNs;
        this.deadlineAtNs = deadlineAtNs;
        this.fallback = choice.fallback();
        this.poolDecidedBy = choice.decidedBy();
        this.otherPools = choice.otherPools();
    }

    /** Goes to another pool, where nothing is known of it yet. */
    void moveTo(PlacementPolicy.Choice choice) {
        pool = choice.pool();
        fallback = choice.fallback();
        poolDecidedBy = choice.decidedBy();
        otherPools = choice.otherPools();
        failedOn = 0;
        retryVersion = null;
    }

    /** Whether what is measured of it tells of the model that its pool serves now. */
    boolean isOfCurrentModel() {
        return generation == pool.generation;
    }

    /** Whether it has failed in its pool, so that only some replicas may have it. */
    boolean isRetry() {
        return retryVersion != null;
    }

    /** Whether it failed on that replica of its pool already. */
    boolean hasFailedOn(ReplicaRuntime replica) {
        return (failedOn & 1L << replica.index) != 0;
    }

    /** What is known of a run is forgotten: the next one starts from nothing. */
    void resetRun() {
        lease = null;
        firstTokenSeen = false;
        firstTokenAtNs = 0;
        progressAtNs = 0;
        promptTokens = -1;
        tokensOut = 0;
    }

    /** Where a queued task waits that is not aside; one without here is a broken invariant. */
    Backlog backlog() {
        Backlog waitsIn = backlog;
        if (waitsIn == null) {
            throw new IllegalStateException("task " + spec.id() + " is in no queue");
        }
        return waitsIn;
    }

    /** The tasks of its key that it is queued with. */
    FairQueue.Flow heldFlow() {
        FairQueue.Flow held = flow;
        if (held == null) {
            throw new IllegalStateException("task " + spec.id() + " is in no queue");
        }
        return held;
    }

    /** The session of an admitted task. */
    Session heldSession() {
        Session held = session;
        if (held == null) {
            throw new IllegalStateException("task " + spec.id() + " has no session");
        }
        return held;
    }

    /** The lease of a running task; a task without one here is a broken invariant. */
    Lease heldLease() {
        Lease held = lease;
        if (held == null) {
            throw new IllegalStateException("task " + spec.id() + " holds no lease");
        }
        return held;
    }
}
