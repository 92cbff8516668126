package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * How good the predictions are (P12): 8 slots, Poisson arrivals at full load, {@code max_tokens} from 128 to 1,024,
 * log-normal lengths with 30 % at the limit. Beside them, on the same tasks, an oracle that knows the true
 * distribution and plays 400 scenarios.
 */
class EtaModelSimTest {
    private static final int[] POSITION_FROM = {1, 3, 10};

    @Test
    void shouldPredictStartsNearlyAsWellAsAnOracleWhenLoadIsFull() {
        List<List<Double>> errors = lists();
        List<List<Double>> oracleErrors = lists();
        int inBand = 0;
        int banded = 0;
        double[] claimed = new double[10];
        double[] came = new double[10];
        int[] counts = new int[10];
        for (long seed = 1; seed <= 3; seed++) {
            EtaWorld world = new EtaWorld(seed);
            world.run(9_000);
            for (EtaWorld.Sample sample : world.samples()) {
                int bucket = sample.position() >= 10 ? 2 : sample.position() >= 3 ? 1 : 0;
                if (sample.position() >= POSITION_FROM[0]) {
                    double actual = sample.startNs();
                    errors.get(bucket).add(Math.abs(sample.medianNs() - actual) / actual);
                    oracleErrors.get(bucket).add(Math.abs(sample.oracleNs() - actual) / actual);
                    banded++;
                    inBand += actual >= sample.lowNs() && actual <= sample.highNs() ? 1 : 0;
                }
                int bin = Math.min(9, (int) (sample.onTime() * 10));
                claimed[bin] += sample.onTime();
                came[bin] += sample.wasOnTime() ? 1 : 0;
                counts[bin]++;
            }
        }
        double calibration = 0;
        for (int bin = 0; bin < 10; bin++) {
            calibration +=
                    Math.abs(claimed[bin] - came[bin]) / Arrays.stream(counts).sum();
        }
        double band = (double) inBand / banded;
        System.out.printf(
                "EtaModelSimTest: %d starts; median error at 1-2 / 3-9 / 10+: %.3f / %.3f / %.3f,"
                        + " oracle %.3f / %.3f / %.3f; in the 5-95 %% band %.3f; calibration error %.3f%n",
                banded,
                median(errors.get(0)),
                median(errors.get(1)),
                median(errors.get(2)),
                median(oracleErrors.get(0)),
                median(oracleErrors.get(1)),
                median(oracleErrors.get(2)),
                band,
                calibration);
        for (int bucket = 0; bucket < 3; bucket++) {
            assertThat(errors.get(bucket)).hasSizeGreaterThan(200);
            assertThat(median(errors.get(bucket))).isLessThan(1.3 * median(oracleErrors.get(bucket)));
        }
        assertThat(band).isGreaterThan(0.85);
        assertThat(calibration).isLessThan(0.08);
    }

    @Test
    void shouldUsePriorsWhenNothingWasMeasured() {
        EtaModel model = new EtaModel(SchedulerSettings.DEFAULT);

        assertThat(model.tokensPerSecond()).isBetween(29.99, 30.01);
        assertThat(model.firstTokenNs(1_000)).isEqualTo(300e6);
        assertThat(model.promptTokens(400)).isEqualTo(100);
        assertThat(model.samples()).isZero();
    }

    @Test
    void shouldSplitFirstTokenTimeWhenPromptsDiffer() {
        EtaModel model = new EtaModel(SchedulerSettings.DEFAULT);
        for (int i = 1; i <= 400; i++) {
            int tokens = (i * 37) % 500 + 1;
            model.observePrompt(tokens * 3, tokens);
            model.observeFirstToken(50_000_000L + tokens * 1_000_000L, tokens);
        }

        assertThat(model.promptTokens(300)).isBetween(100, 101);
        assertThat(model.firstTokenNs(300)).isBetween(149e6, 151e6);
        assertThat(model.firstTokenNs(0)).isBetween(49e6, 51e6);
    }

    @Test
    void shouldKeepAnAtomWhenTasksReachTheirLimit() {
        LengthModel lengths = new LengthModel();
        for (int i = 0; i < 1_000; i++) {
            lengths.observe(i % 2 == 0 ? 100 : 25, 100);
        }

        assertThat(lengths.cdf(100, 99.9)).isBetween(0.47, 0.53);
        assertThat(lengths.cdf(100, 100)).isEqualTo(1);
        assertThat(lengths.quantile(100, 0.25)).isBetween(24.0, 27.0);
        assertThat(lengths.quantile(100, 0.75)).isEqualTo(100);
        assertThat(lengths.mean(100)).isBetween(60.0, 65.0);
    }

    @Test
    void shouldRefuseAsInfeasibleWhenEvenTheSoonestEndIsTooLate() {
        Recorder effects = new Recorder();
        Scheduler<String> scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(Specs.pool(1, 8)), effects);
        scheduler.replicaChanged(0, 0, 0, ReplicaState.READY, "v", 0, 0);
        long now = 0;
        for (int i = 0; i < 40; i++) {
            TaskSpec spec = Specs.task(i);
            scheduler.admit(now, spec, "t" + i);
            scheduler.firstToken(now += 500_000_000L, spec.id(), 4);
            scheduler.finished(now += 10_000_000_000L, spec.id(), Outcome.COMPLETED, 4, 100, 0);
        }
        effects.log.clear();
        scheduler.admit(now, Specs.withDeadline(Specs.task(new UUID(9, 9)), 2_000_000_000L), "hasty");
        scheduler.admit(now, Specs.withDeadline(Specs.task(new UUID(9, 8)), 12_000_000_000L), "patient");

        assertThat(effects.log).startsWith("refused hasty DEADLINE_UNMET", "admitted patient 0");
        assertThat(effects.lastError().details())
                .extracting(detail -> detail.name())
                .containsExactly("predicted_start_ms", "predicted_end_ms", "deadline_ms");
    }

    private static List<List<Double>> lists() {
        return List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
