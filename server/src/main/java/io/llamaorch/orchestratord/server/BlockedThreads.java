package io.llamaorch.orchestratord.server;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Finds threads that must not block and do: looks at each one's heartbeat from a thread of its own, and tells once an
 * incident what the late one does at that moment, and how long it took when it is over.
 *
 * <p>A look that comes late itself finds everybody late: the process was stopped, or the host had no time for it. Such a
 * look does not count, and the next one comes after everybody had time for a beat.
 */
final class BlockedThreads implements AutoCloseable {
    private static final int LOOKS_PER_LIMIT = 4;
    private static final long PERIOD_MAX_NS = TimeUnit.MILLISECONDS.toNanos(250);

    /** A thread with a heartbeat. Asked from the watching thread. */
    interface Watched {
        /** What logs and metrics call it: the number of a loop, or {@code scheduler}. */
        String name();

        /** How late its next beat is, ns; 0 or less while it is in time. */
        long overdueNs();

        /** What it does now; empty where that is not known. */
        StackTraceElement[] stackTrace();
    }

    /** Told of incidents, on the watching thread. */
    interface Listener {
        /** One began; {@code lateMs}: how late the thread is by now. */
        void blocked(String name, long lateMs, StackTraceElement[] stack);

        /** It is over; {@code blockedMs}: how late the thread was when it was last found so. */
        void unblocked(String name, long blockedMs);
    }

    private final List<? extends Watched> watched;
    private final Listener listener;
    private final long limitNs;
    private final long periodNs;
    private final long[] blockedNs;
    private long lookedAtNs;
    private volatile boolean closed;

    /**
     * Watches nobody yet.
     *
     * @param limitMs a thread this late is blocked, ms
     * @param nowNs {@code nanoTime}
     */
    BlockedThreads(List<? extends Watched> watched, long limitMs, long nowNs, Listener listener) {
        this.watched = watched;
        this.listener = listener;
        this.limitNs = TimeUnit.MILLISECONDS.toNanos(limitMs);
        this.periodNs = Math.min(PERIOD_MAX_NS, limitNs / LOOKS_PER_LIMIT);
        this.blockedNs = new long[watched.size()];
        this.lookedAtNs = nowNs;
    }

    /** Starts to look, until {@link #close}. */
    void start() {
        Thread thread = new Thread(
                () -> {
                    while (!closed) {
                        LockSupport.parkNanos(periodNs);
                        look(System.nanoTime());
                    }
                },
                "watchdog");
        thread.setDaemon(true);
        thread.start();
    }

    /** One look at everybody. */
    void look(long nowNs) {
        boolean paused = nowNs - lookedAtNs > periodNs + limitNs / 2;
        lookedAtNs = nowNs;
        if (paused) {
            return;
        }
        for (int i = 0; i < blockedNs.length; i++) {
            Watched thread = watched.get(i);
            long lateNs = thread.overdueNs();
            if (lateNs >= limitNs) {
                if (blockedNs[i] == 0) {
                    listener.blocked(thread.name(), TimeUnit.NANOSECONDS.toMillis(lateNs), thread.stackTrace());
                }
                blockedNs[i] = lateNs;
            } else if (blockedNs[i] > 0) {
                listener.unblocked(thread.name(), TimeUnit.NANOSECONDS.toMillis(blockedNs[i]));
                blockedNs[i] = 0;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
