package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TaskQueueTest {
    private final PoolRuntime pool = new PoolRuntime(0, Specs.pool(1, 4), SchedulerSettings.DEFAULT);

    private TaskEntry entry(int number, long deadlineNs) {
        PlacementPolicy.Choice choice =
                new PlacementPolicy.Choice(pool, pool.replicas[0], false, "only_candidate", 1, List.of());
        return new TaskEntry(Specs.task(number), "t" + number, number, 0, deadlineNs, choice);
    }

    @Test
    void shouldAgreeWithAListWhenTasksComeAndGoAnywhere() {
        for (long seed = 1; seed <= 12; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int capacity = seed <= 6 ? 1 + random.nextInt(200) : 3_000 + random.nextInt(60_000);
            TaskQueue queue = new TaskQueue(capacity);
            List<TaskEntry> list = new ArrayList<>();
            int fill = random.nextInt(capacity) + 1;
            for (int step = 0; step < (seed <= 6 ? 20_000 : 60_000); step++) {
                if (list.isEmpty() || (list.size() < fill && random.nextInt(8) != 0)) {
                    TaskEntry added = entry(step, 0);
                    queue.append(added);
                    list.add(added);
                } else {
                    int kind = random.nextInt(4);
                    int at = kind == 0 ? 0 : kind == 1 ? list.size() - 1 : random.nextInt(list.size());
                    queue.remove(list.remove(at));
                }
                assertThat(queue.size()).as("seed %d", seed).isEqualTo(list.size());
                if (!list.isEmpty()) {
                    int at = random.nextInt(list.size());
                    assertThat(queue.rank(list.get(at))).as("seed %d", seed).isEqualTo(at);
                    assertThat(queue.first()).isSameAs(list.get(0));
                    assertThat(queue.last()).isSameAs(list.get(list.size() - 1));
                    TaskEntry after = at + 1 < list.size() ? list.get(at + 1) : null;
                    assertThat(queue.atOrAfter(list.get(at).sequence + 1)).isSameAs(after);
                }
            }
        }
    }

    @Test
    void shouldBreakWhenOverfullOrRemovingAStranger() {
        TaskQueue queue = new TaskQueue(1);
        TaskEntry only = entry(1, 0);
        queue.append(only);

        assertThatThrownBy(() -> queue.append(entry(2, 0))).hasMessageContaining("capacity 1");
        assertThatThrownBy(() -> queue.remove(entry(3, 0))).hasMessageContaining("not in this queue");
        queue.remove(only);
        assertThat(queue.first()).isNull();
    }

    @Test
    void shouldYieldDeadlinesInOrderWhenSomeLeaveEarly() {
        SplittableRandom random = new SplittableRandom(3);
        DeadlineHeap heap = new DeadlineHeap();
        List<TaskEntry> in = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            TaskEntry entry = entry(i, random.nextInt(500));
            heap.add(entry);
            in.add(entry);
            if (random.nextInt(3) == 0) {
                heap.remove(in.remove(random.nextInt(in.size())));
            }
        }
        in.sort((a, b) -> a.deadlineAtNs != b.deadlineAtNs
                ? Long.compare(a.deadlineAtNs, b.deadlineAtNs)
                : Long.compare(a.ordinal, b.ordinal));
        for (TaskEntry expected : in) {
            assertThat(heap.earliest()).isSameAs(expected);
            heap.remove(expected);
            heap.remove(expected);
        }
        assertThat(heap.size()).isZero();
    }
}
