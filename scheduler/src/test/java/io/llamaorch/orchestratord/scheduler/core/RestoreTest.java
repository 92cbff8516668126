package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** What comes back after a restart: in order, whatever the pool's state, and never twice. */
@NullUnmarked
class RestoreTest {
    private final Recorder effects = new Recorder();

    private Scheduler<String> scheduler(PoolSpec... pools) {
        return new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pools), effects);
    }

    @Test
    void shouldQueueInOrderBeyondTheCapacityBeforeAnythingIsReady() {
        Scheduler<String> scheduler = scheduler(Specs.pool(1, 2));
        for (int i = 1; i <= 9; i++) {
            scheduler.restore(5, Specs.task(i), "t" + i, "default", 3);
        }
        assertThat(effects.log)
                .containsExactly(
                        "admitted t1 0",
                        "admitted t2 1",
                        "admitted t3 2",
                        "admitted t4 3",
                        "admitted t5 4",
                        "admitted t6 5",
                        "admitted t7 6",
                        "admitted t8 7",
                        "admitted t9 8");
        effects.log.clear();
        scheduler.replicaChanged(6, 0, 0, ReplicaState.READY, "v1", 0, 0);
        scheduler.admit(6, Specs.task(10), "t10");
        for (int i = 1; i <= 8; i++) {
            scheduler.finished(10 + i, Specs.id(i), Outcome.COMPLETED, 1, 1, 0);
        }
        assertThat(effects.log)
                .containsExactly(
                        "dispatched t1 default/r0/0",
                        "refused t10 ADMISSION_REJECT",
                        "dispatched t2 default/r0/0",
                        "dispatched t3 default/r0/0",
                        "dispatched t4 default/r0/0",
                        "dispatched t5 default/r0/0",
                        "dispatched t6 default/r0/0",
                        "dispatched t7 default/r0/0",
                        "dispatched t8 default/r0/0",
                        "dispatched t9 default/r0/0");
        assertThat(effects.dispatches.get(0).queueTimeNs()).isEqualTo(4);
    }

    @Test
    void shouldKeepWhatIsLeftOfADeadline() {
        Scheduler<String> scheduler = scheduler(Specs.pool(1, 2));
        scheduler.restore(1_000, Specs.withDeadline(Specs.task(1), 100), "t1", "default", 60);
        scheduler.restore(1_000, Specs.withDeadline(Specs.task(2), 100), "t2", "default", 100);
        assertThat(effects.log).containsExactly("admitted t1 0", "evicted t2 DEADLINE_UNMET");
        scheduler.advance(1_039);
        assertThat(effects.log).hasSize(2);
        scheduler.advance(1_040);
        assertThat(effects.log).endsWith("evicted t1 DEADLINE_UNMET");
        scheduler.admit(1_041, Specs.withDeadline(Specs.task(2), 100), "again");
        assertThat(effects.log).endsWith("replayed again t2 0");
        scheduler.forget(1_042, Specs.id(1));
        scheduler.forget(1_042, Specs.id(2));
        assertThat(scheduler.snapshot().tasksKnown()).isZero();
        assertThat(scheduler.snapshot().tasksLive()).isZero();
    }

    @Test
    void shouldMoveOrEvictWhereThePoolIsGone() {
        PoolSpec two = Specs.pool("two", 4, PoolSpec.FullPolicy.REJECT, 2, 1);
        PoolSpec three = Specs.pool("three", 4, PoolSpec.FullPolicy.REJECT, 2, 4);
        Scheduler<String> scheduler = scheduler(two, three);
        scheduler.restore(1, Specs.task(1), "t1", "gone", 0);
        scheduler.restore(1, Specs.task(2), "t2", "three", 0);
        scheduler.restore(1, Specs.task(3), "t3", "gone", 0);
        scheduler.restore(1, Specs.of(Specs.task(4), "key", 4, "other"), "t4", "two", 0);
        Placement pinned = new Placement(PlacementMode.PIN, "gone", List.of(), List.of(), null, true);
        scheduler.restore(1, Specs.withPlacement(Specs.task(5), pinned), "t5", "gone", 0);
        assertThat(effects.log)
                .containsExactly(
                        "admitted t1 0",
                        "admitted t2 0",
                        "admitted t3 1",
                        "evicted t4 POOL_UNREADY",
                        "evicted t5 POOL_UNREADY");
        assertThat(effects.admissions.stream().map(Admission::poolId)).containsExactly("two", "three", "three");
        assertThat(effects.lastError().code()).isEqualTo(ErrorCode.POOL_UNREADY);
    }

    @Test
    void shouldKnowWhatWasOver() {
        Scheduler<String> scheduler = scheduler(Specs.pool(1, 2));
        scheduler.restoreEnded(1, Specs.task(1), "t1");
        assertThatThrownBy(() -> scheduler.restoreEnded(1, Specs.task(1), "t1")).hasMessageContaining("twice");
        assertThatThrownBy(() -> scheduler.restore(1, Specs.task(1), "t1", "default", 0))
                .hasMessageContaining("twice");
        scheduler.admit(2, Specs.task(1), "again");
        scheduler.admit(2, Specs.of(Specs.task(1), "other key", 1, "m"), "theirs");
        assertThat(effects.log).containsExactly("replayed again t1 0", "refused theirs CONFLICT");
        assertThat(scheduler.snapshot().tasksLive()).isZero();
    }

    /** Admissions, starts, ends and crashes at random; the journal is what a ledger would hold. */
    @Test
    void shouldRunEveryTaskOnceMoreInItsOrderWhenItCrashesAgainAndAgain() {
        long only = Long.getLong("sim.seed", 0);
        for (long seed = only == 0 ? 1 : only; seed <= (only == 0 ? 300 : only); seed++) {
            try {
                new Life(seed).live();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + " failed; replay with -Dsim.seed=" + seed, e);
            }
        }
    }

    /** One daemon after the other over one journal. */
    private static final class Life {
        private final SplittableRandom random;
        private final PoolSpec[] pools;
        private final List<TaskSpec> journal = new ArrayList<>();
        private final Map<UUID, Long> admittedAtNs = new HashMap<>();
        private final Map<UUID, Integer> ends = new HashMap<>();
        private int names;
        private long nowNs;

        Life(long seed) {
            random = new SplittableRandom(seed);
            int guard = 1 + random.nextInt(3);
            pools = new PoolSpec[] {
                Specs.pool("a", 1 + random.nextInt(8), PoolSpec.FullPolicy.REJECT, guard, 1 + random.nextInt(2), 1),
                Specs.pool("b", 1 + random.nextInt(8), PoolSpec.FullPolicy.REJECT, guard, 1)
            };
        }

        void live() {
            for (int daemon = 0; daemon < 6; daemon++) {
                nowNs += 1_000;
                new Daemon().run(daemon == 5);
            }
            assertThat(journal).isEmpty();
            assertThat(ends.values()).allMatch(count -> count == 1);
            assertThat(ends).hasSizeGreaterThan(3);
        }

        /** From one start to the next crash. */
        private final class Daemon {
            private final Recorder effects = new Recorder();
            private final Scheduler<String> core = new Scheduler<>(SchedulerSettings.DEFAULT, List.of(pools), effects);
            private final List<String> running = new ArrayList<>();
            private final Map<String, TaskSpec> specs = new HashMap<>();
            private final Map<String, String> poolOf = new HashMap<>();
            private int seen;

            void run(boolean last) {
                for (TaskSpec spec : List.copyOf(journal)) {
                    specs.put("t" + spec.id().getLeastSignificantBits(), spec);
                    long waitedNs = nowNs - admittedAtNs.getOrDefault(spec.id(), nowNs);
                    core.restore(nowNs, spec, "t" + spec.id().getLeastSignificantBits(), "a", waitedNs);
                }
                hear();
                assertThat(effects.admissions).hasSize(specs.size());
                for (int p = 0; p < pools.length; p++) {
                    for (int r = 0; r < pools[p].replicas().size(); r++) {
                        core.replicaChanged(nowNs, p, r, ReplicaState.READY, "v", 0, 0);
                    }
                }
                hear();
                int steps = random.nextInt(40);
                for (int i = 0; i < steps; i++) {
                    step(true);
                }
                while (last && !journal.isEmpty()) {
                    step(false);
                }
                long leases = core.snapshot().pools().stream()
                        .mapToLong(SchedulerSnapshot.Pool::leases)
                        .sum();
                assertThat(leases).isEqualTo(running.size());
            }

            private void step(boolean admits) {
                nowNs++;
                if (admits && random.nextInt(3) > 0) {
                    int name = names++;
                    TaskSpec spec = random.nextBoolean() ? Specs.task(name) : Specs.batch(name);
                    specs.put("t" + name, spec);
                    core.admit(nowNs, spec, "t" + name);
                } else if (!running.isEmpty()) {
                    String task = running.remove(random.nextInt(running.size()));
                    end(task);
                    core.finished(nowNs, id(task), Outcome.COMPLETED, 1, 1, 0);
                }
                hear();
            }

            private UUID id(String task) {
                TaskSpec spec = specs.get(task);
                if (spec == null) {
                    throw new AssertionError("unknown " + task);
                }
                return spec.id();
            }

            private void end(String task) {
                ends.merge(id(task), 1, Integer::sum);
                assertThat(journal.removeIf(spec -> spec.id().equals(id(task)))).isTrue();
            }

            /** What has happened since the last time. */
            private void hear() {
                for (; seen < effects.log.size(); seen++) {
                    String[] words = effects.log.get(seen).split(" ", -1);
                    String task = words[1];
                    switch (words[0]) {
                        case "admitted" -> admitted(task);
                        case "dispatched" -> dispatched(task, words[2].substring(0, 1));
                        case "refused" -> specs.remove(task);
                        default -> throw new AssertionError(effects.log.get(seen));
                    }
                }
            }

            private void admitted(String task) {
                TaskSpec spec = specs.get(task);
                if (spec != null && admittedAtNs.putIfAbsent(spec.id(), nowNs) == null) {
                    journal.add(spec);
                }
                long admissions = effects.log.subList(0, seen).stream()
                        .filter(line -> line.startsWith("admitted"))
                        .count();
                poolOf.put(task, effects.admissions.get((int) admissions).poolId());
            }

            /** First in, first out within a pool and a priority, over every restart. */
            private void dispatched(String task, String pool) {
                assertThat(pool).isEqualTo(poolOf.get(task));
                for (TaskSpec earlier : journal) {
                    String name = "t" + earlier.id().getLeastSignificantBits();
                    if (name.equals(task)) {
                        break;
                    }
                    boolean ahead = pool.equals(poolOf.get(name))
                            && earlier.priority() == specs.get(task).priority();
                    assertThat(!ahead || running.contains(name))
                            .as("%s before %s", task, name)
                            .isTrue();
                }
                running.add(task);
            }
        }
    }
}
