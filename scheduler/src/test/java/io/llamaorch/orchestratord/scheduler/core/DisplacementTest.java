package io.llamaorch.orchestratord.scheduler.core;

import static io.llamaorch.orchestratord.scheduler.core.Specs.id;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Many that have to leave their pool, a few at a time: POOL-43 and POOL-54 of specs/pools.md. */
@NullUnmarked
final class DisplacementTest {
    private static final int SLICE = 2;

    private final Recorder effects = new Recorder();
    private long nowNs;

    /** Pools of one slot each, ready. */
    private Scheduler<String> ready(String... pools) {
        List<PoolSpec> specs = new ArrayList<>();
        for (String pool : pools) {
            specs.add(Specs.pool(pool, 8, PoolSpec.FullPolicy.REJECT, 2, 1));
        }
        Scheduler<String> scheduler =
                new Scheduler<>(SchedulerSettings.DEFAULT, Accounting.NONE, specs, effects, SLICE);
        for (int p = 0; p < pools.length; p++) {
            scheduler.replicaChanged(nowNs, p, 0, ReplicaState.READY, "v", 0, 0);
        }
        return scheduler;
    }

    private void admit(Scheduler<String> scheduler, int from, int to) {
        for (int number = from; number <= to; number++) {
            scheduler.admit(++nowNs, Specs.task(number), "t" + number);
        }
    }

    private static SchedulerSnapshot.Drain drainOf(Scheduler<String> scheduler) {
        return scheduler.snapshot().pools().get(0).lastDrain();
    }

    private List<String> since(int mark) {
        return List.copyOf(effects.log.subList(mark, effects.log.size()));
    }

    @Test
    void shouldDisplaceAFewAtATimeInTheirOrderWhenAPoolDrains() {
        Scheduler<String> scheduler = ready("a", "b");
        scheduler.drainPool(++nowNs, 1, true);
        admit(scheduler, 1, 6);
        scheduler.drainPool(++nowNs, 1, false);
        int mark = effects.log.size();

        scheduler.drainPool(++nowNs, 0, true);

        assertThat(since(mark)).containsExactly("moved t2 b 0", "moved t3 b 1", "dispatched t2 b/r0/0");
        assertThat(drainOf(scheduler)).isEqualTo(new SchedulerSnapshot.Drain(1, 1, 2, 0, 3));
        assertThat(scheduler.snapshot().pools().get(0).queuedInteractive()).isEqualTo(3);

        scheduler.advance(++nowNs);
        assertThat(scheduler.hasLeavers()).isTrue();
        scheduler.advance(++nowNs);
        assertThat(scheduler.hasLeavers()).isFalse();

        assertThat(since(mark + 3)).containsExactly("moved t4 b 1", "moved t5 b 2", "moved t6 b 3");
        assertThat(drainOf(scheduler)).isEqualTo(new SchedulerSnapshot.Drain(1, 1, 5, 0, 0));
    }

    @Test
    void shouldAdmitAndStartNothingInADrainingPoolThoughSomeStillHaveToLeave() {
        Scheduler<String> scheduler = ready("a");
        admit(scheduler, 1, 6);
        scheduler.drainPool(++nowNs, 0, true);
        int mark = effects.log.size();

        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);
        admit(scheduler, 7, 7);

        assertThat(since(mark)).containsExactly("refused t7 POOL_UNREADY");
    }

    @Test
    void shouldKeepWhoHasNotLeftYetWhenThePoolIsUndrained() {
        Scheduler<String> scheduler = ready("a");
        admit(scheduler, 1, 6);
        scheduler.drainPool(++nowNs, 0, true);
        scheduler.drainPool(++nowNs, 0, false);
        int mark = effects.log.size();
        admit(scheduler, 7, 7);
        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);
        scheduler.advance(++nowNs);

        assertThat(since(mark)).containsExactly("admitted t7 3", "dispatched t4 a/r0/0");
        assertThat(drainOf(scheduler)).isEqualTo(new SchedulerSnapshot.Drain(1, 1, 0, 2, 0));
    }

    @Test
    void shouldCountForADrainOnlyWhomItDisplaced() {
        Scheduler<String> scheduler = ready("a");
        admit(scheduler, 1, 4);
        scheduler.admit(++nowNs, Specs.withDeadline(Specs.task(5), 1_000_000_000), "t5");
        admit(scheduler, 6, 6);
        scheduler.drainPool(++nowNs, 0, true);
        scheduler.withdraw(++nowNs, id(4));
        scheduler.advance(nowNs += 1_000_000_000);

        assertThat(effects.log).endsWith("evicted t5 DEADLINE_UNMET", "evicted t6 POOL_UNREADY");
        assertThat(drainOf(scheduler)).isEqualTo(new SchedulerSnapshot.Drain(1, 1, 0, 3, 0));
    }

    @Test
    void shouldServeTheNewModelAtOnceThoughManyOfTheOldOneStillHaveToLeave() {
        Scheduler<String> scheduler = ready("a");
        admit(scheduler, 1, 8);
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);
        scheduler.endReload(++nowNs, 0, true);
        int mark = effects.log.size();

        for (int number = 20; number < 28; number++) { // as many as the pool may queue: who leaves takes no room
            scheduler.admit(++nowNs, Specs.of(Specs.task(number), "key", number, "n"), "t" + number);
        }
        scheduler.query(++nowNs, id(27));
        scheduler.finished(++nowNs, id(2), Outcome.COMPLETED, 1, 1, 0);

        assertThat(since(mark))
                .startsWith("admitted t20 0", "admitted t21 1")
                .endsWith("answered t27 7", "dispatched t20 a/r0/0")
                .noneMatch(line -> line.startsWith("evicted"));
        assertThat(scheduler.snapshot().pools().get(0).queuedInteractive()).isEqualTo(7 + 4);
    }

    @Test
    void shouldEndThoseOfAModelThatDidNotComeAFewAtATime() {
        Scheduler<String> scheduler = ready("a");
        admit(scheduler, 1, 2);
        scheduler.beginReload(++nowNs, 0, "n", true, 1);
        for (int number = 3; number <= 7; number++) {
            scheduler.admit(++nowNs, Specs.of(Specs.task(number), "key", number, "n"), "t" + number);
        }
        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);
        int mark = effects.log.size();

        scheduler.endReload(++nowNs, 0, false);
        scheduler.query(++nowNs, id(7));
        scheduler.advance(++nowNs);
        scheduler.advance(++nowNs);

        assertThat(since(mark))
                .containsExactly(
                        "evicted t3 POOL_UNREADY",
                        "evicted t4 POOL_UNREADY",
                        "dispatched t2 a/r0/0",
                        "answered t7 2",
                        "evicted t5 POOL_UNREADY",
                        "evicted t6 POOL_UNREADY",
                        "evicted t7 POOL_UNREADY");
    }

    @Test
    void shouldEvictWhoStillHasToLeaveWithAllOthers() {
        Scheduler<String> scheduler = ready("a");
        admit(scheduler, 1, 8);
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.endReload(++nowNs, 0, true);
        int mark = effects.log.size();
        scheduler.evictAll(++nowNs, SimOperator.STOPPED);

        assertThat(since(mark)).hasSize(5).allMatch(line -> line.endsWith("WORKER_RESET"));
        assertThat(scheduler.hasLeavers()).isFalse();
    }
}
