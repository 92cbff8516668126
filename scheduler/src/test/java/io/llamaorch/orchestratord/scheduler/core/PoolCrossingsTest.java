package io.llamaorch.orchestratord.scheduler.core;

import static io.llamaorch.orchestratord.scheduler.core.Specs.id;
import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Retries, drains and reloads that cross one another: POOL-10, POOL-30, POOL-40 and POOL-54 of specs/pools.md. */
@NullUnmarked
final class PoolCrossingsTest {
    private final Recorder effects = new Recorder();
    private long nowNs;

    /** Pools with replicas of one slot each, all ready at version v. */
    private Scheduler<String> ready(PoolSpec... pools) {
        Scheduler<String> scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pools), effects);
        for (int p = 0; p < pools.length; p++) {
            for (int r = 0; r < pools[p].replicas().size(); r++) {
                scheduler.replicaChanged(nowNs, p, r, ReplicaState.READY, "v", 0, 0);
            }
        }
        return scheduler;
    }

    private static PoolSpec pool(String id, int... slots) {
        return Specs.pool(id, 4, PoolSpec.FullPolicy.REJECT, 2, slots);
    }

    private static TaskSpec preferring(TaskSpec task, String... pools) {
        return Specs.withPlacement(
                task, new Placement(PlacementMode.PREFER, null, List.of(pools), List.of(), null, true));
    }

    private void admit(Scheduler<String> scheduler, int number, String... preferred) {
        scheduler.admit(++nowNs, preferring(Specs.task(number), preferred), "t" + number);
    }

    private List<String> since(int mark) {
        return List.copyOf(effects.log.subList(mark, effects.log.size()));
    }

    @Test
    void shouldStartATaskThatMovedWhereASlotIsFree() {
        Scheduler<String> scheduler = ready(pool("b", 1), pool("a", 1));
        admit(scheduler, 1, "a");
        scheduler.admit(++nowNs, preferring(Specs.withSizes(Specs.task(2), 8_192, 16, 10), "a"), "t2");
        scheduler.replicaChanged(++nowNs, 1, 0, ReplicaState.READY, "v", 0, 4_096);
        int mark = effects.log.size();

        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);

        assertThat(since(mark)).containsExactly("moved t2 b 0", "dispatched t2 b/r0/0");
    }

    @Test
    void shouldMoveToThePoolWithRoomWhenABetterOneWouldHaveToDropATask() {
        PoolSpec full = Specs.pool("b", 1, PoolSpec.FullPolicy.DROP_LRU, 2, 1);
        Scheduler<String> scheduler = ready(pool("a", 1), full, pool("c", 1));
        admit(scheduler, 1, "a");
        admit(scheduler, 2, "b");
        admit(scheduler, 3, "c");
        scheduler.admit(++nowNs, preferring(Specs.batch(4), "b"), "t4");
        scheduler.admit(++nowNs, preferring(Specs.batch(5), "a", "b"), "t5");
        int mark = effects.log.size();

        scheduler.drainPool(++nowNs, 0, true);

        assertThat(since(mark)).containsExactly("moved t5 c 0");
    }

    @Test
    void shouldNotKeepARefusedRetryInTheQueueThatItHadMovedTo() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1), pool("b", 1));
        admit(scheduler, 1, "a");
        admit(scheduler, 2, "a");
        admit(scheduler, 3, "b");
        admit(scheduler, 4, "a");
        scheduler.retry(++nowNs, id(1)); // its slot goes to t4, and it waits for that of t2
        int mark = effects.log.size();
        scheduler.drainPool(++nowNs, 0, true);
        scheduler.drainPool(++nowNs, 1, true);
        scheduler.drainPool(++nowNs, 1, false);
        scheduler.finished(++nowNs, id(3), Outcome.COMPLETED, 1, 1, 0);

        assertThat(since(mark)).containsExactly("moved t1 b 0", "retryRefused t1");
        assertThat(scheduler.snapshot().tasksLive()).isEqualTo(2);
        assertThat(scheduler.snapshot().pools().get(1).queuedInteractive()).isZero();
    }

    @Test
    void shouldNotRetryATaskOfTheOldModelOnTheNewOne() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1, "a");
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.endReload(++nowNs, 0, true);
        scheduler.retry(++nowNs, id(1));

        assertThat(effects.log).containsExactly("admitted t1 0", "dispatched t1 a/r0/0", "retryRefused t1");
        assertThat(scheduler.snapshot().pools().get(0).leases()).isZero();
    }

    @Test
    void shouldRetryATaskOfTheOldModelWhereThatIsStillServed() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1), pool("b", 1));
        admit(scheduler, 1, "a");
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.endReload(++nowNs, 0, true);
        scheduler.retry(++nowNs, id(1));

        assertThat(effects.log).endsWith("moved t1 b 0", "dispatched t1 b/r0/0");
    }

    @Test
    void shouldRetryByTheVersionThatTheTaskRanOnWhenItsReplicaHasChangedSince() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1, "a");
        scheduler.replicaChanged(++nowNs, 0, 0, ReplicaState.DOWN, "", 0, 0); // sooner heard of than the task's end
        scheduler.retry(++nowNs, id(1));

        assertThat(effects.log).endsWith("dispatched t1 a/r1/0");
    }

    @Test
    void shouldRefuseARetryWhenAsManyWaitAsThePoolHasSlots() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1, "a");
        admit(scheduler, 2, "a");
        for (int i = 3; i <= 5; i++) {
            admit(scheduler, i, "a");
        }
        scheduler.retry(++nowNs, id(1));
        scheduler.retry(++nowNs, id(3));
        int mark = effects.log.size();
        scheduler.retry(++nowNs, id(4));

        assertThat(since(mark)).containsExactly("retryRefused t4", "dispatched t5 a/r0/0");
    }

    @Test
    void shouldEndARetryThatWaitsPastItsDeadlineWithTheFailureOfItsLastTry() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        scheduler.admit(++nowNs, Specs.withDeadline(Specs.task(1), 1_000_000_000L), "t1");
        admit(scheduler, 2, "a");
        admit(scheduler, 3, "a");
        scheduler.retry(++nowNs, id(1));
        int mark = effects.log.size();

        scheduler.advance(nowNs += 1_000_000_000L);

        assertThat(since(mark)).containsExactly("retryRefused t1");
    }
}
