package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler's figures at one moment, for metrics, capabilities and health. Immutable, safe on every thread.
 *
 * @param atNs scheduler time of the last event, ns
 * @param draining whether the daemon refuses every admission
 * @param tasksKnown tasks in the table, live and terminal
 * @param tasksLive tasks queued or running
 * @param placementCandidatesConsidered replicas that the last placement looked at
 * @param sessions how many there are and were
 * @param pools in the order of the configuration
 */
public record SchedulerSnapshot(
        long atNs,
        boolean draining,
        long tasksKnown,
        long tasksLive,
        int placementCandidatesConsidered,
        Sessions sessions,
        List<Pool> pools) {

    /**
     * Sessions.
     *
     * @param known now
     * @param expired dropped because their time was over, ever
     * @param evicted dropped because there were too many, ever
     */
    public record Sessions(int known, long expired, long evicted) {}

    /**
     * One pool.
     *
     * @param id its name
     * @param engine its wire
     * @param model the model it serves
     * @param incomingModel the model that is being loaded, null while none is
     * @param generation how often its model was changed
     * @param queuedInteractive queued tasks of priority interactive
     * @param queuedBatch queued tasks of priority batch
     * @param queueCapacity most tasks queued, per priority
     * @param leases slots taken on all replicas, those of replicas that are down included
     * @param leasesBefore those of them whose tasks were placed on an earlier model
     * @param slots slots of READY replicas
     * @param draining whether this pool refuses admissions
     * @param lastDrain what the last drain of the pool did
     * @param tokensPerSecond decode rate of one slot, measured; the prior before any measurement
     * @param drainPerSecond tasks that leave the pool per second
     * @param etaMs predicted start of one more interactive task, ms
     * @param etaSamples natural ends of tasks that the ETA model has seen
     * @param replicas in the order of the configuration
     */
    public record Pool(
            String id,
            EngineKind engine,
            String model,
            @Nullable String incomingModel,
            int generation,
            int queuedInteractive,
            int queuedBatch,
            int queueCapacity,
            int leases,
            int leasesBefore,
            int slots,
            boolean draining,
            Drain lastDrain,
            double tokensPerSecond,
            double drainPerSecond,
            long etaMs,
            long etaSamples,
            List<Replica> replicas) {}

    /**
     * What a drain found, and what it has done so far.
     *
     * @param number of drains of the pool so far; 0 before the first
     * @param inFlight tasks that ran
     * @param moved queued tasks that went to another pool
     * @param evicted queued tasks that no other pool took
     * @param left queued tasks that are still to be moved or evicted; 0 once the drain is over
     */
    public record Drain(long number, int inFlight, int moved, int evicted, int left) {
        static final Drain NONE = new Drain(0, 0, 0, 0, 0);

        Drain andOne(boolean hasMoved) {
            return new Drain(number, inFlight, moved + (hasMoved ? 1 : 0), evicted + (hasMoved ? 0 : 1), left);
        }

        Drain left(int tasks) {
            return new Drain(number, inFlight, moved, evicted, tasks);
        }
    }

    /**
     * One replica.
     *
     * @param id its name within the pool
     * @param state as last told
     * @param version of its engine, empty where unknown
     * @param slots decodes at once
     * @param leased slots taken
     * @param ctx context of one slot, tokens
     */
    public record Replica(String id, ReplicaState state, String version, int slots, int leased, int ctx) {}
}
