package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One pool as a reader of the contract would write it down: lists, walked from the front. */
final class NaivePool {
    final PoolSpec spec;
    final List<SimTask> interactive = new ArrayList<>();
    final List<SimTask> batch = new ArrayList<>();
    final ReplicaState[] states;
    final int[] slots;
    final List<List<@Nullable SimTask>> holders = new ArrayList<>();
    private int streak;

    NaivePool(PoolSpec spec) {
        this.spec = spec;
        int count = spec.replicas().size();
        states = new ReplicaState[count];
        slots = new int[count];
        for (int i = 0; i < count; i++) {
            states[i] = ReplicaState.LOADING;
            slots[i] = spec.replicas().get(i).slots();
            holders.add(new ArrayList<>());
        }
    }

    List<SimTask> queue(SimTask task) {
        return task.spec.priority() == Priority.INTERACTIVE ? interactive : batch;
    }

    boolean isFull(boolean isInteractive) {
        int capacity = spec.queueCapacity();
        int borrowed = Math.max(0, interactive.size() - capacity);
        return isInteractive ? interactive.size() >= capacity : batch.size() >= capacity - borrowed;
    }

    /** Whom the policy would take out for a newcomer, or null. */
    @Nullable
    SimTask victim(boolean isInteractive) {
        if (batch.isEmpty() || spec.fullPolicy() == PoolSpec.FullPolicy.REJECT) {
            return null;
        }
        if (spec.fullPolicy() == PoolSpec.FullPolicy.DROP_LRU) {
            return batch.get(0);
        }
        return isInteractive ? batch.get(batch.size() - 1) : null;
    }

    /** Plays the rule forward until the task would start. */
    long position(SimTask task) {
        int i = 0;
        int b = 0;
        int turn = streak;
        for (long before = 0; ; before++) {
            boolean fromBatch = b < batch.size() && (i >= interactive.size() || turn >= spec.batchGuard());
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

    void started(SimTask task) {
        boolean isInteractive = task.spec.priority() == Priority.INTERACTIVE;
        assertThat(position(task)).as("the next to start").isZero();
        assertThat(queue(task).remove(0)).isSameAs(task);
        streak = !isInteractive || batch.isEmpty() ? 0 : streak + 1;
    }

    void removed(SimTask task) {
        assertThat(queue(task).remove(task)).as("%s was queued", task).isTrue();
        if (batch.isEmpty()) {
            streak = 0;
        }
    }

    void take(Lease lease, SimTask task) {
        int replica = lease.replicaIndex();
        List<@Nullable SimTask> held = holders.get(replica);
        assertThat(states[replica]).isEqualTo(ReplicaState.READY);
        assertThat(lease.slotIndex()).isEqualTo(lowestFree(replica)).isLessThan(slots[replica]);
        while (held.size() <= lease.slotIndex()) {
            held.add(null);
        }
        held.set(lease.slotIndex(), task);
    }

    private int lowestFree(int replica) {
        List<@Nullable SimTask> held = holders.get(replica);
        int slot = 0;
        while (slot < held.size() && held.get(slot) != null) {
            slot++;
        }
        return slot;
    }

    void giveBack(Lease lease, SimTask task) {
        assertThat(holders.get(lease.replicaIndex()).set(lease.slotIndex(), null))
                .isSameAs(task);
    }

    int leased(int replica) {
        int count = 0;
        for (SimTask holder : holders.get(replica)) {
            count += holder == null ? 0 : 1;
        }
        return count;
    }

    /** No task waits while a slot is free. */
    void assertBusy() {
        assertThat(batch.size() + interactive.size()).isLessThanOrEqualTo(2 * spec.queueCapacity());
        if (interactive.isEmpty() && batch.isEmpty()) {
            return;
        }
        for (int replica = 0; replica < states.length; replica++) {
            boolean free = states[replica] == ReplicaState.READY && lowestFree(replica) < slots[replica];
            assertThat(free).as("free slot while tasks wait in %s", spec.id()).isFalse();
        }
    }
}
