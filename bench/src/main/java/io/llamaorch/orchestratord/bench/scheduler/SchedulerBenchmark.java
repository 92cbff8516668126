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
import io.llamaorch.orchestratord.scheduler.core.Outcome;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSettings;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import java.util.ArrayDeque;
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
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * P10: the core's events per second with a queue that stays at one depth. One invocation is one task's life: admitted at
 * the end of the queue, and for the task at the other end first token, finish (which starts the next) and forget; that
 * is four events and a dispatch. Time moves by 2 µs a life. The spec is made outside the core but inside the figure, as
 * the server makes one per request.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 4, time = 2)
@Fork(
        value = 1,
        jvmArgs = {"-Xmx3g", "-Xms3g", "-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders"})
public class SchedulerBenchmark {
    private static final int SLOTS = 8;
    private static final int EVENTS = 4;

    /** Tasks queued throughout. */
    @Param({"1000", "1000000"})
    int queued;

    /** Keys that wait, with as many tasks each: a position is a sum over them. */
    @Param({"1", "100"})
    int keys;

    private String[] owners = {};
    private final ArrayDeque<UUID> running = new ArrayDeque<>();
    private final TaskSpec.Digest digest = new TaskSpec.Digest(1, 2);
    private final Sink sink = new Sink();
    private final Scheduler<UUID> scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pool()), sink);
    private long nowNs;
    private long next;

    private static PoolSpec pool() {
        return new PoolSpec(
                "default",
                EngineKind.MOCK,
                "m",
                8192,
                1_100_000,
                PoolSpec.FullPolicy.REJECT,
                4,
                true,
                1,
                null,
                List.of(new PoolSpec.ReplicaSpec("r0", SLOTS, null)));
    }

    /** Fills the queue. */
    @Setup(Level.Trial)
    public void fill() {
        owners = new String[keys];
        for (int i = 0; i < keys; i++) {
            owners[i] = "key:" + i;
        }
        scheduler.replicaChanged(nowNs, 0, 0, ReplicaState.READY, "v", 0, 0);
        for (int i = 0; i < queued + SLOTS; i++) {
            admit();
        }
    }

    /** One life. */
    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public @Nullable Object admitDispatchFinish() {
        nowNs += 2_000;
        admit();
        UUID done = running.removeFirst();
        scheduler.firstToken(nowNs, done, 16);
        scheduler.finished(nowNs, done, Outcome.COMPLETED, 16, 64, 0);
        scheduler.forget(nowNs, done);
        return sink.last;
    }

    /** The position of a task in the middle of the queue, with its prediction. */
    @Benchmark
    public void query() {
        nowNs += 500;
        scheduler.query(nowNs, idOf(next - queued / 2));
    }

    /** A cancel in the middle of the queue, and a newcomer in its stead. */
    @Benchmark
    @OperationsPerInvocation(3)
    public void withdraw() {
        nowNs += 1_500;
        long victim = next - 1 - queued / 2;
        scheduler.withdraw(nowNs, idOf(victim));
        scheduler.forget(nowNs, idOf(victim));
        admit();
    }

    private static UUID idOf(long number) {
        return new UUID(number * 0x9E3779B97F4A7C15L, number * 0xD1B54A32D192ED03L);
    }

    private void admit() {
        nowNs += 10;
        UUID id = idOf(next++);
        TaskSpec spec = new TaskSpec(
                id,
                owners[(int) (next % keys)],
                digest,
                id,
                EngineKind.MOCK,
                "m",
                0,
                (next & 7) == 0 ? Priority.BATCH : Priority.INTERACTIVE,
                64,
                128,
                0,
                1_000_000_000_000_000L,
                Determinism.BEST_EFFORT,
                null,
                Placement.AUTO);
        scheduler.admit(nowNs, spec, id);
    }

    private final class Sink implements Effects<UUID> {
        @Nullable
        Object last;

        @Override
        public void admitted(UUID task, Admission admission) {
            last = admission;
        }

        @Override
        public void replayed(UUID offered, UUID existing, Admission admission) {
            last = admission;
        }

        @Override
        public void refused(UUID offered, ApiError error, @Nullable Allowance allowance) {
            throw new IllegalStateException(error.message());
        }

        @Override
        public void dispatched(UUID task, Dispatch dispatch) {
            running.add(task);
            last = dispatch;
        }

        @Override
        public void evicted(UUID task, ApiError error) {
            throw new IllegalStateException(error.message());
        }

        @Override
        public void moved(UUID task, Admission admission) {}

        @Override
        public void retryRefused(UUID task) {}

        @Override
        public void aborted(UUID task, ApiError error) {
            throw new IllegalStateException(error.message());
        }

        @Override
        public void settled(UUID task, Charge charge) {}

        @Override
        public void answered(UUID task, Admission admission) {
            last = admission;
        }
    }
}
