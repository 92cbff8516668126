package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RestartPolicyTest {
    private static final double MOST = Math.nextDown(1.0);
    private static final RestartPolicy.Limits CALM = new RestartPolicy.Limits(1_000, 60_000, 10_000, 300_000, 1_000, 1);

    private static List<Long> waits(RestartPolicy policy, ExitKind kind, int count, double jitter) {
        List<Long> out = new ArrayList<>();
        long now = 0;
        for (int i = 0; i < count; i++) {
            policy.onStart(now);
            now += 50;
            RestartPolicy.Decision decision = policy.onExit(now, 0, kind, jitter);
            assertThat(decision.restart()).isTrue();
            out.add(decision.delayMs());
            now += decision.delayMs();
        }
        return out;
    }

    @Test
    void shouldDoubleTheCeilingUpToTheCap() {
        assertThat(waits(new RestartPolicy(CALM), ExitKind.CRASH, 9, MOST))
                .containsExactly(1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 32_000L, 60_000L, 60_000L, 60_000L);
        assertThat(waits(new RestartPolicy(CALM), ExitKind.CRASH, 100, MOST))
                .last()
                .isEqualTo(60_000L);
        assertThat(waits(new RestartPolicy(CALM), ExitKind.CRASH, 3, 0.0)).containsExactly(0L, 0L, 0L);
    }

    @Test
    void shouldWaitLongerForGpuMemory() {
        assertThat(waits(new RestartPolicy(CALM), ExitKind.VRAM_OUT_OF_MEMORY, 5, 0.0))
                .containsOnly(10_000L);
        assertThat(waits(new RestartPolicy(CALM), ExitKind.VRAM_OUT_OF_MEMORY, 5, MOST))
                .containsExactly(10_000L, 20_000L, 40_000L, 60_000L, 60_000L);
    }

    @Test
    void shouldForgetFailuresAfterAStablePeriod() {
        RestartPolicy policy = new RestartPolicy(CALM);
        waits(policy, ExitKind.CRASH, 6, MOST);
        policy.onStart(1_000_000);
        assertThat(policy.onExit(1_299_000, 299_000, ExitKind.CRASH, MOST).delayMs())
                .isEqualTo(60_000);
        policy.onStart(2_000_000);
        assertThat(policy.onExit(2_300_001, 300_000, ExitKind.CRASH, MOST).delayMs())
                .isEqualTo(1_000);
        assertThat(policy.failures()).isEqualTo(1);
    }

    @Test
    void shouldGiveUpInAStormUntilAnOperatorActs() {
        RestartPolicy policy = new RestartPolicy(new RestartPolicy.Limits(100, 1_000, 500, 60_000, 3, 10_000));
        policy.onStart(0);
        assertThat(policy.onExit(100, 0, ExitKind.EXIT_CODE, 0.5).restart()).isTrue();
        policy.onStart(200);
        assertThat(policy.onExit(300, 0, ExitKind.EXIT_CODE, 0.5).restart()).isTrue();
        policy.onStart(400);
        assertThat(policy.onExit(9_999, 0, ExitKind.EXIT_CODE, 0.5)).isEqualTo(new RestartPolicy.Decision(false, 0));
        policy.reset();
        policy.onStart(20_000);
        assertThat(policy.onExit(20_100, 0, ExitKind.EXIT_CODE, MOST)).isEqualTo(new RestartPolicy.Decision(true, 100));
    }

    @Test
    void shouldNotCountStartsThatLeftTheWindow() {
        RestartPolicy policy = new RestartPolicy(new RestartPolicy.Limits(100, 1_000, 500, 60_000, 3, 10_000));
        policy.onStart(0);
        policy.onStart(200);
        policy.onStart(400);
        assertThat(policy.onExit(10_000, 0, ExitKind.EXIT_CODE, 0.5).restart()).isTrue();
    }

    /** Days of an engine that ends at random: within any window never more starts than the limit, waits within bounds. */
    @Test
    void shouldKeepItsPromisesOverASimulatedTimeline() {
        long seed = 20_261;
        Random random = new Random(seed);
        RestartPolicy.Limits limits = RestartPolicy.Limits.DEFAULT;
        RestartPolicy policy = new RestartPolicy(limits);
        List<Long> starts = new ArrayList<>();
        ExitKind[] kinds = ExitKind.values();
        long now = -7_000;
        int gaveUp = 0;
        for (int i = 0; i < 20_000; i++) {
            policy.onStart(now);
            starts.add(now);
            long from = now;
            assertThat(starts.stream()
                            .skip(Math.max(0, starts.size() - 20))
                            .filter(at -> from - at < limits.stormWindowMs()))
                    .as("seed %d, step %d", seed, i)
                    .hasSizeLessThanOrEqualTo(limits.stormStarts());
            long ran = (long) (Math.pow(random.nextDouble(), 4) * 3_600_000);
            now += ran;
            ExitKind kind = kinds[random.nextInt(kinds.length)];
            RestartPolicy.Decision decision = policy.onExit(now, ran / 2, kind, random.nextDouble());
            if (!decision.restart()) {
                gaveUp++;
                policy.reset();
                starts.clear();
                now += 1_000;
                continue;
            }
            long floor = kind == ExitKind.VRAM_OUT_OF_MEMORY ? limits.vramBaseMs() : 0;
            assertThat(decision.delayMs()).isBetween(floor, limits.capMs());
            now += decision.delayMs();
        }
        assertThat(gaveUp).as("seed %d", seed).isBetween(1, 19_000);
    }

    @Test
    void shouldRefuseFiguresThatContradictEachOther() {
        assertThatThrownBy(() -> new RestartPolicy.Limits(1_000, 10, 5, 0, 1, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new RestartPolicy.Limits(1, 10, 50, 0, 1, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new RestartPolicy.Limits(1, 10, 5, 0, 0, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
