package io.llamaorch.orchestratord.scheduler.core;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One session of one key: its turns, its budget, and where it last ran. Owned by the scheduler's thread. */
final class Session {
    final UUID id;
    final Account account;
    /** Null where its key's sessions are not limited. */
    final @Nullable Budget budget;

    int turns;
    /** Tasks queued or running, and the newest of them: a list through {@link TaskEntry#olderOfSession}. */
    int open;

    @Nullable
    TaskEntry newestOpen;

    /** Time of its last admission or end of a task. */
    long usedAtNs;
    /** Out of the table: open tasks still settle here. */
    boolean gone;

    /** The session of another key with the same id. */
    @Nullable
    Session sameId;

    /** Neighbours among those without an open task. */
    @Nullable
    Session idleBefore;

    @Nullable
    Session idleAfter;

    // ---- the last place ----

    int pool = -1;
    int replica = -1;
    /** {@link ReplicaRuntime#starts} just after its own last start there. */
    private long starts;

    private long epoch;
    /** Whether its last task there got to decode and has ended. */
    private boolean settled;

    Session(UUID id, Account account) {
        this.id = id;
        this.account = account;
        BudgetSpec limits = account.spec.sessionBudget();
        this.budget = limits.isLimited() ? new Budget(limits) : null;
    }

    /** A task of it starts on a replica. */
    void started(int onPool, ReplicaRuntime on) {
        pool = onPool;
        replica = on.index;
        starts = on.starts;
        epoch = on.epoch;
        settled = false;
    }

    /** A task of it gave its slot back; only one that decoded leaves a prefix behind. */
    void left(Lease lease, boolean decoded) {
        if (pool == lease.poolIndex() && replica == lease.replicaIndex()) {
            settled = decoded;
        }
    }

    /**
     * Whether a replica still holds its prefix, as far as starts tell: its last task ended there, the replica has been
     * READY ever since, and the tasks started since and those that run now cannot have used up every slot. An engine that
     * evicts sooner is not seen.
     */
    boolean isWarm(int onPool, ReplicaRuntime on) {
        return settled
                && pool == onPool
                && replica == on.index
                && epoch == on.epoch
                && on.starts - starts + on.leased() < on.slots;
    }
}
