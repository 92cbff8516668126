package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Priority;
import org.jspecify.annotations.Nullable;

/** Where a task stands, from its pool's forecast. Pure functions over what the scheduler's thread owns. */
final class Standing {
    private Standing() {}

    /** Of a known task, whatever its state. */
    static Admission of(long nowNs, TaskEntry entry, @Nullable Allowance allowance) {
        PoolRuntime pool = entry.pool;
        if (entry.state == TaskEntry.QUEUED) {
            return at(nowNs, entry, pool.position(entry), pool.queued(), allowance);
        }
        long backoffMs = pool.forecast.backoffMs(nowNs);
        if (entry.state == TaskEntry.TERMINAL) {
            return new Admission(pool.spec.id(), 0, 0, 0, backoffMs, 0, pool.queued(), allowance);
        }
        double remaining = pool.forecast.remainingNs(nowNs, entry);
        double onTime = pool.forecast.runningOnTime(nowNs, entry, entry.deadlineAtNs - (double) nowNs);
        return new Admission(pool.spec.id(), 0, 0, toMs(remaining), backoffMs, onTime, pool.queued(), allowance);
    }

    /** Of a task that is about to be queued. */
    static Admission newcomer(long nowNs, TaskEntry entry, @Nullable Allowance allowance) {
        PoolRuntime pool = entry.pool;
        boolean isInteractive = entry.spec.priority() == Priority.INTERACTIVE;
        return at(
                nowNs,
                entry,
                pool.newcomerPosition(isInteractive, entry.heldSession().account),
                pool.queued() + 1L,
                allowance);
    }

    private static Admission at(long nowNs, TaskEntry entry, long position, long depth, @Nullable Allowance allowance) {
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
                startsNow ? 0 : depth,
                allowance);
    }

    static long toMs(double ns) {
        return Math.round(ns / 1e6);
    }
}
