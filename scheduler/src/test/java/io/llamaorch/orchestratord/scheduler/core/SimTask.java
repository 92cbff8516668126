package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One task of a simulation: what the bookkeeper knows of it, and what the server has heard of it. */
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

    // ---- the bookkeeper's ----

    Life life = Life.OFFERED;

    /** Where it waits or runs. */
    @Nullable
    NaivePool pool;

    @Nullable
    Lease lease;

    /** Model of its pool that it was dispatched to. */
    int generation;
    /** Engine version that it was dispatched to. */
    String version = "";

    int failures;
    /** Replicas of its pool that it has failed on, and the version that the next one must have; of this pool only. */
    final Set<Integer> failedOn = new HashSet<>();

    @Nullable
    String retryVersion;

    /** What it reserved, at what price, and its session. */
    Reservation asked = new Reservation(0, 0, 0, 0);

    Price price = Price.FREE;
    Object talk = this;

    boolean aborted;
    boolean answered;

    // ---- the server's ----

    /** The server has heard of a slot and has not given it back. */
    boolean placed;

    /** Dispatches that it has heard of, and the last of them. */
    int round;

    @Nullable
    Dispatch dispatch;

    /** The first token of that dispatch is out, or never will be. */
    boolean decoded;

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

    boolean isInteractive() {
        return spec.priority() == Priority.INTERACTIVE;
    }

    boolean isStrict() {
        return spec.determinism() == Determinism.STRICT;
    }

    NaivePool pool() {
        NaivePool now = pool;
        if (now == null) {
            throw new AssertionError("in no pool: " + this);
        }
        return now;
    }

    /** Whether it can only go on where it has not failed yet. */
    boolean isRetry() {
        return retryVersion != null;
    }

    void moveTo(NaivePool other) {
        pool = other;
        failedOn.clear();
        retryVersion = null;
    }

    @Override
    public String toString() {
        return "task " + number + " (" + life + ")";
    }
}
