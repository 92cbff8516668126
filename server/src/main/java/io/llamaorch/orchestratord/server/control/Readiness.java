package io.llamaorch.orchestratord.server.control;

import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether new tasks are taken: the scheduler runs, no drain has begun, the ledger has not failed, and a pool has a replica
 * that is ready. Any thread.
 */
public final class Readiness {
    private final Supplier<SchedulerSnapshot> snapshot;
    private final BooleanSupplier schedulerAlive;
    private final Supplier<@Nullable String> ledgerFailure;
    private volatile boolean draining;

    /**
     * One of the things that must hold, or that an operator wants to see beside them.
     *
     * @param name what was looked at
     * @param ok whether it is as it should be
     * @param message what is wrong, empty where nothing is
     */
    public record Check(String name, boolean ok, String message) {}

    /**
     * Ready as soon as the snapshot says so.
     *
     * @param ledgerFailure why no task can be put on record; null where one can, or need not be
     */
    public Readiness(
            Supplier<SchedulerSnapshot> snapshot,
            BooleanSupplier schedulerAlive,
            Supplier<@Nullable String> ledgerFailure) {
        this.snapshot = snapshot;
        this.schedulerAlive = schedulerAlive;
        this.ledgerFailure = ledgerFailure;
    }

    /** From now on not ready. */
    public void beginDrain() {
        draining = true;
    }

    /** Whether a drain has begun. */
    public boolean isDraining() {
        return draining;
    }

    /** Whether the scheduler's thread runs. */
    public boolean isSchedulerAlive() {
        return schedulerAlive.getAsBoolean();
    }

    /** Whether new tasks are taken. */
    public boolean isReady() {
        if (draining || !schedulerAlive.getAsBoolean() || ledgerFailure.get() != null) {
            return false;
        }
        for (SchedulerSnapshot.Pool pool : snapshot.get().pools()) {
            if (isReady(pool)) {
                return true;
            }
        }
        return false;
    }

    /** Each check. */
    public List<Check> checks() {
        List<Check> checks = new ArrayList<>();
        boolean alive = schedulerAlive.getAsBoolean();
        checks.add(new Check("scheduler", alive, alive ? "" : "stopped"));
        checks.add(new Check("not_draining", !draining, draining ? "the daemon is stopping" : ""));
        String failure = ledgerFailure.get();
        checks.add(new Check("ledger", failure == null, failure == null ? "" : failure));
        for (SchedulerSnapshot.Pool pool : snapshot.get().pools()) {
            boolean ready = isReady(pool);
            checks.add(new Check("pool:" + pool.id(), ready, ready ? "" : word(pool)));
        }
        return checks;
    }

    /** Whether a pool takes tasks. */
    public static boolean isReady(SchedulerSnapshot.Pool pool) {
        return !pool.draining() && has(pool, ReplicaState.READY);
    }

    static boolean isLive(SchedulerSnapshot.Pool pool) {
        return has(pool, ReplicaState.READY) || has(pool, ReplicaState.LOADING);
    }

    private static String word(SchedulerSnapshot.Pool pool) {
        return pool.draining() ? "draining" : has(pool, ReplicaState.LOADING) ? "loading" : "down";
    }

    private static boolean has(SchedulerSnapshot.Pool pool, ReplicaState state) {
        for (SchedulerSnapshot.Replica replica : pool.replicas()) {
            if (replica.state() == state) {
                return true;
            }
        }
        return false;
    }
}
