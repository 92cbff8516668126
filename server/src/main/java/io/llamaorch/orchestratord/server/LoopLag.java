package io.llamaorch.orchestratord.server;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How late one event loop runs its timers: the sign of something that blocks it.
 *
 * <p>A timer of {@value #PERIOD_MS} ms compares when it ran with when it should have. {@link #overdueMs} tells from
 * outside, also while the loop hangs.
 */
final class LoopLag implements BlockedThreads.Watched {
    private static final long PERIOD_MS = 200;

    private final String name;
    private volatile long dueNs;
    private volatile long lagNs;
    private volatile @Nullable Thread thread;

    /**
     * Starts to measure.
     *
     * @param index of the loop, as metrics have it
     */
    LoopLag(int index, EventLoop loop) {
        name = Integer.toString(index);
        dueNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PERIOD_MS);
        loop.execute(() -> thread = Thread.currentThread());
        loop.scheduleWithFixedDelay(this::beat, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
    }

    private void beat() {
        long nowNs = System.nanoTime();
        lagNs = Math.max(0, nowNs - dueNs);
        dueNs = nowNs + TimeUnit.MILLISECONDS.toNanos(PERIOD_MS);
    }

    /** How late the last beat was, ms; or how late the next one is already. Any thread. */
    double overdueMs() {
        return Math.max(lagNs, System.nanoTime() - dueNs) / 1e6;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long overdueNs() {
        return System.nanoTime() - dueNs;
    }

    @Override
    public StackTraceElement[] stackTrace() {
        Thread running = thread;
        return running == null ? new StackTraceElement[0] : running.getStackTrace();
    }
}
