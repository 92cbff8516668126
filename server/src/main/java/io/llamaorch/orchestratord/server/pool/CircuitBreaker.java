package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.server.pool.ReplicaView.BreakerState;

/**
 * Whether a replica is trusted with tasks, from how its last ones ended.
 *
 * <pre>
 *   CLOSED ──failures in a row ≥ limit──▶ OPEN ──wait over──▶ HALF_OPEN ──success──▶ CLOSED
 *                                          ▲                      │
 *                                          └──────failure─────────┘   (the wait doubles, up to its longest)
 * </pre>
 *
 * <p>Each wait is jittered over its upper half, so that replicas which failed together are not tried together. A state
 * machine without a clock: time and jitter come with the input. Owned by one loop.
 */
final class CircuitBreaker {
    /** Doublings after which a wait grows no more, whatever its limit. */
    private static final int DOUBLINGS_MAX = 20;

    private final int failuresMax;
    private final long baseWaitMs;
    private final long longestWaitMs;
    private BreakerState state = BreakerState.CLOSED;
    private int failures;
    private int openings;
    private long opensUntilMs;

    /**
     * A closed one.
     *
     * @param failuresMax failures in a row that open it, ≥ 1
     * @param baseWaitMs first wait before it is half open, ms, ≥ 1
     * @param longestWaitMs limit of the wait, ms
     */
    CircuitBreaker(int failuresMax, long baseWaitMs, long longestWaitMs) {
        this.failuresMax = failuresMax;
        this.baseWaitMs = baseWaitMs;
        this.longestWaitMs = longestWaitMs;
    }

    BreakerState state() {
        return state;
    }

    /** When it is half open, on the clock of the inputs, ms; of use while it is open. */
    long opensUntilMs() {
        return opensUntilMs;
    }

    /** A task decoded its first token: the trial is over, but the next failure opens it again. */
    void onFirstToken() {
        if (state != BreakerState.CLOSED) {
            state = BreakerState.CLOSED;
            failures = failuresMax - 1;
        }
    }

    /** A task ended well. */
    void onSuccess() {
        failures = 0;
        openings = 0;
        state = BreakerState.CLOSED;
    }

    /**
     * A task failed in a way that speaks against the replica.
     *
     * @param jitter 0 … 1
     * @return whether it opened
     */
    boolean onFailure(long nowMs, double jitter) {
        if (state == BreakerState.OPEN) {
            return false; // a task that started before it opened
        }
        failures++;
        if (state == BreakerState.CLOSED && failures < failuresMax) {
            return false;
        }
        long wait = Math.min(longestWaitMs, baseWaitMs << Math.min(openings, DOUBLINGS_MAX));
        openings++;
        opensUntilMs = nowMs + wait / 2 + (long) (jitter * (wait - wait / 2));
        state = BreakerState.OPEN;
        return true;
    }

    /** Time has passed; returns whether it is half open now and was not before. */
    boolean advance(long nowMs) {
        if (state != BreakerState.OPEN || nowMs < opensUntilMs) {
            return false;
        }
        state = BreakerState.HALF_OPEN;
        return true;
    }

    /** The replica is another one now: a new process, another model. */
    void reset() {
        onSuccess();
    }
}
