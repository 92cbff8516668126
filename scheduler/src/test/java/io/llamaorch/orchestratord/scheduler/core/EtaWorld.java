package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The load of P12 around one scheduler, with the truth at hand. */
final class EtaWorld implements Effects<EtaWorld.Job> {
    private static final int SLOTS = 8;
    private static final double TOKEN_NS = 1e9 / 50;
    private static final double FIRST_NS = 0.2e9;
    private static final int SCENARIOS = 400;
    private static final int WARM_UP = 1_500;

    private final SplittableRandom random;
    private final SplittableRandom oracle;
    private final Scheduler<Job> scheduler;
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            (a, b) -> a.atNs != b.atNs ? Long.compare(a.atNs, b.atNs) : Long.compare(a.order, b.order));
    private final Map<UUID, Job> running = new LinkedHashMap<>();
    private final List<Job> queued = new ArrayList<>();
    private final List<Sample> samples = new ArrayList<>();
    private long nowNs;
    private long order;

    private record Event(long atNs, long order, Runnable action) {}

    /** One admitted task: what was said of it, and what came. */
    record Sample(
            long position,
            double medianNs,
            double lowNs,
            double highNs,
            double oracleNs,
            double startNs,
            double onTime,
            boolean wasOnTime) {}

    /** One task and its true length. */
    static final class Job {
        final int number;
        final TaskSpec spec;
        final int length;
        final double spanNs;
        long admittedAtNs;
        long startedAtNs;
        long position;
        double medianNs;
        double lowNs;
        double highNs;
        double oracleNs;
        double onTime;

        Job(int number, TaskSpec spec, int length, double spanNs) {
            this.number = number;
            this.spec = spec;
            this.length = length;
            this.spanNs = spanNs;
        }
    }

    EtaWorld(long seed) {
        random = new SplittableRandom(seed);
        oracle = new SplittableRandom(seed + 1_000);
        PoolSpec pool = new PoolSpec(
                "default",
                EngineKind.MOCK,
                "m",
                8192,
                48,
                PoolSpec.FullPolicy.REJECT,
                4,
                true,
                1,
                null,
                List.of(new PoolSpec.ReplicaSpec("r0", SLOTS, null)));
        scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pool), this);
        scheduler.replicaChanged(0, 0, 0, ReplicaState.READY, "v", 0, 0);
    }

    List<Sample> samples() {
        return samples;
    }

    void run(int tasks) {
        double meanService = 0;
        SplittableRandom probe = new SplittableRandom(7);
        for (int i = 0; i < 20_000; i++) {
            meanService += (FIRST_NS + length(probe, maxTokens(probe)) * TOKEN_NS) / 20_000;
        }
        double gapNs = meanService / SLOTS;
        double at = 0;
        for (int i = 0; i < tasks; i++) {
            at += -gapNs * Math.log(1 - random.nextDouble());
            int maxTokens = maxTokens(random);
            TaskSpec spec = Specs.withMaxTokens(Specs.task(i), maxTokens);
            Job job = new Job(i, spec, length(random, maxTokens), random.nextDouble() * 60e9);
            later(at, () -> {
                job.admittedAtNs = nowNs;
                scheduler.admit(nowNs, job.spec, job);
            });
        }
        while (!events.isEmpty()) {
            Event event = events.remove();
            nowNs = event.atNs;
            event.action.run();
        }
    }

    private void later(double spanNs, Runnable action) {
        events.add(new Event(nowNs + 1 + (long) spanNs, order++, action));
    }

    private static int maxTokens(SplittableRandom random) {
        return 128 + random.nextInt(1_024 - 128 + 1);
    }

    /** 30 % reach the limit; the rest are log-normal around a third of it. */
    private static int length(SplittableRandom random, int maxTokens) {
        if (random.nextDouble() < 0.3) {
            return maxTokens;
        }
        double normal = Math.sqrt(-2 * Math.log(1 - random.nextDouble())) * Math.cos(2 * Math.PI * random.nextDouble());
        int length = (int) Math.ceil(maxTokens / 3.0 * Math.exp(0.7 * normal));
        return length >= maxTokens ? 1 + random.nextInt(maxTokens - 1) : Math.max(1, length);
    }

    @Override
    public void admitted(Job job, Admission admission) {
        PoolForecast forecast = scheduler.forecast(0);
        job.position = admission.queuePosition();
        job.onTime = admission.queueDepth() == 0
                ? forecast.model.endsWithin(job.spec.promptBytes(), job.spec.maxTokens(), job.spanNs)
                : forecast.onTime(nowNs, job.position, job.spec, job.spanNs);
        if (admission.queueDepth() > 0) {
            job.medianNs = forecast.startNs(nowNs, job.position, 0.5);
            job.lowNs = forecast.startNs(nowNs, job.position, 0.05);
            job.highNs = forecast.startNs(nowNs, job.position, 0.95);
            job.oracleNs = job.number % 4 == 0 && job.position > 0 ? oracleNs() : Double.NaN;
        }
        queued.add(job);
    }

    private double oracleNs() {
        double[] starts = new double[SCENARIOS];
        for (int k = 0; k < SCENARIOS; k++) {
            double[] free = new double[SLOTS];
            int slot = 0;
            for (Job job : running.values()) {
                double done = Math.max(0, nowNs - job.startedAtNs - FIRST_NS) / TOKEN_NS;
                int length;
                do {
                    length = length(oracle, job.spec.maxTokens());
                } while (length <= done && done < job.spec.maxTokens());
                free[slot++] = job.startedAtNs + FIRST_NS + length * TOKEN_NS - nowNs;
            }
            for (Job job : queued) {
                int least = least(free);
                free[least] += FIRST_NS + length(oracle, job.spec.maxTokens()) * TOKEN_NS;
            }
            starts[k] = free[least(free)];
        }
        Arrays.sort(starts);
        return starts[SCENARIOS / 2];
    }

    private static int least(double[] values) {
        int least = 0;
        for (int i = 1; i < values.length; i++) {
            least = values[i] < values[least] ? i : least;
        }
        return least;
    }

    @Override
    public void dispatched(Job job, Dispatch dispatch) {
        queued.remove(job);
        running.put(job.spec.id(), job);
        job.startedAtNs = nowNs;
        later(FIRST_NS, () -> scheduler.firstToken(nowNs, job.spec.id(), 4));
        later(FIRST_NS + job.length * TOKEN_NS, () -> {
            running.remove(job.spec.id());
            if (job.number >= WARM_UP && job.number % 4 == 0) {
                samples.add(new Sample(
                        job.position,
                        job.medianNs,
                        job.lowNs,
                        job.highNs,
                        job.oracleNs,
                        job.startedAtNs - job.admittedAtNs,
                        job.onTime,
                        nowNs - job.admittedAtNs <= job.spanNs));
            }
            scheduler.finished(nowNs, job.spec.id(), Outcome.COMPLETED, 4, job.length, 0);
        });
    }

    @Override
    public void replayed(Job offered, Job existing, Admission admission) {
        throw new AssertionError("replayed");
    }

    @Override
    public void refused(Job offered, ApiError error, @Nullable Allowance allowance) {
        // the queue is bounded so that full load has a steady state
    }

    @Override
    public void evicted(Job task, ApiError error) {
        throw new AssertionError("evicted " + error);
    }

    @Override
    public void moved(Job task, Admission admission) {
        throw new AssertionError("moved");
    }

    @Override
    public void retryRefused(Job task) {
        throw new AssertionError("retryRefused");
    }

    @Override
    public void aborted(Job task, ApiError error) {
        throw new AssertionError("aborted " + error);
    }

    @Override
    public void settled(Job task, Charge charge) {
        throw new AssertionError("nothing is limited");
    }

    @Override
    public void answered(Job task, Admission admission) {
        throw new AssertionError("answered");
    }
}
