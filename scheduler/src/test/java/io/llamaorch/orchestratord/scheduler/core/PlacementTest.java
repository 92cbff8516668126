package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private final Recorder effects = new Recorder();

    private Scheduler<String> ready(PoolSpec... pools) {
        Scheduler<String> scheduler = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pools), effects);
        for (int p = 0; p < pools.length; p++) {
            for (int r = 0; r < pools[p].replicas().size(); r++) {
                scheduler.replicaChanged(0, p, r, ReplicaState.READY, "v", 0, 0);
            }
        }
        return scheduler;
    }

    private static PoolSpec pool(String id, int... slots) {
        return Specs.pool(id, 4, PoolSpec.FullPolicy.REJECT, 2, slots);
    }

    private static Placement prefer(boolean fallback, String... pools) {
        return new Placement(PlacementMode.PREFER, null, List.of(pools), List.of(), null, fallback);
    }

    private static Placement pin(String pool) {
        return new Placement(PlacementMode.PIN, pool, List.of(), List.of(), null, true);
    }

    private void refusedWith(ErrorCode code, String... parts) {
        assertThat(effects.lastError().code()).isEqualTo(code);
        assertThat(effects.lastError().message()).contains(parts);
    }

    @Test
    void shouldSpreadOverReplicasWhenOneIsMoreLoaded() {
        Scheduler<String> scheduler = ready(pool("a", 2, 2));
        for (int i = 0; i < 4; i++) {
            scheduler.admit(1, Specs.task(i), "t" + i);
        }

        assertThat(effects.log)
                .contains(
                        "dispatched t0 a/r0/0", "dispatched t1 a/r1/0", "dispatched t2 a/r0/1", "dispatched t3 a/r1/1");
        assertThat(effects.dispatches.get(0).decision().decidedBy()).isEqualTo("replica_id");
        assertThat(effects.dispatches.get(1).decision().decidedBy()).isEqualTo("least_loaded");
        assertThat(effects.dispatches.get(3).decision().decidedBy()).isEqualTo("only_candidate");
        assertThat(effects.dispatches.get(3).decision().candidates())
                .extracting(PlacementDecision.Candidate::verdict)
                .containsExactly("no_slot", "feasible");
    }

    @Test
    void shouldReturnToItsReplicaWhenTheSessionWasThereLast() {
        Scheduler<String> scheduler = ready(pool("a", 2, 2));
        UUID session = new UUID(5, 5);
        scheduler.admit(1, Specs.task(0), "other");
        scheduler.admit(1, Specs.withSession(Specs.task(1), session), "first");
        scheduler.firstToken(2, Specs.id(1), 4);
        scheduler.finished(3, Specs.id(1), Outcome.COMPLETED, 4, 10, 0);
        scheduler.finished(3, Specs.id(0), Outcome.COMPLETED, 4, 10, 0);
        scheduler.admit(4, Specs.withSession(Specs.task(2), session), "second");

        assertThat(effects.log).endsWith("dispatched second a/r1/0");
        assertThat(effects.lastDispatch().kvWarmth()).isTrue();
        assertThat(effects.lastDispatch().decision().decidedBy()).isEqualTo("affinity");

        scheduler.finished(5, Specs.id(2), Outcome.CANCELED, 4, 0, 0);
        scheduler.replicaChanged(6, 0, 1, ReplicaState.DOWN, "", 0, 0);
        scheduler.replicaChanged(7, 0, 1, ReplicaState.READY, "v", 0, 0);
        scheduler.admit(8, Specs.withSession(Specs.task(3), session), "third");
        assertThat(effects.log).endsWith("dispatched third a/r1/0");
        assertThat(effects.lastDispatch().kvWarmth()).isFalse();
    }

    @Test
    void shouldNotClaimWarmthWhenOthersMayHaveUsedEverySlot() {
        Scheduler<String> scheduler = ready(pool("a", 2));
        UUID session = new UUID(5, 5);
        scheduler.admit(1, Specs.withSession(Specs.task(1), session), "first");
        scheduler.firstToken(2, Specs.id(1), 4);
        scheduler.finished(3, Specs.id(1), Outcome.COMPLETED, 4, 10, 0);
        scheduler.admit(4, Specs.task(2), "other");
        scheduler.admit(5, Specs.withSession(Specs.task(3), session), "second");

        assertThat(effects.lastDispatch().kvWarmth()).isFalse();
    }

    @Test
    void shouldTakeThePoolThatEndsSoonerWhenBothServeTheModel() {
        Scheduler<String> scheduler = ready(pool("a", 1), pool("b", 1));
        for (int i = 0; i < 2; i++) {
            scheduler.admit(1, Specs.task(i), "t" + i);
        }

        assertThat(effects.log).contains("dispatched t0 a/r0/0", "dispatched t1 b/r0/0");
        assertThat(effects.dispatches.get(0).decision().decidedBy()).isEqualTo("pool_id");
        assertThat(effects.dispatches.get(1).decision().decidedBy()).isEqualTo("predicted_end");
        assertThat(effects.lastDispatch().decision().candidates()).hasSize(2);
    }

    @Test
    void shouldFallBackOnlyWhenThatIsAllowed() {
        Scheduler<String> scheduler = ready(pool("a", 1), pool("b", 1));
        scheduler.replicaChanged(1, 1, 0, ReplicaState.DOWN, "", 0, 0);
        scheduler.admit(2, Specs.withPlacement(Specs.task(1), prefer(false, "b")), "strict");
        refusedWith(ErrorCode.POOL_UNAVAILABLE, "pool b");
        scheduler.admit(2, Specs.withPlacement(Specs.task(2), prefer(true, "b")), "lenient");

        assertThat(effects.log).endsWith("dispatched lenient a/r0/0");
        assertThat(effects.lastDispatch().decision().fallback()).isTrue();
        assertThat(effects.lastDispatch().decision().pinned()).isFalse();
    }

    @Test
    void shouldAvoidPoolsWhenTold() {
        Scheduler<String> scheduler = ready(pool("a", 1), pool("b", 1));
        Placement avoid = new Placement(PlacementMode.AUTO, null, List.of(), List.of("a"), null, false);
        scheduler.admit(1, Specs.withPlacement(Specs.task(1), avoid), "t1");
        assertThat(effects.log).endsWith("dispatched t1 b/r0/0");
        Placement none = new Placement(PlacementMode.AUTO, null, List.of(), List.of("a", "b"), null, false);
        scheduler.admit(1, Specs.withPlacement(Specs.task(2), none), "t2");

        refusedWith(ErrorCode.INVALID_PARAMS, "avoid_pools");
    }

    @Test
    void shouldKeepToThePinnedPoolWhenAnotherIsFree() {
        Scheduler<String> scheduler = ready(pool("a", 1), pool("b", 1));
        scheduler.admit(1, Specs.withPlacement(Specs.task(1), pin("b")), "t1");
        scheduler.admit(1, Specs.withPlacement(Specs.task(2), pin("b")), "t2");
        scheduler.admit(1, Specs.withPlacement(Specs.task(3), pin("zzz")), "t3");

        assertThat(effects.log).containsSubsequence("dispatched t1 b/r0/0", "admitted t2 0");
        assertThat(effects.lastDispatch().decision().pinned()).isTrue();
        refusedWith(ErrorCode.INVALID_PARAMS, "zzz");
    }

    @Test
    void shouldRefuseAPinWhenPinningIsDisabled() {
        PoolSpec a = pool("a", 1);
        Scheduler<String> scheduler = ready(new PoolSpec(
                a.id(), a.engine(), a.model(), a.ctx(), 4, a.fullPolicy(), 2, false, 1, null, a.replicas()));
        scheduler.admit(1, Specs.withPlacement(Specs.task(1), pin("a")), "t1");

        refusedWith(ErrorCode.INVALID_PARAMS, "may not be pinned");
    }

    @Test
    void shouldNameValuesAndLimitsWhenContextIsTooSmall() {
        Scheduler<String> scheduler = ready(pool("default", 1));
        scheduler.admit(1, Specs.withSizes(Specs.task(1), 0, 48, 9_000), "t1");
        refusedWith(
                ErrorCode.INVALID_PARAMS, "max_tokens 9000 + about 12 prompt tokens exceed ctx 8192 of pool default");
        scheduler.admit(1, Specs.withSizes(Specs.task(2), 9_999, 48, 10), "t2");
        refusedWith(ErrorCode.INVALID_PARAMS, "ctx 9999 exceeds ctx 8192 of pool default");
        scheduler.admit(1, Specs.withSizes(Specs.task(3), 64, 48, 60), "t3");
        refusedWith(ErrorCode.INVALID_PARAMS, "ctx 64 of the request");
        scheduler.admit(1, Specs.withSizes(Specs.task(4), 64, 48, 52), "t4");
        assertThat(effects.log).endsWith("dispatched t4 default/r0/0");
    }

    @Test
    void shouldSaySoWhenNoPoolServesTheModel() {
        Scheduler<String> scheduler = ready(pool("a", 1));
        scheduler.admit(1, Specs.of(Specs.task(1), "key", 1, "hf:org/other"), "t1");

        refusedWith(ErrorCode.POOL_UNREADY, "hf:org/other", EngineKind.MOCK.wireName());
    }

    @Test
    void shouldUseOnlyReplicasWithTheDevicesWhenAMaskIsRequired() {
        Scheduler<String> scheduler = ready(pool("a", 1, 1));
        Placement onOne = new Placement(PlacementMode.AUTO, null, List.of(), List.of(), "1", true);
        scheduler.admit(1, Specs.withPlacement(Specs.task(1), onOne), "t1");
        assertThat(effects.log).endsWith("dispatched t1 a/r1/0");
        Placement onSeven = new Placement(PlacementMode.AUTO, null, List.of(), List.of(), "1,7", true);
        scheduler.admit(1, Specs.withPlacement(Specs.task(2), onSeven), "t2");

        refusedWith(ErrorCode.INVALID_PARAMS, "1,7");
    }
}
