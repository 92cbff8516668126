package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Those who wait for one model of a pool, as a reader of the contract would write it down: lists, walked from the front. */
final class NaiveLine {
    final List<SimTask> interactive = new ArrayList<>();
    final List<SimTask> batch = new ArrayList<>();
    private final int guard;
    private int streak;

    NaiveLine(int guard) {
        this.guard = guard;
    }

    List<SimTask> queue(SimTask task) {
        return task.isInteractive() ? interactive : batch;
    }

    int size() {
        return interactive.size() + batch.size();
    }

    boolean contains(SimTask task) {
        return queue(task).contains(task);
    }

    /** Plays the rule forward until the task would start. */
    long turn(SimTask task) {
        int i = 0;
        int b = 0;
        int turn = streak;
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
            return batch.get(0);
        }
        return interactive.isEmpty() ? null : interactive.get(0);
    }

    void started(SimTask task) {
        assertThat(turn(task)).as("the next to start").isZero();
        assertThat(queue(task).remove(0)).isSameAs(task);
        streak = !task.isInteractive() || batch.isEmpty() ? 0 : streak + 1;
    }

    void removed(SimTask task) {
        assertThat(queue(task).remove(task)).as("%s was queued", task).isTrue();
        if (batch.isEmpty()) {
            streak = 0;
        }
    }
}
