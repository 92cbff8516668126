package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bookkeeper of a simulation: hears every effect at once, holds it against what a {@link NaivePool} and
 * {@link NaivePlacement} say, and passes it on to the {@link SimServer}.
 */
final class SimBook implements Effects<SimTask> {
    private final SimWorld world;
    private long admitted;
    private long over;
    private long moves;
    private long retries;
    private long limited;
    private long hash = 17;
    private boolean evicting;
    private int displaced;
    private @Nullable NaivePool aborting;
    private int abortingBelow;

    SimBook(SimWorld world) {
        this.world = world;
    }

    long admitted() {
        return admitted;
    }

    /** Tasks that went on in another pool. */
    long moves() {
        return moves;
    }

    /** Tries after the first. */
    long retries() {
        return retries;
    }

    /** Tasks that a limit of their key, a budget or their session refused. */
    long limited() {
        return limited;
    }

    long hash() {
        return hash;
    }

    private void note(int kind, SimTask task, long figure) {
        hash = (hash * 31 + kind) * 31 + task.number;
        hash = (hash ^ (hash >>> 29)) * 0x9E3779B97F4A7C15L + figure + world.nowNs;
    }

    // ---- inputs that are about to be told ----

    /** The server ends a task that, as far as it knows, has no slot. */
    void withdrawn(SimTask task) {
        if (task.life == SimTask.Life.QUEUED) {
            task.pool().removed(task);
            end(task);
        }
    }

    /** The server gives a slot back for good. */
    void finished(SimTask task, Outcome outcome, int tokensIn, int tokensOut, long decodeMs) {
        returnLease(task);
        boolean hasRead = tokensOut > 0 || outcome == Outcome.COMPLETED;
        int promptTokens = tokensIn >= 0 ? tokensIn : hasRead ? world.promptEstimate(task) : 0;
        end(task, promptTokens, tokensOut, decodeMs);
    }

    private static void returnLease(SimTask task) {
        assertThat(task.life).isEqualTo(SimTask.Life.RUNNING);
        Lease lease = task.lease;
        assertThat(lease).isNotNull();
        if (lease != null) {
            task.pool().giveBack(lease, task);
        }
        task.lease = null;
    }

    /** The server gives a slot back so that the task is tried elsewhere. */
    void givenBack(SimTask task) {
        NaivePool pool = task.pool();
        Lease lease = task.lease;
        returnLease(task);
        task.life = SimTask.Life.QUEUED;
        task.failures++;
        boolean allowed = mayBeRetried(task);
        if (lease != null) {
            task.failedOn.add(lease.replicaIndex());
            task.retryVersion = task.version;
        }
        if (allowed) {
            pool.aside.add(task);
        } else {
            task.life = SimTask.Life.RUNNING; // nothing but its end may follow
        }
    }

    private boolean mayBeRetried(SimTask task) {
        return !task.aborted
                && !task.forgotten
                && task.failures <= task.pool().spec.retries()
                && task.deadlineAtNs() > world.nowNs
                && task.pool().hasRoomForRetry();
    }

    /** The scheduler has been told of {@link #givenBack}. */
    void retried(SimTask task) {
        assertThat(task.life == SimTask.Life.RUNNING && task.lease == null)
                .as("%s has an answer", task)
                .isFalse();
    }

    /** Whether tasks may be evicted for no reason of their own. */
    void evicting(boolean may) {
        evicting = may;
    }

    /** How many have been displaced since this was last asked. */
    int takeDisplaced() {
        int count = displaced;
        displaced = 0;
        return count;
    }

    void aborting(NaivePool pool, int belowGeneration) {
        aborting = pool;
        abortingBelow = belowGeneration;
    }

    void assertAborted(NaivePool pool, int belowGeneration) {
        aborting = null;
        for (SimTask task : pool.running(-1, belowGeneration)) {
            assertThat(task.aborted).as("%s was aborted", task).isTrue();
        }
    }

    private void end(SimTask task) {
        end(task, 0, 0, 0);
    }

    private void end(SimTask task, long tokensIn, long tokensOut, long decodeMs) {
        world.ledger.over(task, world.nowNs, tokensIn, tokensOut, decodeMs);
        assertThat(task.life).as("ends once").isNotEqualTo(SimTask.Life.OVER);
        task.life = SimTask.Life.OVER;
        over++;
    }

    // ---- figures ----

    void assertAllOver(SchedulerSnapshot last) {
        assertThat(over).as("every admitted task ends once").isEqualTo(admitted);
        assertThat(last.tasksLive()).isZero();
        world.ledger.assertNothingReserved();
        assertThat(last.tasksKnown())
                .as("all forgotten")
                .isEqualTo(world.known.size())
                .isZero();
        for (SchedulerSnapshot.Pool pool : last.pools()) {
            assertThat(pool.leases()).as("leases of %s", pool.id()).isZero();
            assertThat(pool.queuedInteractive() + pool.queuedBatch()).isZero();
        }
    }

    void compare(SchedulerSnapshot snapshot) {
        world.ledger.pass(world.nowNs);
        assertThat(snapshot.sessions().known()).isEqualTo(world.ledger.known());
        assertThat(snapshot.tasksLive()).isEqualTo(admitted - over);
        assertThat(snapshot.tasksKnown()).isEqualTo(world.known.size());
        for (int p = 0; p < world.pools.size(); p++) {
            NaivePool pool = world.pools.get(p);
            SchedulerSnapshot.Pool view = snapshot.pools().get(p);
            List<SimTask> waiting = pool.allThatWait();
            SchedulerSnapshot.Drain drain = view.lastDrain();
            assertThat(drain.number()).isEqualTo(pool.drains);
            assertThat(drain.moved()).isEqualTo(pool.drainedTo);
            assertThat(drain.evicted()).isEqualTo(pool.drainedOut);
            assertThat(drain.left()).isEqualTo(pool.draining ? waiting.size() : 0);
            waiting.addAll(pool.leavers());
            assertThat(view.queuedInteractive()).isEqualTo((int)
                    waiting.stream().filter(SimTask::isInteractive).count());
            assertThat(view.queuedInteractive() + view.queuedBatch()).isEqualTo(waiting.size());
            assertThat(view.model()).isEqualTo(pool.model);
            assertThat(view.incomingModel()).isEqualTo(pool.incoming);
            assertThat(view.generation()).isEqualTo(pool.generation);
            assertThat(view.draining()).isEqualTo(pool.draining || world.draining);
            assertThat(view.leasesBefore())
                    .isEqualTo(pool.running(-1, pool.generation).size());
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

    // ---- effects ----

    @Override
    public void admitted(SimTask task, Admission admission) {
        note(1, task, admission.predictedStartMs());
        assertThat(world.draining).isFalse();
        assertThat(task.life).isEqualTo(SimTask.Life.OFFERED);
        NaivePool pool = world.poolOf(admission.poolId());
        assertThat(NaivePlacement.takes(pool, task.spec))
                .as("%s takes %s", pool.spec.id(), task)
                .isTrue();
        task.pool = pool;
        task.life = SimTask.Life.QUEUED;
        pool.append(task);
        world.known.put(task.spec.id(), task);
        admitted++;
        world.ledger.admitted(task, world.reservation(task), world.price(pool), world.nowNs);
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
    public void refused(SimTask offered, ApiError error, @Nullable Allowance allowance) {
        note(3, offered, error.retryAfterMs());
        assertThat(offered.life).isEqualTo(SimTask.Life.OFFERED);
        offered.life = SimTask.Life.REFUSED;
        boolean isInteractive = offered.isInteractive();
        String label = String.valueOf(error.policyLabel());
        if (label.startsWith("key_") || label.startsWith("session_") || label.startsWith("budget_")) {
            limited++;
            world.ledger.refused(offered, error, world.nowNs);
            return;
        }
        switch (error.code()) {
            case ADMISSION_REJECT, QUEUE_FULL_DROP_LRU -> {
                assertThat(NaivePlacement.bestThatAccepts(world.pools, offered.spec, isInteractive))
                        .isNegative();
                NaivePool pool = world.poolOf(error.poolId());
                assertThat(pool.isFull(isInteractive)).isTrue();
                assertThat(pool.victim(isInteractive)).isNull();
                assertThat(error.retryAfterMs()).isPositive();
            }
            case POOL_UNREADY, POOL_UNAVAILABLE, INVALID_PARAMS -> {
                boolean barred = world.draining || offered.spec.placement().mode() == PlacementMode.PIN;
                for (NaivePool pool : barred ? List.<NaivePool>of() : world.pools) {
                    assertThat(NaivePlacement.takes(pool, offered.spec)).isFalse();
                }
            }
            default -> assertThat(error.code()).isIn(ErrorCode.DEADLINE_UNMET, ErrorCode.CONFLICT);
        }
    }

    @Override
    public void dispatched(SimTask task, Dispatch dispatch) {
        note(4, task, dispatch.lease().replicaIndex() * 64L + dispatch.lease().slotIndex());
        assertThat(task.life).isEqualTo(SimTask.Life.QUEUED);
        assertThat(task.deadlineAtNs()).isGreaterThan(world.nowNs);
        NaivePool pool = world.poolOf(dispatch.poolId());
        int replica = dispatch.lease().replicaIndex();
        assertThat(pool).isSameAs(task.pool);
        assertThat(pool.paused || pool.draining)
                .as("nothing starts in %s", dispatch.poolId())
                .isFalse();
        assertThat(task.spec.modelRef()).isEqualTo(pool.model);
        assertThat(dispatch.generation()).isEqualTo(pool.generation);
        assertThat(dispatch.engineVersion()).isEqualTo(pool.versions[replica]);
        assertThat(pool.suits(task, replica))
                .as("%s suits %s", dispatch.replicaId(), task)
                .isTrue();
        assertThat(dispatch.attempt()).isEqualTo(task.failures);
        if (task.isRetry()) {
            assertThat(task.failures).isLessThanOrEqualTo(pool.spec.retries());
            retries++;
        }
        pool.started(task);
        pool.take(dispatch.lease(), task);
        assertThat(dispatch.retriable())
                .isEqualTo(task.failures < pool.spec.retries() && pool.hasSecond(task, replica));
        task.lease = dispatch.lease();
        task.generation = dispatch.generation();
        task.version = dispatch.engineVersion();
        task.life = SimTask.Life.RUNNING;
        world.server.dispatched(task, dispatch);
    }

    @Override
    public void evicted(SimTask task, ApiError error) {
        note(5, task, 0);
        assertThat(task.life).isEqualTo(SimTask.Life.QUEUED);
        NaivePool pool = task.pool();
        switch (error.code()) {
            case DEADLINE_UNMET -> {
                assertThat(task.failures).isZero();
                assertThat(task.deadlineAtNs()).isLessThanOrEqualTo(world.nowNs);
            }
            case POOL_UNREADY -> {
                assertThat(task.failures).isZero();
                assertMustLeave(task);
                assertNowhereToGo(task);
                displaced(task, false);
            }
            case WORKER_RESET -> assertThat(evicting).isTrue();
            default -> {
                boolean dropLru = pool.spec.fullPolicy() == PoolSpec.FullPolicy.DROP_LRU;
                assertThat(error.code())
                        .isEqualTo(dropLru ? ErrorCode.QUEUE_FULL_DROP_LRU : ErrorCode.ADMISSION_REJECT);
                assertThat(task).isSameAs(pool.victim(true));
            }
        }
        pool.removed(task);
        end(task);
        world.server.evicted(task);
    }

    private static boolean mustLeave(SimTask task) {
        NaivePool pool = task.pool();
        boolean leaves = pool.draining || !pool.willServe(task.spec.modelRef());
        return leaves || !pool.hasFuture(task) || pool.leavers().contains(task);
    }

    /** A task goes because it must; whether its pool's drain counts it. */
    private void displaced(SimTask task, boolean moved) {
        NaivePool pool = task.pool();
        boolean isLeaver = pool.leavers().contains(task);
        if ((isLeaver || pool.draining) && !pool.aside.contains(task)) {
            displaced++;
        }
        if (pool.draining && !isLeaver) {
            pool.drainedTo += moved ? 1 : 0;
            pool.drainedOut += moved ? 0 : 1;
        }
    }

    private static void assertMustLeave(SimTask task) {
        assertThat(mustLeave(task)).as("%s must leave its pool", task).isTrue();
    }

    private void assertNowhereToGo(SimTask task) {
        assertThat(NaivePlacement.bestWithRoom(world.pools, task.pool, task.spec, task.isInteractive()))
                .as("a pool with room for %s", task)
                .isNegative();
    }

    @Override
    public void moved(SimTask task, Admission admission) {
        note(8, task, admission.queuePosition());
        moves++;
        assertThat(task.life).isEqualTo(SimTask.Life.QUEUED);
        NaivePool to = world.poolOf(admission.poolId());
        assertMustLeave(task);
        assertThat(to).isNotSameAs(task.pool);
        assertThat(NaivePlacement.takes(to, task.spec)).isTrue();
        assertThat(to.isFull(task.isInteractive())).isFalse();
        assertThat(NaivePlacement.rank(to, task.spec))
                .isEqualTo(NaivePlacement.bestWithRoom(world.pools, task.pool, task.spec, task.isInteractive()));
        if (task.failures == 0 || task.pool().drainBegins || !task.pool().aside.contains(task)) {
            displaced(task, true);
        }
        task.pool().removed(task);
        task.moveTo(to);
        to.append(task);
        checkFigures(admission);
        if (admission.queuePosition() != to.position(task)) {
            to.stepAside(); // it may have looked at that pool before, in the same event
        }
        assertThat(admission.queuePosition()).isEqualTo(to.position(task));
    }

    @Override
    public void retryRefused(SimTask task) {
        note(9, task, task.failures);
        assertThat(task.failures).isPositive();
        assertThat(task.lease).isNull();
        if (task.life == SimTask.Life.QUEUED) {
            boolean late = task.deadlineAtNs() <= world.nowNs;
            if (!late) {
                assertThat(mustLeave(task) || !task.pool().hasReady(task)).isTrue();
            }
            if (!late && (task.pool().draining || !task.pool().willServe(task.spec.modelRef()))) {
                assertNowhereToGo(task);
            }
            if (!late && (task.pool().drainBegins || !task.pool().aside.contains(task))) {
                displaced(task, false);
            }
            task.pool().removed(task);
        } else {
            assertThat(task.life).isEqualTo(SimTask.Life.RUNNING);
        }
        end(task);
        world.server.retryRefused(task);
    }

    @Override
    public void aborted(SimTask task, ApiError error) {
        note(6, task, 0);
        assertThat(task.life).isEqualTo(SimTask.Life.RUNNING);
        assertThat(task.lease).isNotNull();
        assertThat(task.aborted).as("aborted once").isFalse();
        if (error.equals(SimOperator.STOPPED)) {
            assertThat(task.pool).isSameAs(aborting);
            assertThat(task.generation).isLessThan(abortingBelow);
        } else {
            assertThat(task.deadlineAtNs()).isLessThanOrEqualTo(world.nowNs);
        }
        task.aborted = true;
        world.server.aborted(task);
    }

    @Override
    public void settled(SimTask task, Charge charge) {
        note(10, task, charge.costNanos());
        assertThat(charge.costNanos()).isEqualTo(task.price.of(charge.tokensIn(), charge.tokensOut()));
    }

    @Override
    public void answered(SimTask task, Admission admission) {
        note(7, task, admission.queuePosition());
        task.answered = true;
        checkFigures(admission);
        if (task.life == SimTask.Life.QUEUED) {
            assertThat(admission.poolId()).isEqualTo(task.pool().spec.id());
            assertThat(admission.queuePosition()).isEqualTo(task.pool().position(task));
        } else {
            assertThat(admission.queuePosition()).isZero();
        }
    }
}
