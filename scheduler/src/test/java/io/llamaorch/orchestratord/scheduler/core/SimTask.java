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
