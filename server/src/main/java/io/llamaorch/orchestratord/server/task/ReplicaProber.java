package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks one replica how it is: every {@value #READY_PERIOD_MS} ms while it is well, every {@value #DOWN_PERIOD_MS} ms
 * while it is not, and at once when a task met trouble with it.
 *
 * <p><b>Owner thread:</b> its loop, but for {@link #start}, {@link #suspect} and {@link #last}.
 */
final class ReplicaProber {
    private static final long READY_PERIOD_MS = 2_000;
    private static final long DOWN_PERIOD_MS = 500;

    private final EngineAdapter adapter;
    private final EngineTarget target;
    private final EventLoop loop;
    private final BiConsumer<@Nullable ReplicaStatus, ReplicaStatus> told;
    private @Nullable ScheduledFuture<?> next;
    private boolean asking;
    private boolean stopped;
    private volatile @Nullable ReplicaStatus last;

    /**
     * A prober that has not asked yet.
     *
     * @param told called on the loop with the answer before, null for none, and each new one
     */
    ReplicaProber(
            EngineAdapter adapter,
            EngineTarget target,
            EventLoop loop,
            BiConsumer<@Nullable ReplicaStatus, ReplicaStatus> told) {
        this.adapter = adapter;
        this.target = target;
        this.loop = loop;
        this.told = told;
    }

    /** The replica. */
    EngineTarget target() {
        return target;
    }

    /** What it last said; null before the first answer. */
    @Nullable
    ReplicaStatus last() {
        return last;
    }

    /** Asks now, and from then on. */
    void start() {
        loop.execute(this::ask);
    }

    /** Something went wrong there: asks now, unless it is being asked. */
    void suspect() {
        loop.execute(this::ask);
    }

    /** Asks no more. */
    void stop() {
        loop.execute(() -> {
            stopped = true;
            cancelNext();
        });
    }

    private void ask() {
        if (asking || stopped) {
            return;
        }
        asking = true;
        cancelNext();
        adapter.probe(target, loop, this::onAnswer);
    }

    private void onAnswer(ReplicaStatus status) {
        asking = false;
        ReplicaStatus before = last;
        last = status;
        told.accept(before, status);
        if (!stopped) {
            long periodMs = status.state() == ReplicaStatus.State.READY ? READY_PERIOD_MS : DOWN_PERIOD_MS;
            next = loop.schedule(this::ask, periodMs, TimeUnit.MILLISECONDS);
        }
    }

    private void cancelNext() {
        if (next != null) {
            next.cancel(false);
            next = null;
        }
    }
}
