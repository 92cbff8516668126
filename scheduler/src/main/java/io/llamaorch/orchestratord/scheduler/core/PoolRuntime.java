package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Priority;
import org.jspecify.annotations.Nullable;

/**
 * One pool as it is now: its two queues, the rule by which they take turns, and its replicas. Owned by the scheduler's
 * thread.
 *
 * <p><b>The rule.</b> Interactive goes before batch; after {@code batchGuard} interactive starts in a row that passed a
 * waiting batch task, one batch task goes. Within a priority the order of admission holds, always: a task at the head
 * that no free replica suits (device mask, context) is waited for.
 *
 * <p><b>Room.</b> Each priority may queue {@code queueCapacity} tasks. Where the policy lets an interactive newcomer
 * take the place of a batch task, the place stays interactive until it drains, so that both together never pass twice
 * the capacity.
 */
final class PoolRuntime {
    final int index;
    final PoolSpec spec;
    final ReplicaRuntime[] replicas;
    final TaskQueue interactive;
    final TaskQueue batch;
    final PoolForecast forecast;
    boolean draining;
    /** Tasks started, ever. */
    long starts;

    private int streak;

    PoolRuntime(int index, PoolSpec spec, SchedulerSettings settings) {
        if (spec.queueCapacity() < 1 || spec.batchGuard() < 1 || spec.replicas().isEmpty()) {
            throw new IllegalArgumentException(
                    "pool " + spec.id() + " needs queueCapacity, batchGuard and a number of replicas of at least 1");
        }
        this.index = index;
        this.spec = spec;
        boolean borrows = spec.fullPolicy() != PoolSpec.FullPolicy.REJECT;
        interactive = new TaskQueue(borrows ? 2 * spec.queueCapacity() : spec.queueCapacity());
        batch = new TaskQueue(spec.queueCapacity());
        replicas = new ReplicaRuntime[spec.replicas().size()];
        for (int i = 0; i < replicas.length; i++) {
            PoolSpec.ReplicaSpec replica = spec.replicas().get(i);
            if (replica.slots() < 1 || replica.slots() > settings.slotsMax()) {
                throw new IllegalArgumentException("replica " + replica.id() + " of pool " + spec.id() + " has "
                        + replica.slots() + " slots, outside 1 to " + settings.slotsMax());
            }
            replicas[i] = new ReplicaRuntime(spec.id(), i, replica, spec.ctx());
        }
        forecast = new PoolForecast(this, settings);
    }

    TaskQueue queue(Priority priority) {
        return priority == Priority.INTERACTIVE ? interactive : batch;
    }

    int queued() {
        return interactive.size() + batch.size();
    }

    int streak() {
        return streak;
    }

    /** Whether a task that came now would start now, some replica's constraints aside. */
    boolean startsNow() {
        return interactive.size() == 0 && batch.size() == 0 && hasFreeSlot();
    }

    boolean hasFreeSlot() {
        for (ReplicaRuntime replica : replicas) {
            if (replica.ready() && replica.freeSlots() > 0) {
                return true;
            }
        }
        return false;
    }

    /** Slots of READY replicas. */
    int readySlots() {
        int slots = 0;
        for (ReplicaRuntime replica : replicas) {
            slots += replica.ready() ? replica.slots : 0;
        }
        return slots;
    }

    /** Slots of all replicas, whatever their state. */
    int slotIndexes() {
        int slots = 0;
        for (ReplicaRuntime replica : replicas) {
            slots += replica.slots;
        }
        return slots;
    }

    int leases() {
        int leased = 0;
        for (ReplicaRuntime replica : replicas) {
            leased += replica.leased();
        }
        return leased;
    }

    /** Whether a newcomer finds a place of its own, so that nobody has to make room. */
    boolean hasRoom(boolean isInteractive) {
        int capacity = spec.queueCapacity();
        if (isInteractive) {
            return interactive.size() < capacity;
        }
        return batch.size() < capacity - Math.max(0, interactive.size() - capacity);
    }

    /** The queued task whose place a newcomer takes by this pool's policy, or null: then the newcomer is refused. */
    @Nullable
    TaskEntry victim(boolean isInteractive) {
        return switch (spec.fullPolicy()) {
            case DROP_LRU -> batch.first();
            case SHED_LOW_PRIORITY -> isInteractive ? batch.last() : null;
            case REJECT -> null;
        };
    }

    /** Whether a newcomer of that priority can be queued, with or without a victim. */
    boolean accepts(boolean isInteractive) {
        return hasRoom(isInteractive) || victim(isInteractive) != null;
    }

    /** Tasks that would start before this queued one. */
    long position(TaskEntry entry) {
        boolean isInteractive = entry.spec.priority() == Priority.INTERACTIVE;
        return position(isInteractive, queue(entry.spec.priority()).rank(entry));
    }

    /** The position that a newcomer would get. */
    long newcomerPosition(boolean isInteractive) {
        return position(isInteractive, isInteractive ? interactive.size() : batch.size());
    }

    private long position(boolean isInteractive, long rank) {
        long guard = spec.batchGuard();
        long untilBatch = batch.size() == 0 ? guard : guard - streak;
        if (isInteractive) {
            long batchStarts = rank < untilBatch ? 0 : 1 + (rank - untilBatch) / guard;
            return rank + Math.min(batch.size(), batchStarts);
        }
        return rank + Math.min(interactive.size(), untilBatch + rank * guard);
    }

    /** The task that goes next, or null. */
    @Nullable
    TaskEntry next() {
        boolean fromBatch = batchIsNext(interactive.size() > 0, batch.size() > 0, streak, spec.batchGuard());
        return fromBatch ? batch.first() : interactive.first();
    }

    /** The rule itself. */
    static boolean batchIsNext(boolean interactiveWaits, boolean batchWaits, int streak, int guard) {
        return batchWaits && (!interactiveWaits || streak >= guard);
    }

    /** Takes the next task off its queue because it starts, and counts the turn. */
    void started(TaskEntry entry) {
        boolean isInteractive = entry.spec.priority() == Priority.INTERACTIVE;
        queue(entry.spec.priority()).remove(entry);
        starts++;
        if (!isInteractive || batch.size() == 0) {
            streak = 0;
        } else {
            streak++;
        }
    }

    /** Takes a task off its queue because it will not start. */
    void removed(TaskEntry entry) {
        queue(entry.spec.priority()).remove(entry);
        if (batch.size() == 0) {
            streak = 0;
        }
    }

    SchedulerSnapshot.Pool snapshot(long nowNs, boolean daemonDrains) {
        SchedulerSnapshot.Replica[] views = new SchedulerSnapshot.Replica[replicas.length];
        for (int i = 0; i < views.length; i++) {
            ReplicaRuntime replica = replicas[i];
            views[i] = new SchedulerSnapshot.Replica(
                    replica.spec.id(), replica.state, replica.version, replica.slots, replica.leased(), replica.ctx);
        }
        int slots = readySlots();
        return new SchedulerSnapshot.Pool(
                spec.id(),
                spec.engine(),
                spec.model(),
                interactive.size(),
                batch.size(),
                spec.queueCapacity(),
                leases(),
                slots,
                draining || daemonDrains,
                forecast.model.tokensPerSecond(),
                forecast.model.drainPerNs(nowNs, slots) * 1e9,
                forecast.lastEtaMs(nowNs),
                forecast.model.samples(),
                java.util.List.of(views));
    }
}
