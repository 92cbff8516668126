package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/** One task of a simulation, and what was heard of it. */
final class SimTask {
    enum Life {
        OFFERED,
        QUEUED,
        RUNNING,
        OVER,
        REFUSED
    }

    final int number;
    final TaskSpec spec;
    final long admittedAtNs;
    Life life = Life.OFFERED;

    @Nullable
    NaivePool pool;

    @Nullable
    Lease lease;

    boolean aborted;
    boolean answered;

    /** The server has heard that it has a slot. */
    boolean slotHeard;

    /** It is over for the server, which may not have heard all of it yet. */
    boolean closed;

    /** The server has said, or will say, that it may be forgotten. */
    boolean released;

    /** The server has said so. */
    boolean forgotten;

    SimTask(int number, TaskSpec spec, long admittedAtNs) {
        this.number = number;
        this.spec = spec;
        this.admittedAtNs = admittedAtNs;
    }

    long deadlineAtNs() {
        return admittedAtNs + spec.deadlineNs();
    }

    @Override
    public String toString() {
        return "task " + number + " (" + life + ")";
    }
}
