package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Those who wait for one model of a pool, as a reader of the contract would write it down: lists, walked from the front. */
final class NaiveLine {
    final NaiveQueue interactive;
    final NaiveQueue batch;
    private final int guard;
    private int streak;

    NaiveLine(int guard, ToIntFunction<String> weights) {
        this.guard = guard;
        interactive = new NaiveQueue(weights);
        batch = new NaiveQueue(weights);
    }

    NaiveQueue queue(SimTask task) {
        return queue(task.isInteractive());
    }

    NaiveQueue queue(boolean isInteractive) {
        return isInteractive ? interactive : batch;
    }

    int size() {
        return interactive.size() + batch.size();
    }

    boolean contains(SimTask task) {
        return queue(task).tasks.contains(task);
    }

    /** Plays the rule forward until the task would start. */
    long turn(SimTask task) {
        int i = 0;
        int b = 0;
        int turn = streak;
        List<SimTask> interactive = this.interactive.order();
        List<SimTask> batch = this.batch.order();
        for (long before = 0; ; before++) {
            boolean fromBatch = b < batch.size() && (i >= interactive.size() || turn >= guard);
            if (!fromBatch && i >= interactive.size()) {
                throw new AssertionError("task is not queued: " + task);
            }
            SimTask next = fromBatch ? batch.get(b++) : interactive.get(i++);
            if (next == task) {
                return before;
            }
            turn = fromBatch || b >= batch.size() ? 0 : turn + 1;
        }
    }

    @Nullable
    SimTask head() {
        if (!batch.isEmpty() && (interactive.isEmpty() || streak >= guard)) {
            return batch.head();
        }
        return interactive.isEmpty() ? null : interactive.head();
    }

    void started(SimTask task) {
        assertThat(turn(task)).as("the next to start").isZero();
        queue(task).started(task);
        streak = !task.isInteractive() || batch.isEmpty() ? 0 : streak + 1;
    }

    void removed(SimTask task) {
        assertThat(queue(task).remove(task)).as("%s was queued", task).isTrue();
        if (batch.isEmpty()) {
            streak = 0;
        }
    }
}
