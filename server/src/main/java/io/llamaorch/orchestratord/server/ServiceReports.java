package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.control.Readiness;
import io.llamaorch.orchestratord.server.systemd.ServiceNotifier;
import io.llamaorch.orchestratord.server.systemd.Watchdog;
import io.llamaorch.orchestratord.server.task.TaskPlane;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What the service manager hears of a daemon: that it serves, how it is, that it still works, that it stops.
 *
 * <p>The status and the watchdog's rounds are timers of the first event loop; the turns are told by the thread that makes
 * them.
 */
public final class ServiceReports {
    private static final long STATUS_PERIOD_S = 5;
    private static final int ROUNDS_IN_WATCHDOG_TIME = 3;
    /** For what a stop does after the drain, beside the engines: last bytes, files, threads; ms. */
    private static final long CLOSING_MS = 10_000;

    private final ServiceNotifier notifier;
    private final TaskPlane tasks;
    private final List<EventLoop> loops;
    private final String address;
    private volatile boolean stopping;
    /** Owned by the first loop. */
    private String told = "";

    /** Reports that have not begun; {@code address}: where it listens, for people. */
    ServiceReports(ServiceNotifier notifier, TaskPlane tasks, List<EventLoop> loops, String address) {
        this.notifier = notifier;
        this.tasks = tasks;
        this.loops = loops;
        this.address = address;
    }

    /** Every socket is bound. */
    void serving() {
        notifier.ready(status());
        if (!notifier.present()) {
            return;
        }
        EventLoop first = loops.get(0);
        first.scheduleWithFixedDelay(this::renew, STATUS_PERIOD_S, STATUS_PERIOD_S, TimeUnit.SECONDS);
        long limitNs = notifier.watchdogNs();
        if (limitNs > 0) {
            Watchdog watchdog = new Watchdog(loops, tasks.ring()::offerProbe, notifier::alive);
            long periodNs = Math.max(1, limitNs / ROUNDS_IN_WATCHDOG_TIME);
            first.scheduleAtFixedRate(watchdog::round, 0, periodNs, TimeUnit.NANOSECONDS);
        }
    }

    /** A reload begins; {@link #reloaded} must follow. */
    public void reloading() {
        notifier.reloading("Reloading.");
    }

    /** A reload has ended, well or not. */
    public void reloaded() {
        notifier.ready(status());
    }

    /** A stop begins. */
    public void stopping(Config config) {
        stopping = true;
        notifier.stopping(status(), stopMs(config));
    }

    /** The longest that a stop may take by this configuration, ms. */
    static long stopMs(Config config) {
        long engines = 0;
        for (Config.Pool pool : config.pools()) {
            Config.Provisioning process = pool.process();
            if (process != null) {
                engines = Math.max(engines, process.stopGraceMs());
            }
        }
        return config.shutdown().lameDuckMs() + config.shutdown().drainDeadlineMs() + engines + CLOSING_MS;
    }

    private void renew() {
        String now = status();
        if (!now.equals(told)) {
            told = now;
            notifier.status(now);
        }
    }

    private String status() {
        SchedulerSnapshot snapshot = tasks.ring().snapshot();
        long ready = snapshot.pools().stream().filter(Readiness::isReady).count();
        return (stopping ? "Draining " : "Serving on ") + address + ": " + ready + " of "
                + snapshot.pools().size() + " pools ready, " + snapshot.tasksLive() + " tasks open.";
    }
}
