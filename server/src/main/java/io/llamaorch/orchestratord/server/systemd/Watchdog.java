package io.llamaorch.orchestratord.server.systemd;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;

/**
 * Proves that the daemon works before it says so: a baton goes through every event loop and the scheduler, one after the
 * other, and only when it has come back is the service manager's watchdog fed.
 *
 * <pre>
 *   round() ─▶ loop 0 ─▶ loop 1 ─▶ … ─▶ last loop ─▶ scheduler ─▶ loop 0: feed
 * </pre>
 *
 * <p>Who hangs keeps the baton, and no second one is sent while it is out: a daemon of which one loop hangs is not fed for
 * it, however well the others are. {@link #round} is to be called on loop 0, and all state is owned by it.
 */
public final class Watchdog {
    private final List<? extends Executor> loops;
    private final Predicate<Runnable> scheduler;
    private final Runnable feed;
    private boolean out;

    /**
     * One that has not run yet.
     *
     * @param loops every event loop
     * @param scheduler has a step run on the scheduler's thread; false where it takes none now
     * @param feed called on loop 0
     */
    public Watchdog(List<? extends Executor> loops, Predicate<Runnable> scheduler, Runnable feed) {
        this.loops = loops;
        this.scheduler = scheduler;
        this.feed = feed;
    }

    /** Sends the baton, unless it is out. */
    public void round() {
        if (!out) {
            out = true;
            pass(1);
        }
    }

    private void pass(int next) {
        if (next < loops.size()) {
            on(next, () -> pass(next + 1));
        } else if (!scheduler.test(() -> on(0, this::home))) {
            on(0, this::lost);
        }
    }

    private void home() {
        out = false;
        feed.run();
    }

    /** A full ring: the next round tries again. */
    private void lost() {
        out = false;
    }

    private void on(int loop, Runnable step) {
        try {
            loops.get(loop).execute(step);
        } catch (RejectedExecutionException e) {
            // The daemon is closing; nothing is fed any more.
        }
    }
}
