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
    final PoolRuntime pool;
    /** Order of admission over all pools: breaks ties between equal deadlines. */
    final long ordinal;

    final long admittedAtNs;
    final long deadlineAtNs;
    /** How the pool was chosen, for the decision told at dispatch. */
    final boolean fallback;

    final String poolDecidedBy;
    final List<PlacementDecision.Candidate> otherPools;

    byte state = QUEUED;
    /** Sequence in its queue while queued. */
    long sequence;
    /** Number in the deadline heap, −1 while not in it. */
    int deadlineNumber = -1;

    @Nullable
    Lease lease;

    long firstTokenAtNs;
    /** Its owner let it go while it was being dispatched. */
    boolean forgetWhenOver;

    boolean firstTokenSeen;
    int promptTokens = -1;
    int tokensOut;
    long progressAtNs;

    TaskEntry(
            TaskSpec spec,
            Object handle,
            PoolRuntime pool,
            long ordinal,
            long admittedAtNs,
            long deadlineAtNs,
            PlacementPolicy.Choice choice) {
        this.spec = spec;
        this.handle = handle;
        this.pool = pool;
        this.ordinal = ordinal;
        this.admittedAtNs = admittedAtNs;
        this.deadlineAtNs = deadlineAtNs;
        this.fallback = choice.fallback();
        this.poolDecidedBy = choice.decidedBy();
        this.otherPools = choice.otherPools();
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
