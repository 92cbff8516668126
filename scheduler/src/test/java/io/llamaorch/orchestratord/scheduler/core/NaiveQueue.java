package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** The tasks of one priority, in the order of arrival, and the keys that take turns: lists, walked from the front. */
final class NaiveQueue {
    final List<SimTask> tasks = new ArrayList<>();
    private final List<String> round = new ArrayList<>();
    private final ToIntFunction<String> weights;
    /** Tasks that the first key of the round may still start before the next one's turn. */
    private int credit;

    NaiveQueue(ToIntFunction<String> weights) {
        this.weights = weights;
    }

    int size() {
        return tasks.size();
    }

    boolean isEmpty() {
        return tasks.isEmpty();
    }

    void add(SimTask task) {
        tasks.add(task);
        String owner = task.spec.owner();
        if (!round.contains(owner)) {
            round.add(owner);
            credit = round.size() == 1 ? weights.applyAsInt(owner) : credit;
        }
    }

    @Nullable
    SimTask head() {
        return tasks.stream()
                .filter(task -> task.spec.owner().equals(round.get(0)))
                .findFirst()
                .orElse(null);
    }

    /** A task leaves without a start. */
    boolean remove(SimTask task) {
        boolean was = tasks.remove(task);
        leaveRoundIfDone(task.spec.owner());
        return was;
    }

    private boolean leaveRoundIfDone(String owner) {
        if (tasks.stream().anyMatch(task -> task.spec.owner().equals(owner))) {
            return false;
        }
        int at = round.indexOf(owner);
        round.remove(owner);
        if (at == 0 && !round.isEmpty()) {
            credit = weights.applyAsInt(round.get(0));
        }
        return true;
    }

    void started(SimTask task) {
        assertThat(head()).isSameAs(task);
        tasks.remove(task);
        if (!leaveRoundIfDone(task.spec.owner()) && --credit == 0) {
            round.add(round.remove(0));
            credit = weights.applyAsInt(round.get(0));
        }
    }

    /** All tasks as they would start. */
    List<SimTask> order() {
        NaiveQueue copy = new NaiveQueue(weights);
        copy.tasks.addAll(tasks);
        copy.round.addAll(round);
        copy.credit = credit;
        List<SimTask> order = new ArrayList<>();
        for (SimTask next = copy.head0(); next != null; next = copy.head0()) {
            order.add(next);
            copy.started(next);
        }
        return order;
    }

    private @Nullable SimTask head0() {
        return round.isEmpty() ? null : head();
    }
}
