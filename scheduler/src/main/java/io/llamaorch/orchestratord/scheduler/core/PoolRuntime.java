package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One pool as it is now: what waits for it, and its replicas. Owned by the scheduler's thread.
 *
 * <p><b>Order.</b> By the rule of a {@link Backlog}: a task at the head that no free replica suits (device mask, context)
 * is waited for.
 *
 * <p><b>Models.</b> Tasks wait in a backlog of their model's own: of the one that is served, and, while that is paused, of
 * the one that comes. So a change of the model is a change of the backlog, whatever waits there; those that the change
 * leaves behind have to leave, a few at a time, and neither start nor count for anybody's position meanwhile.
 *
 * <p><b>Aside.</b> A task that no READY replica could ever take, while one that is not READY could, waits beside the
 * queue and does not hold up those behind it; so does a task that is tried again. They go first when a slot suits them.
 *
 * <p><b>Room.</b> Each priority may queue {@code queueCapacity} tasks. Where the policy lets an interactive newcomer
 * take the place of a batch task, the place stays interactive until it drains, so that both together never pass twice
 * the capacity.
 */
final class PoolRuntime {
    /** Most tasks set aside from the queue; tasks that are tried again come on top, see {@link #hasRoomForRetry}. */
    private static final int ASIDE_MAX = 64;
    /** One bit each in {@link TaskEntry#failedOn}. */
    private static final int REPLICAS_MAX = Long.SIZE;

    final int index;
    final PoolSpec spec;
    final ReplicaRuntime[] replicas;
    final PoolForecast forecast;
    /** Who waits for {@link #model}. */
    Backlog served;
    /** Who waits for {@link #incoming}, where that is another model and tasks may wait for it; else null. */
    @Nullable
    Backlog coming;
    /** Tasks that wait beside the queues, oldest first. */
    final ArrayDeque<TaskEntry> aside = new ArrayDeque<>();

    boolean draining;
    /** Whether tasks have moved here since it last looked for slots. */
    boolean received;
    /** Tasks started, ever. */
    long starts;
    /** The model that it serves. */
    String model;
    /** How often {@link #model} was changed. */
    int generation;
    /** The model that is being loaded; null while none is. */
    @Nullable
    String incoming;
    /** Whether nothing may start while {@link #incoming} is loaded. */
    boolean paused;

    private long reloadEndsAtNs;
    private String strictVersion = "";

    /** Those whose model is not served any more, or did not come, oldest first. */
    private final ArrayDeque<Backlog> leaving = new ArrayDeque<>();
    /** One that is empty and not in use. */
    @Nullable
    private Backlog spare;

    private SchedulerSnapshot.Drain lastDrain = SchedulerSnapshot.Drain.NONE;
    private int retriesAside;
    private int slotsConfigured;

    PoolRuntime(int index, PoolSpec spec, SchedulerSettings settings) {
        if (spec.queueCapacity() < 1 || spec.batchGuard() < 1 || spec.replicas().isEmpty()) {
            throw new IllegalArgumentException(
                    "pool " + spec.id() + " needs queueCapacity, batchGuard and a number of replicas of at least 1");
        }
        if (spec.replicas().size() > REPLICAS_MAX || spec.retries() < 0) {
            throw new IllegalArgumentException(
                    "pool " + spec.id() + " has more than " + REPLICAS_MAX + " replicas or fewer than 0 retries");
        }
        this.index = index;
        this.spec = spec;
        this.model = spec.model();
        this.served = new Backlog(spec);
        replicas = new ReplicaRuntime[spec.replicas().size()];
        for (int i = 0; i < replicas.length; i++) {
            PoolSpec.ReplicaSpec replica = spec.replicas().get(i);
            if (replica.slots() < 1 || replica.slots() > settings.slotsMax()) {
                throw new IllegalArgumentException("replica " + replica.id() + " of pool " + spec.id() + " has "
                        + replica.slots() + " slots, outside 1 to " + settings.slotsMax());
            }
            replicas[i] = new ReplicaRuntime(spec.id(), i, replica, spec.ctx());
            slotsConfigured += replica.slots();
        }
        forecast = new PoolForecast(this, settings);
    }

    /** Where newcomers queue. */
    Backlog open() {
        Backlog next = coming;
        return next != null ? next : served;
    }

    /** Tasks that wait here and may stay. */
    int queued() {
        return served.size() + sizeOf(coming) + aside.size();
    }

    private static int sizeOf(@Nullable Backlog backlog) {
        return backlog == null ? 0 : backlog.size();
    }

    /** Of those, by priority and without those aside. */
    int queued(Priority priority) {
        Backlog next = coming;
        return served.queue(priority).size()
                + (next == null ? 0 : next.queue(priority).size());
    }

    /** Whether a task that came now would start now, some replica's constraints aside. */
    boolean startsNow() {
        return served.size() == 0 && hasFreeSlot();
    }

    /** Whether a slot can be given out now. */
    boolean hasFreeSlot() {
        if (paused || draining) {
            return false;
        }
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

    private int leasesBefore() {
        int leased = 0;
        for (ReplicaRuntime replica : replicas) {
            for (int slot = 0; generation > 0 && slot < replica.slotIndexEnd(); slot++) {
                TaskEntry holder = replica.holder(slot);
                leased += holder != null && holder.generation < generation ? 1 : 0;
            }
        }
        return leased;
    }

    /** Whether a newcomer finds a place of its own, so that nobody has to make room. */
    boolean hasRoom(boolean isInteractive) {
        int capacity = spec.queueCapacity();
        int interactive = queued(Priority.INTERACTIVE);
        if (isInteractive) {
            return interactive < capacity;
        }
        return queued(Priority.BATCH) < capacity - Math.max(0, interactive - capacity);
    }

    /** The queued task whose place a newcomer takes by this pool's policy, or null: then the newcomer is refused. */
    @Nullable
    TaskEntry victim(boolean isInteractive) {
        return switch (spec.fullPolicy()) {
            case DROP_LRU -> oldestBatch();
            case SHED_LOW_PRIORITY -> isInteractive ? newestBatch() : null;
            case REJECT -> null;
        };
    }

    private @Nullable TaskEntry oldestBatch() {
        TaskEntry oldest = served.batch.oldest(); // nobody joins these while others come
        return oldest != null ? oldest : open().batch.oldest();
    }

    private @Nullable TaskEntry newestBatch() {
        TaskEntry newest = open().batch.newest();
        return newest != null ? newest : served.batch.newest();
    }

    /** Whether a newcomer of that priority can be queued, with or without a victim. */
    boolean accepts(boolean isInteractive) {
        return hasRoom(isInteractive) || victim(isInteractive) != null;
    }

    /** Tasks that would start before this queued one. */
    long position(TaskEntry entry) {
        if (entry.aside) {
            long ahead = 0;
            for (TaskEntry other : aside) {
                if (other == entry) {
                    break;
                }
                ahead++;
            }
            return ahead;
        }
        Backlog backlog = entry.backlog();
        return first(backlog) + backlog.position(entry);
    }

    /** The position that a newcomer of a key would get. */
    long newcomerPosition(boolean isInteractive, Account account) {
        return first(open()) + open().newcomerPosition(isInteractive, account);
    }

    /** The position behind every task of a priority. */
    long lastPosition(boolean isInteractive) {
        return first(open()) + open().lastPosition(isInteractive);
    }

    /** Those aside that start before a backlog's first. */
    private long first(Backlog backlog) {
        // Those aside that fit no slot which is free now do not go before a task that such a slot suits; and where
        // another model is waited for, they leave when it comes.
        return backlog != served || aside.isEmpty() || hasFreeSlot() ? 0 : aside.size();
    }

    /** The task that goes next, or null. */
    @Nullable
    TaskEntry next() {
        return served.next();
    }

    /** Takes the next task off its queue because it starts, and counts the turn. */
    void started(TaskEntry entry) {
        starts++;
        if (entry.aside) {
            leaveAside(entry);
        } else {
            entry.backlog().started(entry);
        }
    }

    /** Takes a task off its queue because it will not start. */
    void removed(TaskEntry entry) {
        if (entry.aside) {
            leaveAside(entry);
        } else {
            entry.backlog().removed(entry);
        }
    }

    /** Whether one more task that nothing READY suits may be set aside. */
    boolean hasRoomAside() {
        return aside.size() - retriesAside < ASIDE_MAX;
    }

    /** Whether one more task may wait to be tried again: at most as many as the pool was configured with slots. */
    boolean hasRoomForRetry() {
        return retriesAside < slotsConfigured;
    }

    /** Puts a task beside the queues; it is in none of them. */
    void putAside(TaskEntry entry) {
        entry.aside = true;
        aside.addLast(entry);
        retriesAside += entry.isRetry() ? 1 : 0;
    }

    private void leaveAside(TaskEntry entry) {
        if (!aside.remove(entry)) {
            throw new IllegalStateException("task " + entry.spec.id() + " is not beside the queues");
        }
        entry.aside = false;
        retriesAside -= entry.isRetry() ? 1 : 0;
    }

    // ---- leaving ----

    /** From now on everybody who waits here has to leave; or, those may stay who have not left yet. */
    void drain(boolean drain) {
        draining = drain;
        if (drain) {
            lastDrain = new SchedulerSnapshot.Drain(lastDrain.number() + 1, leases(), 0, 0, 0);
        }
        forecast.invalidate();
    }

    /** A task that the drain displaced is elsewhere, or over. */
    void drained(boolean moved) {
        lastDrain = lastDrain.andOne(moved);
    }

    /** Whether somebody who is not aside has to leave. */
    boolean hasLeavers() {
        return nextToLeave() != null;
    }

    /** The next task that has to leave and is not aside, or null. */
    @Nullable
    TaskEntry nextToLeave() {
        for (Backlog backlog = leaving.peekFirst(); backlog != null; backlog = leaving.peekFirst()) {
            TaskEntry next = backlog.nextToLeave();
            if (next != null) {
                return next;
            }
            spare = leaving.removeFirst();
        }
        if (!draining) {
            return null;
        }
        TaskEntry next = served.nextToLeave();
        return next != null ? next : open().nextToLeave();
    }

    /** Whether a task that waits here could stay but for a drain. */
    boolean couldStay(TaskEntry entry) {
        return entry.aside || entry.backlog == served || entry.backlog == coming;
    }

    /** Whoever goes next of all backlogs; null where nobody waits but aside. */
    @Nullable
    TaskEntry nextOfAll() {
        TaskEntry next = served.next();
        next = next != null ? next : open().next();
        return next != null || leaving.isEmpty() ? next : nextToLeave();
    }

    private void leave(@Nullable Backlog backlog) {
        if (backlog == null) {
            return;
        }
        if (backlog.size() > 0) {
            leaving.add(backlog);
        } else {
            spare = backlog;
        }
    }

    private Backlog fresh() {
        Backlog used = spare;
        spare = null;
        return used != null ? used : new Backlog(spec);
    }

    // ---- versions ----

    /** The engine version on which tasks run that want their bytes repeated: one for the pool, kept while it is there. */
    String strictVersion() {
        return strictVersion;
    }

    /** Looks at the replicas' versions anew: the one in use stays while any READY replica has it, else the commonest. */
    void refreshStrictVersion() {
        String best = null;
        int bestCount = 0;
        for (ReplicaRuntime replica : replicas) {
            int count = replica.ready() ? readyAt(replica.version) : 0;
            if (count > 0 && replica.version.equals(strictVersion)) {
                return;
            }
            if (count > bestCount || (count == bestCount && best != null && replica.version.compareTo(best) < 0)) {
                best = replica.version;
                bestCount = count;
            }
        }
        if (best != null) {
            strictVersion = best;
        }
    }

    private int readyAt(String version) {
        int count = 0;
        for (ReplicaRuntime replica : replicas) {
            count += replica.ready() && replica.version.equals(version) ? 1 : 0;
        }
        return count;
    }

    // ---- reload ----

    /** Whether tasks for a model may wait here: it is served, or loaded in the other one's place. */
    boolean willServe(String modelRef) {
        return modelRef.equals(model) || (paused && modelRef.equals(incoming));
    }

    void beginReload(String model, boolean pause, long endsAtNs) {
        incoming = model;
        paused = pause;
        coming = pause && !model.equals(this.model) ? fresh() : null;
        reloadEndsAtNs = endsAtNs;
        forecast.invalidate();
    }

    /** @param committed whether the new model is there; else the old one serves on */
    void endReload(boolean committed) {
        String loaded = incoming;
        Backlog waiting = coming;
        incoming = null;
        coming = null;
        paused = false;
        forecast.invalidate();
        if (!committed || loaded == null) {
            leave(waiting);
            return;
        }
        generation++;
        for (ReplicaRuntime replica : replicas) {
            replica.epoch++; // what the old model had cached is of no use to the new one
        }
        if (!loaded.equals(model)) {
            leave(served);
            served = waiting != null ? waiting : fresh();
            model = loaded;
            forecast.forget();
        }
    }

    /** When a reload that is under way is thought to be over, from now; at least {@code leastMs}, ms. */
    long reloadRemainingMs(long nowNs, long leastMs) {
        return Math.max(leastMs, (reloadEndsAtNs - nowNs) / 1_000_000);
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
                model,
                incoming,
                generation,
                waiting(Priority.INTERACTIVE),
                waiting(Priority.BATCH),
                spec.queueCapacity(),
                leases(),
                leasesBefore(),
                slots,
                draining || daemonDrains,
                lastDrain.left(draining ? queued() : 0),
                forecast.model.tokensPerSecond(),
                forecast.model.drainPerNs(nowNs, slots) * 1e9,
                forecast.lastEtaMs(nowNs),
                forecast.model.samples(),
                List.of(views));
    }

    private int waiting(Priority priority) {
        int waiting = queued(priority);
        for (Backlog backlog : leaving) {
            waiting += backlog.queue(priority).size();
        }
        for (TaskEntry entry : aside) {
            waiting += entry.spec.priority() == priority ? 1 : 0;
        }
        return waiting;
    }
}
