package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * The scheduler against a naive model in virtual time: invariants 2, 3, 8 and 9 of the architecture. Replay one seed
 * with {@code -Dsim.seed=N}, run more with {@code -Dsim.seeds=N}.
 */
class SchedulerSimTest {
    private static final int HOURS = 9;

    @Test
    void shouldKeepEveryPromiseWhenClientsAndEnginesMisbehave() {
        Long only = Long.getLong("sim.seed");
        long first = only == null ? 1 : only;
        long seeds = only == null ? Long.getLong("sim.seeds", 120) : 1;
        long fromNs = System.nanoTime();
        long admitted = 0;
        long moves = 0;
        long retries = 0;
        long later = 0;
        long limited = 0;
        long settled = 0;
        for (long seed = first; seed < first + seeds; seed++) {
            SimWorld world = new SimWorld(seed);
            try {
                world.run(HOURS);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + " failed; replay with -Dsim.seed=" + seed, e);
            }
            admitted += world.book.admitted();
            moves += world.book.moves();
            retries += world.book.retries();
            later += world.displacedLater();
            limited += world.book.limited();
            settled += world.ledger.settled();
        }
        double seconds = (System.nanoTime() - fromNs) / 1e9;
        System.out.printf(
                "SchedulerSimTest: %d simulated hours, %d tasks admitted, %d limited, %d moved, %d retried, %d displaced later, %.1f s, %.0f x real time%n",
                seeds * HOURS, admitted, limited, moves, retries, later, seconds, seeds * HOURS * 3_600 / seconds);
        assertThat(admitted).isGreaterThan(seeds * HOURS);
        assertThat(settled).as("each admitted task is settled once").isEqualTo(admitted);
        if (only == null) {
            assertThat(limited).isGreaterThan(seeds);
            assertThat(moves).isGreaterThan(seeds);
            assertThat(retries).isGreaterThan(seeds);
            assertThat(later).isGreaterThan(seeds);
        }
    }

    @Test
    void shouldYieldTheSameEffectsWhenTheSeedIsTheSame() {
        for (long seed = 1_000; seed < 1_005; seed++) {
            assertThat(new SimWorld(seed).run(2)).isEqualTo(new SimWorld(seed).run(2));
        }
        assertThat(new SimWorld(1).run(2)).isNotEqualTo(new SimWorld(2).run(2));
    }
}
