package io.llamaorch.orchestratord.scheduler.core;

/**
 * Limits and priors of the core; what belongs to one pool is in {@link PoolSpec}.
 *
 * @param tasksMax most tasks known at once, live and terminal, ≥ 1; admissions beyond are refused with policy label
 *     {@code task_table}
 * @param sessionsMax sessions without an open task that are kept, ≥ 1; the one used longest ago is dropped first
 * @param slotsMax most slots that one replica may be configured with, ≥ 1
 * @param priorTokensPerSecond decode rate of one slot assumed before any measurement, &gt; 0
 * @param priorFirstTokenMs time to first token assumed before any measurement, ms, ≥ 0
 * @param etaSamplesMin natural ends of tasks in a pool before its ETA is trusted to refuse an admission, ≥ 1
 * @param priorDoubt how many times faster than thought a pool may be until then, ≥ 1: what is refused is a deadline that
 *     leaves no time for one token even so. Wide, because a pool that refuses by its priors never gets to measure
 * @param etaRebuildNs least time between two rebuilds of a pool's start curve, ns, ≥ 0
 * @param unreadyRetryMs time to come back told while a pool loads or is down, and while the daemon drains, ms, ≥ 1
 */
public record SchedulerSettings(
        int tasksMax,
        int sessionsMax,
        int slotsMax,
        double priorTokensPerSecond,
        double priorFirstTokenMs,
        int etaSamplesMin,
        double priorDoubt,
        long etaRebuildNs,
        long unreadyRetryMs) {

    /** What a daemon without a word in its configuration gets. */
    public static final SchedulerSettings DEFAULT =
            new SchedulerSettings(4_000_000, 65_536, 65_536, 30.0, 300.0, 32, 100.0, 20_000_000L, 5_000);

    public SchedulerSettings {
        require(tasksMax >= 1, "tasksMax", tasksMax);
        require(sessionsMax >= 1, "sessionsMax", sessionsMax);
        require(slotsMax >= 1, "slotsMax", slotsMax);
        require(priorTokensPerSecond > 0, "priorTokensPerSecond", priorTokensPerSecond);
        require(priorFirstTokenMs >= 0, "priorFirstTokenMs", priorFirstTokenMs);
        require(etaSamplesMin >= 1, "etaSamplesMin", etaSamplesMin);
        require(priorDoubt >= 1, "priorDoubt", priorDoubt);
        require(etaRebuildNs >= 0, "etaRebuildNs", etaRebuildNs);
        require(unreadyRetryMs >= 1, "unreadyRetryMs", unreadyRetryMs);
    }

    /** The same with room for another number of sessions. */
    public SchedulerSettings withSessionsMax(int max) {
        return new SchedulerSettings(
                tasksMax,
                max,
                slotsMax,
                priorTokensPerSecond,
                priorFirstTokenMs,
                etaSamplesMin,
                priorDoubt,
                etaRebuildNs,
                unreadyRetryMs);
    }

    private static void require(boolean holds, String name, Number value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " out of range: " + value);
        }
    }
}
