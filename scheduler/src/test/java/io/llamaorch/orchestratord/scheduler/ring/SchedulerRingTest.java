package io.llamaorch.orchestratord.scheduler.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import io.llamaorch.orchestratord.scheduler.core.Accounting;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.BudgetBalance;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.scheduler.core.Charge;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.Effects;
import io.llamaorch.orchestratord.scheduler.core.Outcome;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSettings;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class SchedulerRingTest {
    private final AtomicInteger admitted = new AtomicInteger();
    private final AtomicInteger dispatched = new AtomicInteger();
    private final AtomicInteger evicted = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger fatal = new AtomicInteger();
    private final AtomicReference<Throwable> cause = new AtomicReference<>();
    private final AtomicReference<String> thread = new AtomicReference<>("");
    private final List<Refusal> refusals = new CopyOnWriteArrayList<>();
    private volatile Runnable onDispatched = () -> {};
    private volatile Runnable onAdmitted = () -> {};

    private record Refusal(String handle, ApiError error) {}

    private SchedulerRing<String> ring(int size, WaitMode mode, Runnable onBatchEnd) {
        return ring(size, mode, 1_000_000, onBatchEnd);
    }

    private SchedulerRing<String> ring(int size, WaitMode mode, long tickNs, Runnable onBatchEnd) {
        PoolSpec pool = new PoolSpec(
                "p",
                EngineKind.MOCK,
                "m",
                8192,
                100_000,
                PoolSpec.FullPolicy.REJECT,
                4,
                true,
                1,
                null,
                List.of(new PoolSpec.ReplicaSpec("r", 1_000, null)));
        Scheduler<String> core = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pool), new Count());
        return new SchedulerRing<>(
                core, new RingSettings(size, mode, tickNs, 0), System::nanoTime, onBatchEnd, this::onFatal);
    }

    private void onFatal(Throwable failure) {
        cause.set(failure);
        fatal.incrementAndGet();
    }

    private static TaskSpec spec(UUID id) {
        return new TaskSpec(
                id,
                "k",
                new TaskSpec.Digest(0, 0),
                id,
                EngineKind.MOCK,
                "m",
                0,
                Priority.INTERACTIVE,
                4,
                16,
                0,
                3_600_000_000_000L,
                Determinism.BEST_EFFORT,
                null,
                Placement.AUTO);
    }

    @ParameterizedTest
    @EnumSource(WaitMode.class)
    void shouldWaitForNoTickWhileTasksHaveToLeaveTheirPool(WaitMode mode) {
        SchedulerRing<String> ring = ring(2_048, mode, 3_600_000_000_000L, () -> {});
        ring.offerReplicaChanged(0, 0, ReplicaState.READY, "v", 0, 0);
        for (int i = 0; i < 1_500; i++) {
            assertThat(ring.offerAdmit(spec(new UUID(0, i)), "t")).isTrue();
        }
        ring.offerDrainPool(0, true);
        ring.start();

        until(() -> evicted.get() == 500);
        ring.close();
    }

    @ParameterizedTest
    @EnumSource(WaitMode.class)
    void shouldLoseNothingWhenManyThreadsOffer(WaitMode mode) throws InterruptedException {
        SchedulerRing<String> ring = ring(256, mode, () -> {});
        ring.start();
        assertThat(ring.offerReplicaChanged(0, 0, ReplicaState.READY, "v", 0, 0))
                .isTrue();
        List<Thread> producers = new ArrayList<>();
        for (int p = 0; p < 4; p++) {
            int producer = p;
            producers.add(new Thread(() -> {
                for (int i = 0; i < 2_000; i++) {
                    UUID id = new UUID(producer, i);
                    until(() -> ring.offerAdmit(spec(id), "t"));
                    until(() -> ring.offerProgress(id, 1));
                }
            }));
        }
        producers.forEach(Thread::start);
        for (Thread producer : producers) {
            producer.join();
        }
        ring.close();

        assertThat(admitted).hasValue(8_000);
        assertThat(dispatched).hasValue(1_000);
        assertThat(fatal).hasValue(0);
        assertThat(thread).hasValue("scheduler-0");
        assertThat(ring.snapshot().tasksLive()).isEqualTo(8_000);
        assertThat(ring.offerQuery(new UUID(0, 0))).isFalse();
    }

    @Test
    void shouldAnswerQuestionsInOrderAndOnTheSchedulersThread() {
        SchedulerRing<String> ring = ring(64, WaitMode.PARKING, () -> {});
        List<String> answers = new CopyOnWriteArrayList<>();
        UUID id = new UUID(0, 1);
        assertThat(ring.offerReplicaChanged(0, 0, ReplicaState.READY, "v", 0, 0))
                .isTrue();
        assertThat(ring.offerSession("k", false, id, info -> answers.add("before " + info)))
                .isTrue();
        assertThat(ring.offerAdmit(spec(id), "t")).isTrue();
        assertThat(ring.offerSession(
                        "k", false, id, info -> answers.add("turns " + (info == null ? -1 : info.turns()))))
                .isTrue();
        assertThat(ring.offerBudgetSnapshot(lines -> answers.add(
                        lines.size() + " lines on " + Thread.currentThread().getName())))
                .isTrue();
        assertThat(ring.offerEndSession("k", false, id, open -> answers.add("open " + open)))
                .isTrue();
        assertThat(ring.offerRestoreBudget(new BudgetBalance("x", null, BudgetKind.COST, 7, 0, 0)))
                .isTrue();
        assertThat(ring.offerChangeAccounting(Accounting.NONE)).isTrue();
        assertThat(ring.offerBudgetSnapshot(lines -> answers.add(lines.size() + " lines")))
                .isTrue();
        ring.start();
        ring.close();

        assertThat(answers).containsExactly("before null", "turns 1", "2 lines on scheduler-0", "open [t]", "3 lines");
        assertThat(ring.offerSession("k", false, id, info -> {})).isFalse();
    }

    private static void until(java.util.function.BooleanSupplier offer) {
        while (!offer.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldRefuseAdmissionsBeforeControlEventsWhenTheRingFillsUp() {
        SchedulerRing<String> ring = ring(16, WaitMode.PARKING, () -> {});
        int admissions = 0;
        while (ring.offerAdmit(spec(new UUID(0, admissions)), "t")) {
            admissions++;
        }
        int others = 0;
        while (ring.offerQuery(new UUID(0, others))) {
            others++;
        }

        assertThat(admissions).isEqualTo(13);
        assertThat(others).isEqualTo(3);
        assertThat(ring.occupancy()).isEqualTo(16);
        ring.start();
        ring.close();
        assertThat(refused).hasValue(13);
        assertThat(ring.occupancy()).isZero();
    }

    @Test
    void shouldStopOnceAndRefuseOffersWhenTheCoreBreaks() throws InterruptedException {
        SchedulerRing<String> ring = ring(16, WaitMode.PARKING, () -> {});
        ring.start();
        assertThat(ring.offerFinished(new UUID(1, 1), Outcome.COMPLETED, 1, 1, 0))
                .isTrue();
        until(() -> fatal.get() == 1);

        assertThat(cause.get()).hasMessageContaining("does not run");
        assertThat(ring.alive()).isFalse();
        assertThat(ring.offerAdmit(spec(new UUID(0, 0)), "t")).isFalse();
        assertThat(ring.offerWithdraw(new UUID(0, 0))).isFalse();
        ring.close();
        assertThat(fatal).hasValue(1);
    }

    @Test
    void shouldRefuseEveryAdmissionThatWasNotLookedAtWhenTheCoreBreaks() {
        SchedulerRing<String> ring = ring(64, WaitMode.PARKING, () -> {});
        assertThat(ring.offerAdmit(spec(new UUID(0, 1)), "before")).isTrue(); // refused by the core: nothing is ready
        assertThat(ring.offerFinished(new UUID(1, 1), Outcome.COMPLETED, 1, 1, 0))
                .isTrue(); // the defect
        assertThat(ring.offerAdmit(spec(new UUID(0, 2)), "same batch")).isTrue();
        assertThat(ring.offerQuery(new UUID(0, 2))).isTrue();
        assertThat(ring.offerAdmit(spec(new UUID(0, 3)), "same batch too")).isTrue();
        ring.start(); // all of it is one batch
        until(() -> fatal.get() == 1);

        assertThat(refusals).extracting(Refusal::handle).containsExactly("before", "same batch", "same batch too");
        assertThat(refusals)
                .extracting(refusal -> refusal.error().code())
                .containsExactly(ErrorCode.POOL_UNREADY, ErrorCode.INTERNAL, ErrorCode.INTERNAL);
        assertThat(admitted).hasValue(0);
    }

    @Test
    void shouldRefuseWhatWasOfferedWhileTheCoreBroke() {
        SchedulerRing<String> ring = ring(64, WaitMode.PARKING, () -> {});
        onAdmitted = () -> {
            ring.offerAdmit(spec(new UUID(0, 2)), "meanwhile");
            throw new IllegalStateException("a defect");
        };
        assertThat(ring.offerReplicaChanged(0, 0, ReplicaState.READY, "v", 0, 0))
                .isTrue();
        assertThat(ring.offerAdmit(spec(new UUID(0, 1)), "breaks")).isTrue();
        ring.start();
        until(() -> fatal.get() == 1);

        assertThat(refusals).extracting(Refusal::handle).contains("meanwhile");
        assertThat(cause.get()).hasMessage("a defect");
    }

    @Test
    void shouldFlushTheRefusalsOfADefectBeforeItIsTold() {
        AtomicInteger flushed = new AtomicInteger();
        SchedulerRing<String> ring = ring(64, WaitMode.PARKING, () -> flushed.set(refused.get()));
        assertThat(ring.offerFinished(new UUID(1, 1), Outcome.COMPLETED, 1, 1, 0))
                .isTrue();
        assertThat(ring.offerAdmit(spec(new UUID(0, 1)), "t")).isTrue();
        ring.start();
        until(() -> fatal.get() == 1);

        assertThat(flushed).hasValue(1);
    }

    @Test
    void shouldTickAndFlushWhenIdle() throws InterruptedException {
        CountDownLatch ticks = new CountDownLatch(5);
        SchedulerRing<String> ring = ring(16, WaitMode.YIELDING, ticks::countDown);
        ring.start();
        ticks.await();
        ring.close();

        assertThat(fatal).hasValue(0);
    }

    @Test
    void shouldSeeEffectsBeforeTheFlushWhenABatchEnds() throws InterruptedException {
        CountDownLatch flushed = new CountDownLatch(1);
        AtomicInteger atFlush = new AtomicInteger();
        CountDownLatch started = new CountDownLatch(1);
        onDispatched = started::countDown;
        SchedulerRing<String> ring = ring(16, WaitMode.PARKING, () -> {
            if (started.getCount() == 0) {
                atFlush.compareAndSet(0, dispatched.get());
                flushed.countDown();
            }
        });
        ring.start();
        until(() -> ring.offerReplicaChanged(0, 0, ReplicaState.READY, "v", 0, 0));
        until(() -> ring.offerAdmit(spec(new UUID(0, 1)), "t"));
        flushed.await();
        ring.close();

        assertThat(atFlush).hasValue(1);
        assertThat(ring.snapshot().pools().get(0).leases()).isEqualTo(1);
    }

    private final class Count implements Effects<String> {
        @Override
        public void admitted(String task, Admission admission) {
            admitted.incrementAndGet();
            thread.set(Thread.currentThread().getName());
            onAdmitted.run();
        }

        @Override
        public void replayed(String offered, String existing, Admission admission) {}

        @Override
        public void refused(String offered, ApiError error, @Nullable Allowance allowance) {
            refusals.add(new Refusal(offered, error));
            refused.incrementAndGet();
        }

        @Override
        public void dispatched(String task, Dispatch dispatch) {
            dispatched.incrementAndGet();
            onDispatched.run();
        }

        @Override
        public void evicted(String task, ApiError error) {
            evicted.incrementAndGet();
        }

        @Override
        public void moved(String task, Admission admission) {}

        @Override
        public void retryRefused(String task) {}

        @Override
        public void aborted(String task, ApiError error) {}

        @Override
        public void settled(String task, Charge charge) {}

        @Override
        public void answered(String task, Admission admission) {}
    }

    @Test
    void shouldRunProbesOnTheSchedulersThreadInTheirTurn() throws InterruptedException {
        CountDownLatch probed = new CountDownLatch(1);
        AtomicReference<String> where = new AtomicReference<>("");
        AtomicInteger before = new AtomicInteger(-1);
        try (SchedulerRing<String> ring = ring(64, WaitMode.PARKING, () -> {})) {
            ring.offerReplicaChanged(0, 0, ReplicaState.READY, "v", 1_000, 8192);
            ring.offerAdmit(spec(new UUID(0, 1)), "t");
            assertThat(ring.offerProbe(() -> {
                        where.set(Thread.currentThread().getName());
                        before.set(admitted.get());
                        probed.countDown();
                    }))
                    .isTrue();
            ring.start();
            probed.await();
        }
        assertThat(where.get()).isEqualTo("scheduler-0");
        assertThat(before.get()).isEqualTo(1);
    }
}
