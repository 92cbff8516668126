package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.List;
import org.junit.jupiter.api.Test;

class SchedulerTest {
    private static final long MS = 1_000_000L;

    private final Recorder effects = new Recorder();

    private Scheduler<String> ready(PoolSpec pool) {
        Scheduler<String> scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pool), effects);
        for (int i = 0; i < pool.replicas().size(); i++) {
            scheduler.replicaChanged(0, 0, i, ReplicaState.READY, "v1", 0, 0);
        }
        return scheduler;
    }

    private void admit(Scheduler<String> scheduler, long now, int from, int to) {
        for (int i = from; i <= to; i++) {
            scheduler.admit(now, Specs.task(i), "t" + i);
        }
    }

    @Test
    void shouldDispatchAtOnceWhenASlotIsFree() {
        Scheduler<String> scheduler = ready(Specs.pool(2, 4));
        admit(scheduler, 1, 1, 3);

        assertThat(effects.log)
                .containsExactly(
                        "admitted t1 0",
                        "dispatched t1 default/r0/0",
                        "admitted t2 0",
                        "dispatched t2 default/r0/1",
                        "admitted t3 0");
        assertThat(effects.dispatches.get(0).engineVersion()).isEqualTo("v1");
        assertThat(effects.admissions.get(0).backoffMs()).isZero();
        assertThat(effects.lastAdmission().predictedStartMs()).isPositive();
        assertThat(effects.lastAdmission().queueDepth()).isEqualTo(1);
    }

    @Test
    void shouldForgetOnceTheLeaseIsBackWhenAWithdrawalCrossedTheDispatch() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 2);
        assertThatThrownBy(() -> scheduler.forget(2, Specs.id(2))).hasMessageContaining("queued");
        scheduler.finished(3, Specs.id(1), Outcome.CANCELED, 4, 0, 0); // dispatches t2
        scheduler.withdraw(3, Specs.id(2));
        scheduler.forget(3, Specs.id(2));
        assertThat(scheduler.snapshot().pools().get(0).leases()).isEqualTo(1);
        scheduler.finished(4, Specs.id(2), Outcome.NEVER_STARTED, -1, 0, 0);

        assertThat(scheduler.snapshot().pools().get(0).leases()).isZero();
        assertThat(scheduler.snapshot().tasksKnown()).isEqualTo(1);
    }

    @Test
    void shouldReuseTheLowestSlotWhenTasksFinish() {
        Scheduler<String> scheduler = ready(Specs.pool(3, 4));
        admit(scheduler, 1, 1, 5);
        effects.log.clear();
        scheduler.finished(2, Specs.id(2), Outcome.COMPLETED, 4, 10, 0);
        scheduler.finished(3, Specs.id(1), Outcome.FAILED, 4, 10, 0);

        assertThat(effects.log).containsExactly("dispatched t4 default/r0/1", "dispatched t5 default/r0/0");
        assertThat(scheduler.snapshot().pools().get(0).leases()).isEqualTo(3);
    }

    @Test
    void shouldReplayWhenTheSameTaskComesAgain() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 3);
        effects.log.clear();
        scheduler.admit(2, Specs.task(3), "again");

        assertThat(effects.log).containsExactly("replayed again t3 1");
        assertThat(scheduler.snapshot().tasksLive()).isEqualTo(3);
    }

    @Test
    void shouldRefuseAsConflictWhenBodyOrOwnerDiffers() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 1);
        effects.log.clear();
        scheduler.admit(2, Specs.of(Specs.task(1), "key", 99, "m"), "other body");
        scheduler.admit(2, Specs.of(Specs.task(1), "stranger", 1, "m"), "other owner");

        assertThat(effects.log).containsExactly("refused other body CONFLICT", "refused other owner CONFLICT");
        assertThat(effects.errors.get(0).message())
                .isEqualTo(effects.errors.get(1).message());
    }

    @Test
    void shouldFreeTheIdWhenATerminalTaskIsForgotten() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 1);
        assertThatThrownBy(() -> ready(Specs.pool(1, 4)).finished(9, Specs.id(1), Outcome.COMPLETED, 1, 1, 0))
                .isInstanceOf(IllegalStateException.class);
        scheduler.finished(2, Specs.id(1), Outcome.COMPLETED, 4, 10, 0);
        effects.log.clear();
        scheduler.admit(3, Specs.task(1), "again");
        scheduler.forget(4, Specs.id(1));
        scheduler.query(4, Specs.id(1));
        scheduler.admit(5, Specs.task(1), "anew");

        assertThat(effects.log)
                .containsExactly("replayed again t1 0", "admitted anew 0", "dispatched anew default/r0/0");
    }

    @Test
    void shouldBreakWhenTimeRunsBackwards() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 5, 1, 1);

        assertThatThrownBy(() -> scheduler.advance(4)).hasMessageContaining("backwards by 1 ns");
    }

    @Test
    void shouldTakeAQueuedTaskOutWhenItIsWithdrawn() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 4);
        effects.log.clear();
        scheduler.withdraw(2, Specs.id(3));
        scheduler.withdraw(2, Specs.id(1));
        scheduler.withdraw(2, Specs.id(77));
        scheduler.query(2, Specs.id(4));
        scheduler.finished(3, Specs.id(1), Outcome.CANCELED, 4, 1, 0);

        assertThat(effects.log).containsExactly("answered t4 1", "dispatched t2 default/r0/0");
    }

    @Test
    void shouldLetOneBatchTaskPassWhenTheGuardIsReached() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 10));
        admit(scheduler, 1, 1, 1);
        scheduler.admit(1, Specs.batch(20), "b0");
        scheduler.admit(1, Specs.batch(21), "b1");
        admit(scheduler, 1, 2, 6);
        scheduler.query(1, Specs.id(20));
        scheduler.query(1, Specs.id(21));
        assertThat(effects.log).endsWith("admitted t6 6", "answered b0 2", "answered b1 5");
        effects.log.clear();
        int[] ids = {1, 2, 3, 20, 4, 5, 21};
        for (int id : ids) {
            scheduler.finished(2, Specs.id(id), Outcome.COMPLETED, 4, 10, 0);
        }

        assertThat(effects.log)
                .containsExactly(
                        "dispatched t2 default/r0/0",
                        "dispatched t3 default/r0/0",
                        "dispatched b0 default/r0/0",
                        "dispatched t4 default/r0/0",
                        "dispatched t5 default/r0/0",
                        "dispatched b1 default/r0/0",
                        "dispatched t6 default/r0/0");
    }

    @Test
    void shouldRefuseWithAWayBackWhenTheQueueIsFull() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 2));
        admit(scheduler, 1, 1, 4);

        assertThat(effects.log).endsWith("refused t4 ADMISSION_REJECT");
        ApiError error = effects.lastError();
        assertThat(error.policyLabel()).isEqualTo("reject");
        assertThat(error.retryAfterMs()).isPositive();
        assertThat(error.message()).contains("holds 2 tasks of 2").contains("try again in");
        assertThat(error.poolId()).isEqualTo("default");
    }

    @Test
    void shouldDropTheOldestBatchTaskWhenPolicyIsDropLru() {
        Scheduler<String> scheduler = ready(Specs.pool("default", 2, PoolSpec.FullPolicy.DROP_LRU, 2, 1));
        admit(scheduler, 1, 1, 1);
        scheduler.admit(1, Specs.batch(20), "b0");
        scheduler.admit(1, Specs.batch(21), "b1");
        effects.log.clear();
        scheduler.admit(1, Specs.batch(22), "b2");
        admit(scheduler, 1, 2, 7);

        assertThat(effects.log)
                .containsExactly(
                        "evicted b0 QUEUE_FULL_DROP_LRU",
                        "admitted b2 1",
                        "admitted t2 0",
                        "admitted t3 1",
                        "evicted b1 QUEUE_FULL_DROP_LRU",
                        "admitted t4 3",
                        "evicted b2 QUEUE_FULL_DROP_LRU",
                        "admitted t5 3",
                        "refused t6 QUEUE_FULL_DROP_LRU",
                        "refused t7 QUEUE_FULL_DROP_LRU");
    }

    @Test
    void shouldShedTheNewestBatchTaskWhenPolicyIsShedLowPriority() {
        Scheduler<String> scheduler = ready(Specs.pool("default", 1, PoolSpec.FullPolicy.SHED_LOW_PRIORITY, 2, 1));
        admit(scheduler, 1, 1, 2);
        scheduler.admit(1, Specs.batch(20), "b0");
        scheduler.admit(1, Specs.batch(21), "b1");
        admit(scheduler, 1, 3, 4);

        assertThat(effects.log)
                .endsWith(
                        "refused b1 ADMISSION_REJECT",
                        "evicted b0 ADMISSION_REJECT",
                        "admitted t3 1",
                        "refused t4 ADMISSION_REJECT");
        assertThat(effects.errors.get(1).policyLabel()).isEqualTo("shed-low-priority");
    }

    @Test
    void shouldEvictQueuedAndAbortRunningOnceWhenDeadlinesPass() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        scheduler.admit(0, Specs.withDeadline(Specs.task(1), 1_000 * MS), "t1");
        scheduler.admit(0, Specs.withDeadline(Specs.task(2), 500 * MS), "t2");
        effects.log.clear();
        scheduler.advance(499 * MS);
        scheduler.advance(500 * MS);
        scheduler.advance(1_000 * MS);
        scheduler.advance(2_000 * MS);

        assertThat(effects.log).containsExactly("evicted t2 DEADLINE_UNMET", "aborted t1 DECODE_TIMEOUT");
        assertThat(scheduler.snapshot().pools().get(0).leases()).isEqualTo(1);
        scheduler.finished(2_001 * MS, Specs.id(1), Outcome.CANCELED, 4, 1, 0);
        assertThat(scheduler.snapshot().tasksLive()).isZero();
    }

    @Test
    void shouldRefuseADeadlineByThePriorsOnlyWhereItIsFarOutOfReachUntilSomethingWasMeasured() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        scheduler.admit(0, Specs.withDeadline(Specs.task(1), MS), "t1");
        assertThat(effects.log).endsWith("refused t1 DEADLINE_UNMET");
        assertThat(effects.errors.get(0).details())
                .extracting(ApiError.Detail::name)
                .containsExactly("predicted_start_ms", "predicted_end_ms", "deadline_ms");

        // A tenth of what the priors say of 100 tokens: an engine may be that fast, or the output that short.
        scheduler.admit(1, Specs.withDeadline(Specs.task(2), 300 * MS), "t2");
        assertThat(effects.log).contains("admitted t2 0");
        scheduler.finished(2, Specs.id(2), Outcome.CANCELED, 4, 1, 0);

        // Measured at a second a task, the same deadline is out of reach.
        for (int i = 100; i < 100 + SchedulerSettings.DEFAULT.etaSamplesMin(); i++) {
            long now = 2_000 * MS * i;
            admit(scheduler, now, i, i);
            scheduler.firstToken(now + 100 * MS, Specs.id(i), 4);
            scheduler.finished(now + 1_000 * MS, Specs.id(i), Outcome.COMPLETED, 4, 100, 0);
        }
        scheduler.admit(300_000 * MS, Specs.withDeadline(Specs.task(3), 300 * MS), "t3");
        assertThat(effects.log).endsWith("refused t3 DEADLINE_UNMET");
        scheduler.admit(300_000 * MS, Specs.withDeadline(Specs.task(4), 3_000 * MS), "t4");
        assertThat(effects.log).contains("admitted t4 0");
    }

    @Test
    void shouldRefuseButKeepQueuedTasksWhenReplicasGoDown() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 2);
        scheduler.replicaChanged(2, 0, 0, ReplicaState.DOWN, "", 0, 0);
        admit(scheduler, 3, 3, 3);
        scheduler.replicaChanged(4, 0, 0, ReplicaState.LOADING, "", 0, 0);
        admit(scheduler, 5, 4, 4);
        scheduler.finished(6, Specs.id(1), Outcome.FAILED, 4, 1, 0);
        effects.log.add("--");
        scheduler.replicaChanged(7, 0, 0, ReplicaState.READY, "v2", 0, 0);

        assertThat(effects.log)
                .endsWith("refused t3 POOL_UNAVAILABLE", "refused t4 POOL_UNREADY", "--", "dispatched t2 default/r0/0");
        assertThat(effects.lastError().retryAfterMs()).isEqualTo(5_000);
    }

    @Test
    void shouldLetSlotsEndWithTheirTasksWhenAReplicaShrinks() {
        Scheduler<String> scheduler = ready(Specs.pool(3, 8));
        admit(scheduler, 1, 1, 5);
        scheduler.replicaChanged(2, 0, 0, ReplicaState.READY, "v1", 1, 0);
        effects.log.clear();
        scheduler.finished(3, Specs.id(3), Outcome.COMPLETED, 4, 1, 0);
        scheduler.finished(3, Specs.id(2), Outcome.COMPLETED, 4, 1, 0);
        scheduler.finished(3, Specs.id(1), Outcome.COMPLETED, 4, 1, 0);
        scheduler.replicaChanged(4, 0, 0, ReplicaState.READY, "v1", 2, 0);

        assertThat(effects.log).containsExactly("dispatched t4 default/r0/0", "dispatched t5 default/r0/1");
    }

    @Test
    void shouldRefuseEverythingNewWhenDraining() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        admit(scheduler, 1, 1, 3);
        scheduler.beginDrain(2);
        effects.log.clear();
        admit(scheduler, 2, 3, 4);
        scheduler.finished(3, Specs.id(1), Outcome.COMPLETED, 4, 1, 0);
        scheduler.evictAll(4, ApiError.of(ErrorCode.WORKER_RESET, "stopped"));

        assertThat(effects.log)
                .containsExactly(
                        "replayed t3 t3 1",
                        "refused t4 POOL_UNREADY",
                        "dispatched t2 default/r0/0",
                        "evicted t3 WORKER_RESET");
        assertThat(scheduler.snapshot().draining()).isTrue();
    }

    @Test
    void shouldDrainOnePoolWhenTold() {
        Scheduler<String> scheduler = ready(Specs.pool(1, 4));
        scheduler.drainPool(1, 0, true);
        admit(scheduler, 1, 1, 1);
        scheduler.drainPool(2, 0, false);
        admit(scheduler, 2, 1, 1);

        assertThat(effects.log)
                .containsExactly("refused t1 POOL_UNREADY", "admitted t1 0", "dispatched t1 default/r0/0");
    }

    @Test
    void shouldRefuseWhenTheTaskTableIsFull() {
        SchedulerSettings small = new SchedulerSettings(1, 10, 8, 30, 300, 32, 100, 0, 1_000);
        Scheduler<String> scheduler = new Scheduler<>(small, List.of(Specs.pool(1, 4)), effects);
        scheduler.replicaChanged(0, 0, 0, ReplicaState.READY, "v1", 0, 0);
        admit(scheduler, 1, 1, 2);

        assertThat(effects.log).endsWith("refused t2 ADMISSION_REJECT");
        assertThat(effects.lastError().policyLabel()).isEqualTo("task_table");
    }
}
