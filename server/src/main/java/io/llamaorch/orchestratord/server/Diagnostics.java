package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.AccessLog;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.log.Logging;
import io.llamaorch.orchestratord.server.metrics.GaugeSource.Family;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.task.TaskPlane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What watches the daemon beside its work: the access log, and who finds blocked threads. */
final class Diagnostics implements AutoCloseable {
    private final Config config;
    private final Metrics metrics;
    private final EventLog log;
    private final @Nullable AccessLog access;
    private @Nullable BlockedThreads watchdog;

    private Diagnostics(Config config, Metrics metrics, EventLog log, @Nullable AccessLog access) {
        this.config = config;
        this.metrics = metrics;
        this.log = log;
        this.access = access;
    }

    /** Opens the access log, where one is configured. */
    static Diagnostics open(Config config, Metrics metrics, Logging logging) throws Daemon.StartFailure {
        EventLog log = logging.events();
        Config.AccessLog wanted = config.log().access();
        if (wanted == null) {
            return new Diagnostics(config, metrics, log, null);
        }
        try {
            AccessLog access = AccessLog.open(wanted, human -> log.warning("access_log_failed", human));
            metrics.addSource(sink -> sink.gauge(Family.ACCESS_LOG_LOST_TOTAL, (double) access.lost()));
            return new Diagnostics(config, metrics, log, access);
        } catch (IOException e) {
            throw new Daemon.StartFailure(
                    "Cannot open the access log " + wanted.file() + ": " + e.getMessage()
                            + "; its folder must exist and be writable (key: log.access.file)",
                    e);
        }
    }

    /** The access log; null for none. */
    @Nullable
    AccessLog access() {
        return access;
    }

    /** Starts to look at the loops and at the scheduler, which both run. */
    void watch(List<LoopLag> lags, TaskPlane tasks) {
        List<BlockedThreads.Watched> watched = new ArrayList<>(lags);
        watched.add(new SchedulerBeat(tasks.ring()));
        watched.forEach(thread -> metrics.blocked(thread.name())); // series from the start, at 0
        BlockedThreads threads = new BlockedThreads(
                watched, config.watchdog().blockedMs(), System.nanoTime(), new BlockedReport(metrics, log));
        watchdog = threads;
        threads.start();
    }

    @Override
    public void close() {
        BlockedThreads threads = watchdog;
        if (threads != null) {
            threads.close();
        }
        AccessLog open = access;
        if (open != null) {
            open.close();
        }
    }
}
