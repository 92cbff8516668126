package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** The watches of all replicas, spread over the event loops, and what is made of what they see. */
public final class Watches implements ReplicaWatch.Listener {
    private static final long STOP_NS = 200_000_000;

    private final SchedulerRing<?> ring;
    private final BiConsumer<EventLoop, BooleanSupplier> tell;
    private final Metrics metrics;
    private final EventLog log;
    private final List<List<ReplicaWatch>> all = new ArrayList<>();
    private final List<Listener> listeners = new ArrayList<>();

    /**
     * Watches that do not look yet.
     *
     * @param loopOf event loops by a number from 0; any number is one of them
     * @param tell offers to the ring, on that loop, what must not be lost
     */
    public Watches(
            Pools pools,
            IntFunction<EventLoop> loopOf,
            SchedulerRing<?> ring,
            BiConsumer<EventLoop, BooleanSupplier> tell,
            Metrics metrics,
            EventLog log) {
        this.ring = ring;
        this.tell = tell;
        this.metrics = metrics;
        this.log = log;
        int number = 0;
        for (Pool pool : pools.all()) {
            List<ReplicaWatch> watches = new ArrayList<>();
            for (Replica replica : pool.replicas()) {
                watches.add(new ReplicaWatch(
                        replica, loopOf.apply(number++), () -> leased(replica), () -> isLast(replica), this));
            }
            all.add(watches);
        }
    }

    private boolean isLast(Replica replica) {
        for (ReplicaWatch other : all.get(replica.pool().index())) {
            ReplicaView view = other.view();
            boolean trusted =
                    view.state() == ReplicaStatus.State.READY && view.breaker() != ReplicaView.BreakerState.OPEN;
            if (other.replica() != replica && trusted) {
                return false;
            }
        }
        return true;
    }

    /** Slots given out on a replica's engine, by whatever pool. */
    private int leased(Replica replica) {
        SchedulerSnapshot snapshot = ring.snapshot();
        int leased = 0;
        for (List<ReplicaWatch> pool : all) {
            for (ReplicaWatch watch : pool) {
                Replica other = watch.replica();
                if (other.target().url().equals(replica.target().url())) {
                    leased += snapshot.pools()
                            .get(other.pool().index())
                            .replicas()
                            .get(other.index())
                            .leased();
                }
            }
        }
        return leased;
    }

    /** Any thread: from now on they look. */
    public void start() {
        all.forEach(pool -> pool.forEach(ReplicaWatch::start));
    }

    /** They look no more; waits a moment for answers that are on their way. Not on an event loop. */
    public void stop() {
        all.forEach(pool -> pool.forEach(ReplicaWatch::stop));
        long untilNs = System.nanoTime() + STOP_NS;
        while (System.nanoTime() < untilNs && all.stream().flatMap(List::stream).anyMatch(ReplicaWatch::isAsking)) {
            Thread.onSpinWait();
        }
    }

    /** What is known of a replica; any thread. */
    public ReplicaView view(int poolIndex, int replicaIndex) {
        return all.get(poolIndex).get(replicaIndex).view();
    }

    List<ReplicaWatch> of(Pool pool) {
        return List.copyOf(all.get(pool.index()));
    }

    /** Any thread: a task decoded its first token where it was dispatched to. */
    public void onDecoded(Dispatch dispatch) {
        watch(dispatch).onTaskDecoded(dispatch.generation());
    }

    /** Any thread: a task ended well where it was dispatched to. */
    public void onCompleted(Dispatch dispatch) {
        watch(dispatch).onTaskCompleted(dispatch.generation());
    }

    /** Any thread: a task failed where it was dispatched to. */
    public void onFailed(Dispatch dispatch, EngineFailure failure) {
        watch(dispatch).onTaskFailed(dispatch.generation(), failure);
    }

    /**
     * Any thread: a GPU that a replica runs on is faulty, or (null) none is any more.
     *
     * @param why as {@link ReplicaView#lastError} shows it
     */
    public void deviceFault(int poolIndex, int replicaIndex, @Nullable String why) {
        all.get(poolIndex).get(replicaIndex).deviceFault(why);
    }

    private ReplicaWatch watch(Dispatch dispatch) {
        return all.get(dispatch.lease().poolIndex()).get(dispatch.lease().replicaIndex());
    }

    /** Also told of each change; before {@link #start}. */
    void alsoTell(Listener listener) {
        listeners.add(listener);
    }

    /** Told of what a watch sees, on its loop. */
    interface Listener {
        void onView(Replica replica, ReplicaView before, ReplicaView now);
    }

    @Override
    public void onView(ReplicaWatch watch, ReplicaView before, ReplicaView now) {
        Replica replica = watch.replica();
        listeners.forEach(listener -> listener.onView(replica, before, now));
        String poolId = replica.pool().config().id();
        if (before.state() != now.state() || before.breaker() != now.breaker()) {
            for (ReplicaWatch other : of(replica.pool())) {
                if (other != watch) {
                    other.reconsider();
                }
            }
        }
        if (before.state() != now.state()) {
            log.replicaChanged(poolId, replica.id(), before.state(), now.state(), now.engineVersion(), now.lastError());
        }
        if (before.breaker() != now.breaker()) {
            log.breakerChanged(poolId, replica.id(), now.breaker(), now.lastError());
        }
        if (now.occupied() > before.occupied()) {
            metrics.zombies(poolId, replica.id()).inc(now.occupied() - before.occupied());
            log.replicaOccupied(poolId, replica.id(), now.occupied());
        }
        if (!now.isSameForScheduler(before)) {
            tell.accept(
                    watch.loop(),
                    () -> ring.offerReplicaChanged(
                            replica.pool().index(),
                            replica.index(),
                            ReplicaState.valueOf(now.state().name()),
                            now.engineVersion(),
                            now.slots(),
                            now.ctx()));
        }
    }
}
