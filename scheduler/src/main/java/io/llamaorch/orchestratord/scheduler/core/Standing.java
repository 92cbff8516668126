package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Priority;

/** Where a task stands, from its pool's forecast. Pure functions over what the scheduler's thread owns. */
final class Standing {
    private Standing() {}

    /** Of a known task, whatever its state. */
    static Admission of(long nowNs, TaskEntry entry) {
        PoolRuntime pool = entry.pool;
        if (entry.state == TaskEntry.QUEUED) {
            return queued(nowNs, entry);
        }
        long backoffMs = pool.forecast.backoffMs(nowNs);
        if (entry.state == TaskEntry.TERMINAL) {
            return new Admission(pool.spec.id(), 0, 0, 0, backoffMs, 0, pool.queued());
        }
        double remaining = pool.forecast.remainingNs(nowNs, entry);
        double onTime = pool.forecast.runningOnTime(nowNs, entry, entry.deadlineAtNs - (double) nowNs);
        return new Admission(pool.spec.id(), 0, 0, toMs(remaining), backoffMs, onTime, pool.queued());
    }

    /** Of a task in its queue. */
    private static Admission queued(long nowNs, TaskEntry entry) {
        return at(nowNs, entry, entry.pool.position(entry), entry.pool.queued());
    }

    /** Of a task that is about to be queued. */
    static Admission newcomer(long nowNs, TaskEntry entry) {
        PoolRuntime pool = entry.pool;
        boolean isInteractive = entry.spec.priority() == Priority.INTERACTIVE;
        return at(nowNs, entry, pool.newcomerPosition(isInteractive), pool.queued() + 1L);
    }

    private static Admission at(long nowNs, TaskEntry entry, long position, long depth) {
        PoolRuntime pool = entry.pool;
        PoolForecast forecast = pool.forecast;
        TaskSpec spec = entry.spec;
        double start = forecast.startNs(nowNs, position, 0.5);
        double end = start + forecast.model.serviceNs(spec.promptBytes(), spec.maxTokens(), 0.5);
        double onTime = forecast.onTime(nowNs, position, spec, entry.deadlineAtNs - (double) nowNs);
        boolean startsNow = position == 0 && pool.startsNow();
        return new Admission(
                pool.spec.id(),
                position,
                toMs(start),
                toMs(end),
                startsNow ? 0 : forecast.backoffMs(nowNs),
                onTime,
                startsNow ? 0 : depth);
    }

    static long toMs(double ns) {
        return Math.round(ns / 1e6);
    }
}
