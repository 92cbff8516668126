package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;

/**
 * The scheduler's turns as a heartbeat; one that has ended, or died, is not late.
 *
 * @param ring its ring
 */
record SchedulerBeat(SchedulerRing<?> ring) implements BlockedThreads.Watched {
    /** What logs and metrics call it. */
    static final String NAME = "scheduler";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public long overdueNs() {
        return ring.alive() ? ring.overdueNs() : 0;
    }

    @Override
    public StackTraceElement[] stackTrace() {
        return ring.stackTrace();
    }
}
