package io.llamaorch.orchestratord.bench.scheduler;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.Charge;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.Effects;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSettings;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long the core is busy with one input while a pool drains in which many tasks wait: the time of each input is a
 * sample, so that the highest one is the longest stall of everybody else.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgs = {"-Xmx1g", "-Xms1g", "-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders"})
public class DisplacementBenchmark {
    /** Tasks that wait when the drain begins. */
    @Param({"60000"})
    int queued;

    /** Whether another pool takes them; else they are evicted. */
    @Param({"true", "false"})
    boolean elsewhere;

    private final Nothing effects = new Nothing();
    private final TaskSpec.Digest digest = new TaskSpec.Digest(1, 2);
    private Scheduler<UUID> scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, pools(), effects);
    private long nowNs;
    private boolean drains;

    private static List<PoolSpec> pools() {
        List<PoolSpec> pools = new ArrayList<>();
        for (String id : List.of("a", "b")) {
            pools.add(new PoolSpec(
                    id,
                    EngineKind.MOCK,
                    "m",
                    8192,
                    100_000,
                    PoolSpec.FullPolicy.REJECT,
                    4,
                    true,
                    1,
                    null,
                    List.of(new PoolSpec.ReplicaSpec("r0", 8, null))));
        }
        return pools;
    }

    /** Fills the queue of a pool anew when the last drain is over. */
    @Setup(Level.Invocation)
    public void refill() {
        if (scheduler.hasLeavers()) {
            return;
        }
        scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, pools(), effects);
        scheduler.replicaChanged(nowNs, 0, 0, ReplicaState.READY, "v", 0, 0);
        for (int i = 0; i < queued; i++) {
            admit(i);
        }
        if (elsewhere) {
            scheduler.replicaChanged(nowNs, 1, 0, ReplicaState.READY, "v", 0, 0);
        }
        drains = false;
    }

    /** One input: the drain, or time that passes. */
    @Benchmark
    public void displace() {
        nowNs += 1_000_000;
        if (drains) {
            scheduler.advance(nowNs);
        } else {
            drains = true;
            scheduler.drainPool(nowNs, 0, true);
        }
    }

    private void admit(long number) {
        nowNs += 10;
        UUID id = new UUID(number * 0x9E3779B97F4A7C15L, number * 0xD1B54A32D192ED03L);
        TaskSpec spec = new TaskSpec(
                id,
                "key",
                digest,
                id,
                EngineKind.MOCK,
                "m",
                0,
                (number & 7) == 0 ? Priority.BATCH : Priority.INTERACTIVE,
                64,
                128,
                0,
                1_000_000_000_000_000L,
                Determinism.BEST_EFFORT,
                null,
                Placement.AUTO);
        scheduler.admit(nowNs, spec, id);
    }

    /** Hears of everything and keeps nothing. */
    private static final class Nothing implements Effects<UUID> {
        @Override
        public void admitted(UUID task, Admission admission) {}

        @Override
        public void replayed(UUID offered, UUID existing, Admission admission) {}

        @Override
        public void refused(UUID offered, ApiError error, @Nullable Allowance allowance) {
            throw new IllegalStateException(error.message());
        }

        @Override
        public void dispatched(UUID task, Dispatch dispatch) {}

        @Override
        public void evicted(UUID task, ApiError error) {}

        @Override
        public void moved(UUID task, Admission admission) {}

        @Override
        public void retryRefused(UUID task) {}

        @Override
        public void aborted(UUID task, ApiError error) {}

        @Override
        public void settled(UUID task, Charge charge) {}

        @Override
        public void answered(UUID task, Admission admission) {}
    }
}
