package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A world around one scheduler, in virtual time, out of one seed: clients that ask, repeat, cancel and poll, engines
 * that decode, fail, go down and come back, and a bookkeeper that believes nothing.
 *
 * <p>The bookkeeper ({@link SimTask#life}, {@link NaivePool}) hears effects at once. The server that owns the tasks
 * hears them later, in order, as an event loop hears them from its mailbox; what it does meanwhile crosses them: it
 * withdraws and forgets tasks that have been dispatched.
 */
final class SimWorld implements Effects<SimTask> {
    private static final double SECOND = 1e9;

    private final SplittableRandom random;
    private final List<NaivePool> pools = new ArrayList<>();
    private final Scheduler<SimTask> scheduler;
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            (a, b) -> a.atNs != b.atNs ? Long.compare(a.atNs, b.atNs) : Long.compare(a.order, b.order));
    private final Map<UUID, SimTask> known = new HashMap<>();
    private final List<SimTask> recent = new ArrayList<>();
    private final double meanGapNs;
    private long order;
    private long nowNs;
    private long heardAtNs = Long.MIN_VALUE;
    private int nextNumber;
    private long admitted;
    private long over;
    private long hash = 17;
    private boolean draining;

    private record Event(long atNs, long order, Runnable action) {}

    SimWorld(long seed) {
        random = new SplittableRandom(seed);
        nowNs = random.nextLong(-1_000_000_000_000L, 1_000_000_000_000L);
        List<PoolSpec> specs = new ArrayList<>();
        int poolCount = 1 + random.nextInt(3);
        int slots = 0;
        for (int p = 0; p < poolCount; p++) {
            List<PoolSpec.ReplicaSpec> replicas = new ArrayList<>();
            for (int r = random.nextInt(3); r >= 0; r--) {
                int count = 1 + random.nextInt(4);
                slots += count;
                replicas.add(new PoolSpec.ReplicaSpec("r" + replicas.size(), count, null));
            }
            PoolSpec.FullPolicy[] policies = PoolSpec.FullPolicy.values();
            specs.add(new PoolSpec(
                    "p" + p,
                    EngineKind.MOCK,
                    "m",
                    8192,
                    1 + random.nextInt(24),
                    policies[random.nextInt(policies.length)],
                    1 + random.nextInt(4),
                    random.nextBoolean(),
                    random.nextInt(3),
                    null,
                    replicas));
        }
        long rebuildNs = random.nextInt(8) == 0 ? 20_000_000L : 60_000_000_000L;
        SchedulerSettings settings = new SchedulerSettings(100_000, 50, 8, 20, 500, 32, 100, rebuildNs, 5_000);
        scheduler = new Scheduler<>(settings, specs, this);
        for (PoolSpec spec : specs) {
            pools.add(new NaivePool(spec));
        }
        meanGapNs = 25 * SECOND / slots / (0.4 + 1.4 * random.nextDouble());
    }

    /** Runs for some virtual hours, stops admitting, and lets everything end. Returns the hash of all effects. */
    long run(int hours) {
        for (int p = 0; p < pools.size(); p++) {
            for (int r = 0; r < pools.get(p).states.length; r++) {
                change(p, r, ReplicaState.READY);
                later(900 * SECOND, replicaFate(p, r));
            }
        }
        later(1, this::arrive);
        long endNs = nowNs + hours * 3_600_000_000_000L;
        while (!events.isEmpty() && nowNs < endNs) {
            step();
        }
        draining = true;
        scheduler.beginDrain(nowNs);
        while (!events.isEmpty()) {
            step();
        }
        scheduler.advance(nowNs += (long) (100_000 * SECOND));
        assertThat(over).as("every admitted task ends once").isEqualTo(admitted);
        SchedulerSnapshot last = scheduler.snapshot();
        assertThat(last.tasksLive()).isZero();
        for (SchedulerSnapshot.Pool pool : last.pools()) {
            assertThat(pool.leases()).as("leases of %s", pool.id()).isZero();
            assertThat(pool.queuedInteractive() + pool.queuedBatch()).isZero();
        }
        return hash;
    }

    long admitted() {
        return admitted;
    }

    private void step() {
        Event event = events.remove();
        nowNs = event.atNs;
        scheduler.advance(nowNs);
        event.action.run();
        for (NaivePool pool : pools) {
            pool.assertBusy();
        }
        if (random.nextInt(64) == 0) {
            compareSnapshot();
        }
    }

    private void later(double spanNs, Runnable action) {
        events.add(new Event(nowNs + 1 + (long) spanNs, order++, action));
    }

    /** The server hears of an effect: mostly soon, at times after a stall, and never before what was said earlier. */
    private void hear(Runnable action) {
        double spanNs = exponential(random.nextInt(32) == 0 ? 2 * SECOND : 0.001 * SECOND);
        heardAtNs = Math.max(heardAtNs, nowNs + 1 + (long) spanNs);
        events.add(new Event(heardAtNs, order++, action));
    }

    private double exponential(double mean) {
        return -mean * Math.log(1 - random.nextDouble());
    }

    private void arrive() {
        if (draining) {
            return;
        }
        later(exponential(meanGapNs), this::arrive);
        int what = random.nextInt(100);
        SimTask other = recent.isEmpty() ? null : recent.get(random.nextInt(recent.size()));
        if (what < 8 && other != null) {
            repeat(other, what < 4);
        } else if (what < 20 && other != null) {
            cancel(other);
        } else if (what < 40 && other != null) {
            query(other);
        } else {
            offer();
        }
    }

    private void offer() {
        SimTask task = new SimTask(nextNumber, newSpec(new UUID(nextNumber, random.nextLong()), nextNumber), nowNs);
        nextNumber++;
        scheduler.admit(nowNs, task.spec, task);
        assertThat(task.life).isNotEqualTo(SimTask.Life.OFFERED);
        if (task.life != SimTask.Life.REFUSED) {
            recent.add(task);
            if (recent.size() > 64) {
                recent.remove(0);
            }
        }
    }

    private TaskSpec newSpec(UUID id, long digest) {
        int maxTokens = 16 << random.nextInt(6);
        Priority priority = random.nextInt(3) == 0 ? Priority.BATCH : Priority.INTERACTIVE;
        PlacementMode[] modes = PlacementMode.values();
        Placement placement = random.nextInt(4) == 0
                ? new Placement(
                        modes[random.nextInt(modes.length)],
                        "p" + random.nextInt(3),
                        List.of("p" + random.nextInt(3)),
                        random.nextInt(4) == 0 ? List.of("p0") : List.of(),
                        null,
                        random.nextBoolean())
                : Placement.AUTO;
        long deadlineNs = (long) ((random.nextInt(5) == 0 ? 20 : 600) * SECOND * random.nextDouble()) + 1;
        return new TaskSpec(
                id,
                "k" + random.nextInt(2),
                new TaskSpec.Digest(digest, 0),
                new UUID(0, random.nextInt(100)),
                EngineKind.MOCK,
                random.nextInt(100) == 0 ? "unknown" : "m",
                0,
                priority,
                random.nextInt(2_000),
                maxTokens,
                0,
                deadlineNs,
                Determinism.BEST_EFFORT,
                null,
                placement);
    }

    private void repeat(SimTask first, boolean same) {
        TaskSpec spec = same ? first.spec : newSpec(first.spec.id(), -1 - first.number);
        SimTask again = new SimTask(first.number, spec, nowNs);
        boolean isKnown = known.get(first.spec.id()) == first;
        if (!isKnown) {
            return;
        }
        scheduler.admit(nowNs, spec, again);
        assertThat(again.answered).as("replayed").isEqualTo(same);
        assertThat(again.life).isEqualTo(same ? SimTask.Life.OFFERED : SimTask.Life.REFUSED);
    }

    /** A client cancels: the server ends the task by what it has heard of it so far. */
    private void cancel(SimTask task) {
        if (task.closed || task.slotHeard) {
            scheduler.withdraw(nowNs, task.spec.id()); // in vain
            if (!task.closed) {
                task.closed = true;
                later(0.05 * SECOND, () -> finish(task, Outcome.CANCELED, 1));
            }
            return;
        }
        if (task.life == SimTask.Life.QUEUED) {
            leave(task);
            end(task);
        }
        scheduler.withdraw(nowNs, task.spec.id());
        letGo(task);
    }

    private void query(SimTask task) {
        task.answered = false;
        scheduler.query(nowNs, task.spec.id());
        assertThat(task.answered).isEqualTo(known.get(task.spec.id()) == task);
    }

    private Runnable replicaFate(int p, int r) {
        return () -> {
            if (draining) {
                change(p, r, ReplicaState.READY);
                return;
            }
            ReplicaState[] states = ReplicaState.values();
            ReplicaState state = random.nextInt(3) == 0 ? states[random.nextInt(states.length)] : ReplicaState.READY;
            change(p, r, state);
            later(exponential((state == ReplicaState.READY ? 1_800 : 60) * SECOND), replicaFate(p, r));
        };
    }

    private void change(int p, int r, ReplicaState state) {
        NaivePool pool = pools.get(p);
        int slots = random.nextInt(4) == 0
                ? 1 + random.nextInt(6)
                : pool.spec.replicas().get(r).slots();
        pool.states[r] = state;
        pool.slots[r] = Math.min(slots, pool.spec.replicas().get(r).slots()); // an engine that has more gets no more
        scheduler.replicaChanged(nowNs, p, r, state, "v1", slots, 0);
    }

    /** The server hears that a task has a slot. */
    private void decode(SimTask task) {
        task.slotHeard = true;
        if (task.closed) {
            finish(task, Outcome.NEVER_STARTED, 0);
            return;
        }
        if (random.nextInt(50) == 0) {
            later(exponential(SECOND), () -> finish(task, Outcome.NEVER_STARTED, 0));
            return;
        }
        double firstNs = 0.3 * SECOND + exponential(0.5 * SECOND);
        boolean atLimit = random.nextInt(3) == 0;
        int tokens = atLimit ? task.spec.maxTokens() : 1 + random.nextInt(task.spec.maxTokens());
        double tokenNs = SECOND / 20;
        later(firstNs, () -> running(task, () -> scheduler.firstToken(nowNs, task.spec.id(), 10)));
        later(
                firstNs + tokens * tokenNs / 2,
                () -> running(task, () -> scheduler.progress(nowNs, task.spec.id(), 1 + tokens / 2)));
        Outcome outcome = random.nextInt(40) == 0 ? Outcome.FAILED : Outcome.COMPLETED;
        later(firstNs + tokens * tokenNs, () -> finish(task, outcome, tokens));
    }

    private static void running(SimTask task, Runnable action) {
        if (task.life == SimTask.Life.RUNNING) {
            action.run();
        }
    }

    /** The server gives a slot back, once. */
    private void finish(SimTask task, Outcome outcome, int tokens) {
        if (task.life != SimTask.Life.RUNNING || task.lease == null || task.pool == null) {
            return;
        }
        task.pool.giveBack(task.lease, task);
        end(task);
        scheduler.finished(nowNs, task.spec.id(), outcome, 10, tokens);
        if (task.forgotten) {
            known.remove(task.spec.id());
        }
        letGo(task);
    }

    /** The task is over for the server, which forgets it at once, or when it has kept it for a while. */
    private void letGo(SimTask task) {
        task.closed = true;
        if (task.released) {
            return;
        }
        task.released = true;
        if (random.nextInt(4) == 0) {
            forget(task);
        } else {
            later(exponential((random.nextInt(4) == 0 ? 0.5 : 300) * SECOND), () -> forget(task));
        }
    }

    private void forget(SimTask task) {
        scheduler.forget(nowNs, task.spec.id());
        task.forgotten = true;
        if (task.life == SimTask.Life.OVER) {
            known.remove(task.spec.id()); // else it is remembered until its slot is back
        }
    }

    private void leave(SimTask task) {
        if (task.pool != null) {
            task.pool.removed(task);
        }
    }

    private void end(SimTask task) {
        task.life = SimTask.Life.OVER;
        over++;
    }

    private NaivePool poolOf(String id) {
        return pools.get(Integer.parseInt(id.substring(1)));
    }

    private void note(int kind, SimTask task, long figure) {
        hash = (hash * 31 + kind) * 31 + task.number;
        hash = (hash ^ (hash >>> 29)) * 0x9E3779B97F4A7C15L + figure + nowNs;
    }

    private void compareSnapshot() {
        SchedulerSnapshot snapshot = scheduler.snapshot();
        assertThat(snapshot.tasksLive()).isEqualTo(admitted - over);
        for (int p = 0; p < pools.size(); p++) {
            NaivePool pool = pools.get(p);
            SchedulerSnapshot.Pool view = snapshot.pools().get(p);
            assertThat(view.queuedInteractive()).isEqualTo(pool.interactive.size());
            assertThat(view.queuedBatch()).isEqualTo(pool.batch.size());
            for (int r = 0; r < pool.states.length; r++) {
                assertThat(view.replicas().get(r).leased()).isEqualTo(pool.leased(r));
            }
        }
    }

    private static void checkFigures(Admission admission) {
        assertThat(admission.onTimeProbability()).isBetween(0.0, 1.0);
        assertThat(admission.predictedStartMs()).isNotNegative();
        assertThat(admission.predictedEndMs()).isNotNegative();
        assertThat(admission.backoffMs()).isNotNegative();
    }

    @Override
    public void admitted(SimTask task, Admission admission) {
        note(1, task, admission.predictedStartMs());
        assertThat(draining).isFalse();
        assertThat(task.life).isEqualTo(SimTask.Life.OFFERED);
        NaivePool pool = poolOf(admission.poolId());
        task.pool = pool;
        task.life = SimTask.Life.QUEUED;
        pool.queue(task).add(task);
        known.put(task.spec.id(), task);
        admitted++;
        checkFigures(admission);
        assertThat(admission.queuePosition()).isEqualTo(pool.position(task));
    }

    @Override
    public void replayed(SimTask offered, SimTask existing, Admission admission) {
        note(2, existing, admission.queuePosition());
        offered.answered = true;
        answered(existing, admission);
    }

    @Override
    public void refused(SimTask offered, ApiError error) {
        note(3, offered, error.retryAfterMs());
        assertThat(offered.life).isEqualTo(SimTask.Life.OFFERED);
        offered.life = SimTask.Life.REFUSED;
        if (error.code() == ErrorCode.ADMISSION_REJECT || error.code() == ErrorCode.QUEUE_FULL_DROP_LRU) {
            boolean isInteractive = offered.spec.priority() == Priority.INTERACTIVE;
            NaivePool pool = poolOf(String.valueOf(error.poolId()));
            assertThat(pool.isFull(isInteractive)).isTrue();
            assertThat(pool.victim(isInteractive)).isNull();
            assertThat(error.retryAfterMs()).isPositive();
        }
    }

    @Override
    public void dispatched(SimTask task, Dispatch dispatch) {
        note(4, task, dispatch.lease().replicaIndex() * 64L + dispatch.lease().slotIndex());
        assertThat(task.life).isEqualTo(SimTask.Life.QUEUED);
        assertThat(task.deadlineAtNs()).isGreaterThan(nowNs);
        NaivePool pool = poolOf(dispatch.poolId());
        assertThat(pool).isSameAs(task.pool);
        pool.started(task);
        pool.take(dispatch.lease(), task);
        task.lease = dispatch.lease();
        task.life = SimTask.Life.RUNNING;
        hear(() -> decode(task));
        if (random.nextInt(16) == 0) {
            later(exponential(0.001 * SECOND), () -> cancel(task)); // the two cross
        }
    }

    @Override
    public void evicted(SimTask task, ApiError error) {
        note(5, task, 0);
        assertThat(task.life).isEqualTo(SimTask.Life.QUEUED);
        if (error.code() == ErrorCode.DEADLINE_UNMET) {
            assertThat(task.deadlineAtNs()).isLessThanOrEqualTo(nowNs);
        } else {
            NaivePool pool = poolOf(String.valueOf(error.poolId()));
            boolean dropLru = pool.spec.fullPolicy() == PoolSpec.FullPolicy.DROP_LRU;
            SimTask expected = dropLru ? pool.batch.get(0) : pool.batch.get(pool.batch.size() - 1);
            assertThat(task).isSameAs(expected);
        }
        leave(task);
        end(task);
        hear(() -> letGo(task));
    }

    @Override
    public void moved(SimTask task, Admission admission) {
        throw new AssertionError("nothing drains here");
    }

    @Override
    public void retryRefused(SimTask task) {
        throw new AssertionError("nothing is retried here");
    }

    @Override
    public void aborted(SimTask task, ApiError error) {
        note(6, task, 0);
        assertThat(task.life).isEqualTo(SimTask.Life.RUNNING);
        assertThat(task.aborted).as("aborted once").isFalse();
        assertThat(task.deadlineAtNs()).isLessThanOrEqualTo(nowNs);
        task.aborted = true;
        hear(() -> later(0.1 * SECOND, () -> finish(task, Outcome.CANCELED, 1)));
    }

    @Override
    public void answered(SimTask task, Admission admission) {
        note(7, task, admission.queuePosition());
        task.answered = true;
        checkFigures(admission);
        @Nullable NaivePool pool = task.pool;
        if (task.life == SimTask.Life.QUEUED && pool != null) {
            assertThat(admission.queuePosition()).isEqualTo(pool.position(task));
        } else {
            assertThat(admission.queuePosition()).isZero();
        }
    }
}
