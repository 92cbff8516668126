package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;

/**
 * Counts and logs blocked threads.
 *
 * @param metrics where they are counted
 * @param log where their stacks go
 */
record BlockedReport(Metrics metrics, EventLog log) implements BlockedThreads.Listener {
    @Override
    public void blocked(String name, long lateMs, StackTraceElement[] stack) {
        metrics.blocked(name).inc();
        log.blocked(threadOf(name), lateMs, stack);
    }

    @Override
    public void unblocked(String name, long blockedMs) {
        log.unblocked(threadOf(name), blockedMs);
    }

    private static String threadOf(String name) {
        return name.equals(SchedulerBeat.NAME) ? name : "loop-" + name;
    }
}
