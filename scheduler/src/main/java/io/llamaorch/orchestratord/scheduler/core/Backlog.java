package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Priority;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that wait for one model of one pool: a queue for each priority, and the rule by which they take turns. Owned
 * by the scheduler's thread.
 *
 * <p><b>The rule.</b> Interactive goes before batch; after {@code batchGuard} interactive starts in a row that passed a
 * waiting batch task, one batch task goes. Within a priority keys take turns, see {@link FairQueue}, and
 * for each key the order of admission holds, always.
 */
final class Backlog {
    final FairQueue interactive;
    final FairQueue batch;
    private final int guard;
    private int streak;

    /** Empty, with room for what the pool may queue. */
    Backlog(PoolSpec spec) {
        boolean borrows = spec.fullPolicy() != PoolSpec.FullPolicy.REJECT;
        interactive = new FairQueue(borrows ? 2 * spec.queueCapacity() : spec.queueCapacity());
        batch = new FairQueue(spec.queueCapacity());
        guard = spec.batchGuard();
    }

    FairQueue queue(Priority priority) {
        return priority == Priority.INTERACTIVE ? interactive : batch;
    }

    int size() {
        return interactive.size() + batch.size();
    }

    /** Interactive starts in a row that passed a waiting batch task. */
    int streak() {
        return streak;
    }

    void append(TaskEntry entry) {
        entry.backlog = this;
        queue(entry.spec.priority()).append(entry);
    }

    /** The same for a task that has its place already, wherever the capacity stands. */
    void appendBeyond(TaskEntry entry) {
        entry.backlog = this;
        queue(entry.spec.priority()).appendBeyond(entry);
    }

    /** Tasks here that would start before this one, which is here. */
    long position(TaskEntry entry) {
        boolean isInteractive = entry.spec.priority() == Priority.INTERACTIVE;
        return position(isInteractive, queue(entry.spec.priority()).rank(entry));
    }

    /** The position that a newcomer of a key would get. */
    long newcomerPosition(boolean isInteractive, Account account) {
        return position(isInteractive, (isInteractive ? interactive : batch).newcomerRank(account));
    }

    /** The position behind every task of a priority. */
    long lastPosition(boolean isInteractive) {
        return position(isInteractive, isInteractive ? interactive.size() : batch.size());
    }

    private long position(boolean isInteractive, long rank) {
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
        boolean fromBatch = batchIsNext(interactive.size() > 0, batch.size() > 0, streak, guard);
        return fromBatch ? batch.first() : interactive.first();
    }

    /** The rule itself. */
    static boolean batchIsNext(boolean interactiveWaits, boolean batchWaits, int streak, int guard) {
        return batchWaits && (!interactiveWaits || streak >= guard);
    }

    /** The first task of the higher priority, or null: who looks for another pool goes in this order. */
    @Nullable
    TaskEntry nextToLeave() {
        TaskEntry first = interactive.first();
        return first != null ? first : batch.first();
    }

    /** Takes the next task out because it starts, and counts the turn. */
    void started(TaskEntry entry) {
        boolean isInteractive = entry.spec.priority() == Priority.INTERACTIVE;
        queue(entry.spec.priority()).started(entry);
        entry.backlog = null;
        if (!isInteractive || batch.size() == 0) {
            streak = 0;
        } else {
            streak++;
        }
    }

    /** Takes a task out because it will not start from here. */
    void removed(TaskEntry entry) {
        queue(entry.spec.priority()).remove(entry);
        entry.backlog = null;
        if (batch.size() == 0) {
            streak = 0;
        }
    }
}
