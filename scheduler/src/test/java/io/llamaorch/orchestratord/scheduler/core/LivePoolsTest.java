package io.llamaorch.orchestratord.scheduler.core;

import static io.llamaorch.orchestratord.scheduler.core.Specs.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Drain, reload, retry, versions, and heads that fit nothing: specs/pools.md. */
@NullUnmarked
final class LivePoolsTest {
    private static final ApiError STOPPED = ApiError.of(ErrorCode.WORKER_RESET, "stopped");

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

    private void admit(Scheduler<String> scheduler, int... numbers) {
        for (int number : numbers) {
            scheduler.admit(++nowNs, Specs.task(number), "t" + number);
        }
    }

    private List<String> since(int mark) {
        return new ArrayList<>(effects.log.subList(mark, effects.log.size()));
    }

    // ---- drain ----

    @Test
    void shouldMoveQueuedTasksOfADrainingPoolWhereAnotherTakesThem() {
        Scheduler<String> scheduler = ready(pool("a", 1), pool("b", 1));
        admit(scheduler, 1, 2, 3, 4);
        int mark = effects.log.size();
        int inA = effects.log.contains("dispatched t1 a/r0/0") ? 0 : 1;

        scheduler.drainPool(++nowNs, inA, true);

        String other = inA == 0 ? "b" : "a";
        assertThat(since(mark)).isNotEmpty().allMatch(line -> line.matches("moved t[34] " + other + " [01]"));
        assertThat(scheduler.snapshot().pools().get(inA).draining()).isTrue();
        assertThat(scheduler.snapshot().pools().get(inA).queuedInteractive()).isZero();
    }

    @Test
    void shouldEvictQueuedTasksOfADrainingPoolWhereNoOtherTakesThem() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        admit(scheduler, 1, 2);

        scheduler.drainPool(++nowNs, 0, true);
        admit(scheduler, 3);

        assertThat(effects.log).endsWith("evicted t2 POOL_UNREADY", "refused t3 POOL_UNREADY");
        assertThat(effects.lastError().retryAfterMs()).isPositive();
    }

    @Test
    void shouldStartNothingInADrainingPoolUntilItIsUndrained() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        scheduler.drainPool(++nowNs, 0, true);
        admit(scheduler, 1);
        scheduler.drainPool(++nowNs, 0, false);
        admit(scheduler, 2);

        assertThat(effects.log).containsExactly("refused t1 POOL_UNREADY", "admitted t2 0", "dispatched t2 a/r0/0");
    }

    @Test
    void shouldAbortWhatRunsOnceWhenAPoolIsAborted() {
        Scheduler<String> scheduler = ready(pool("a", 2));
        admit(scheduler, 1, 2);
        int mark = effects.log.size();

        scheduler.abortPool(++nowNs, 0, Integer.MAX_VALUE, STOPPED);
        scheduler.abortPool(++nowNs, 0, Integer.MAX_VALUE, STOPPED);
        scheduler.advance(nowNs += Specs.HOUR_NS);

        assertThat(since(mark)).containsExactly("aborted t1 WORKER_RESET", "aborted t2 WORKER_RESET");
    }

    // ---- retry ----

    @Test
    void shouldTryATaskAgainOnAnotherReplicaBeforeTheQueue() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1, 2, 3);
        int mark = effects.log.size();
        assertThat(effects.dispatches.get(0).retriable()).isTrue();

        scheduler.retry(++nowNs, id(1)); // its replica is free for the queue, it is not for t1
        scheduler.finished(++nowNs, id(2), Outcome.COMPLETED, 1, 1, 0);

        assertThat(since(mark)).containsExactly("dispatched t3 a/r0/0", "dispatched t1 a/r1/0");
        assertThat(effects.lastDispatch().attempt()).isEqualTo(1);
        assertThat(effects.lastDispatch().retriable()).isFalse();
    }

    @Test
    void shouldRefuseARetryWhenTriesAreUsedUp() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1, 1));
        admit(scheduler, 1);
        scheduler.retry(++nowNs, id(1));
        scheduler.retry(++nowNs, id(1));

        assertThat(effects.log)
                .containsExactly("admitted t1 0", "dispatched t1 a/r0/0", "dispatched t1 a/r1/0", "retryRefused t1");
        assertThat(scheduler.snapshot().pools().get(0).leases()).isZero();
        assertThat(scheduler.snapshot().tasksLive()).isZero();
    }

    @Test
    void shouldRefuseARetryWhenNoOtherReplicaIsOfTheSameVersion() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        scheduler.replicaChanged(++nowNs, 0, 1, ReplicaState.READY, "other", 0, 0);
        admit(scheduler, 1);
        assertThat(effects.lastDispatch().retriable()).isFalse();

        scheduler.retry(++nowNs, id(1));

        assertThat(effects.log).endsWith("dispatched t1 a/r0/0", "retryRefused t1");
    }

    @Test
    void shouldRefuseAWaitingRetryWhenItsReplicaGoesDown() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1, 2);
        scheduler.retry(++nowNs, id(1));
        int mark = effects.log.size();

        scheduler.replicaChanged(++nowNs, 0, 1, ReplicaState.DOWN, "v", 0, 0);

        assertThat(since(mark)).containsExactly("retryRefused t1");
    }

    @Test
    void shouldEndARetryThatCrossesTheDeadlineOrAnAbort() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1);
        scheduler.abortPool(++nowNs, 0, Integer.MAX_VALUE, STOPPED);
        scheduler.retry(++nowNs, id(1));
        scheduler.withdraw(++nowNs, id(1)); // its owner, which heard of the abort after it had given the slot back

        assertThat(effects.log).endsWith("aborted t1 WORKER_RESET", "retryRefused t1");
        assertThat(scheduler.snapshot().pools().get(0).leases()).isZero();
    }

    @Test
    void shouldTakeAWithdrawalOfATaskThatWaitsForItsRetry() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1, 2);
        scheduler.retry(++nowNs, id(1));
        assertThat(scheduler.snapshot().pools().get(0).queuedInteractive()).isEqualTo(1);

        scheduler.withdraw(++nowNs, id(1));
        scheduler.forget(++nowNs, id(1));

        assertThat(scheduler.snapshot().pools().get(0).queuedInteractive()).isZero();
        assertThat(scheduler.snapshot().tasksKnown()).isEqualTo(1);
    }

    @Test
    void shouldRefuseToRetryWhatDoesNotRun() {
        Scheduler<String> scheduler = ready(pool("a", 1));

        assertThatThrownBy(() -> scheduler.retry(++nowNs, id(1))).isInstanceOf(IllegalStateException.class);
    }

    // ---- reload ----

    @Test
    void shouldServeTheOldModelUntilTheFlipWhenTheNewOneIsLoadedBeside() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        scheduler.beginReload(++nowNs, 0, "n", false, 7_000);
        admit(scheduler, 1);
        scheduler.admit(++nowNs, model(2, "n"), "t2");
        ApiError early = effects.lastError();
        scheduler.endReload(++nowNs, 0, true);
        scheduler.admit(++nowNs, model(3, "n"), "t3");
        admit(scheduler, 4);

        assertThat(effects.log)
                .containsExactly(
                        "admitted t1 0",
                        "dispatched t1 a/r0/0",
                        "refused t2 POOL_UNREADY",
                        "admitted t3 0",
                        "refused t4 POOL_UNREADY");
        assertThat(early.retryAfterMs()).isBetween(6_000L, 7_000L);
        assertThat(early.message()).contains("is loading n in place of m");
        assertThat(scheduler.snapshot().pools().get(0).leasesBefore()).isEqualTo(1);
    }

    @Test
    void shouldTellDispatchesBeforeAndAfterTheFlipApart() {
        Scheduler<String> scheduler = ready(pool("a", 2));
        admit(scheduler, 1);
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.endReload(++nowNs, 0, true);
        scheduler.admit(++nowNs, model(2, "n"), "t2");
        int mark = effects.log.size();
        scheduler.abortPool(++nowNs, 0, 1, STOPPED);

        assertThat(effects.dispatches).extracting(Dispatch::generation).containsExactly(0, 1);
        assertThat(since(mark)).containsExactly("aborted t1 WORKER_RESET");
    }

    @Test
    void shouldLetTasksForTheNewModelWaitWhenItIsLoadedInPlace() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        scheduler.beginReload(++nowNs, 0, "n", true, 7_000);
        admit(scheduler, 1);
        scheduler.replicaChanged(++nowNs, 0, 0, ReplicaState.DOWN, "", 0, 0);
        scheduler.admit(++nowNs, model(2, "n"), "t2");
        assertThat(effects.lastAdmission().predictedStartMs()).isBetween(5_000L, 8_000L);
        scheduler.replicaChanged(++nowNs, 0, 0, ReplicaState.READY, "v", 0, 0);
        scheduler.endReload(++nowNs, 0, true);

        assertThat(effects.log).containsExactly("refused t1 POOL_UNREADY", "admitted t2 0", "dispatched t2 a/r0/0");
    }

    @Test
    void shouldGoOnAsBeforeAfterARollback() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        admit(scheduler, 1, 2);
        scheduler.beginReload(++nowNs, 0, "n", true, 1);
        scheduler.admit(++nowNs, model(3, "n"), "t3");
        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);
        int mark = effects.log.size();
        scheduler.endReload(++nowNs, 0, false);

        assertThat(since(mark)).containsExactly("evicted t3 POOL_UNREADY", "dispatched t2 a/r0/0");
        assertThat(scheduler.snapshot().pools().get(0).generation()).isZero();
    }

    @Test
    void shouldEvictQueuedTasksOfTheOldModelAtTheFlip() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        admit(scheduler, 1, 2);
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.endReload(++nowNs, 0, true);

        assertThat(effects.log).endsWith("evicted t2 POOL_UNREADY");
        assertThat(effects.lastError().message()).contains("serves n now");
    }

    @Test
    void shouldKnowNothingOfTheNewModelsSpeed() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        for (int i = 1; i <= 40; i++) {
            admit(scheduler, i);
            scheduler.finished(nowNs += 1_000_000_000L, id(i), Outcome.COMPLETED, 1, 50, 0);
        }
        assertThat(scheduler.snapshot().pools().get(0).etaSamples()).isEqualTo(40);
        admit(scheduler, 41);
        scheduler.beginReload(++nowNs, 0, "n", false, 1);
        scheduler.endReload(++nowNs, 0, true);
        scheduler.finished(nowNs += 1_000_000_000L, id(41), Outcome.COMPLETED, 1, 50, 0);

        assertThat(scheduler.snapshot().pools().get(0).etaSamples()).isZero();
    }

    private static TaskSpec model(int number, String model) {
        return Specs.of(Specs.task(number), "key", number, model);
    }

    // ---- versions ----

    @Test
    void shouldKeepStrictTasksOnOneVersion() {
        Scheduler<String> scheduler = ready(pool("a", 4, 1));
        scheduler.replicaChanged(++nowNs, 0, 1, ReplicaState.READY, "other", 0, 0);
        for (int i = 1; i <= 3; i++) {
            scheduler.admit(++nowNs, Specs.strict(Specs.task(i)), "t" + i);
        }
        scheduler.replicaChanged(++nowNs, 0, 0, ReplicaState.DOWN, "v", 0, 0);
        scheduler.admit(++nowNs, Specs.strict(Specs.task(4)), "t4");

        assertThat(effects.dispatches).extracting(Dispatch::replicaId).containsExactly("r0", "r0", "r0", "r1");
    }

    @Test
    void shouldRefuseAnotherSamplerProfileThanThePools() {
        PoolSpec a = pool("a", 1);
        PoolSpec profiled = new PoolSpec(
                a.id(), EngineKind.MOCK, a.model(), a.ctx(), 4, a.fullPolicy(), 2, true, 1, "s1", a.replicas());
        Scheduler<String> scheduler = ready(profiled);
        scheduler.admit(++nowNs, Specs.profile(Specs.task(1), "s1"), "t1");
        scheduler.admit(++nowNs, Specs.profile(Specs.task(2), "s2"), "t2");

        assertThat(effects.log).endsWith("dispatched t1 a/r0/0", "refused t2 INVALID_PARAMS");
        assertThat(effects.lastError().message()).contains("s1", "s2");
    }

    // ---- heads that fit nothing ----

    @Test
    void shouldLetOthersPassAHeadThatWaitsForAReplicaThatIsDown() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        admit(scheduler, 1);
        admit(scheduler, 2);
        scheduler.admit(++nowNs, onDevice(3, "1"), "t3");
        scheduler.admit(++nowNs, Specs.task(4), "t4");
        scheduler.replicaChanged(++nowNs, 0, 1, ReplicaState.DOWN, "v", 0, 0);
        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);
        scheduler.finished(++nowNs, id(2), Outcome.FAILED, 1, 0, 0);
        int mark = effects.log.size();
        assertThat(effects.lastDispatch().replicaId()).isEqualTo("r0");
        scheduler.replicaChanged(++nowNs, 0, 1, ReplicaState.READY, "v", 0, 0);

        assertThat(effects.log).contains("dispatched t4 a/r0/0");
        assertThat(since(mark)).containsExactly("dispatched t3 a/r1/0");
    }

    @Test
    void shouldEvictAHeadThatNoReplicaCanTakeAnyMore() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        admit(scheduler, 1);
        scheduler.admit(++nowNs, Specs.withSizes(Specs.task(2), 8_192, 16, 10), "t2");
        scheduler.replicaChanged(++nowNs, 0, 0, ReplicaState.READY, "v", 0, 4_096);
        scheduler.finished(++nowNs, id(1), Outcome.COMPLETED, 1, 1, 0);

        assertThat(effects.log).endsWith("evicted t2 POOL_UNREADY");
    }

    private static TaskSpec onDevice(int number, String mask) {
        return Specs.withPlacement(
                Specs.task(number), new Placement(PlacementMode.AUTO, null, List.of(), List.of(), mask, true));
    }

    // ---- VRAM ----

    @Test
    void shouldPreferTheReplicaWithMoreFreeMemoryWhereLoadIsEqual() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        scheduler.replicaVram(++nowNs, 0, 0, 1L << 30);
        scheduler.replicaVram(++nowNs, 0, 1, 8L << 30);
        admit(scheduler, 1);

        assertThat(effects.lastDispatch().replicaId()).isEqualTo("r1");
        assertThat(effects.lastDispatch().decision().decidedBy()).isEqualTo("free_vram");
    }

    @Test
    void shouldIgnoreMemoryThatIsNotKnownOfBoth() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        scheduler.replicaVram(++nowNs, 0, 1, 8L << 30);
        admit(scheduler, 1);

        assertThat(effects.lastDispatch().replicaId()).isEqualTo("r0");
    }
}
