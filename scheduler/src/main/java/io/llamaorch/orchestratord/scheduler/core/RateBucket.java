package io.llamaorch.orchestratord.scheduler.core;

/**
 * A token bucket over scheduler time, in whole numbers: it holds one minute's worth, is full at first, and fills evenly.
 *
 * <p>What it holds is counted in sixty-billionths, which is what one a minute brings in a nanosecond, so that nothing is
 * lost between two looks however close they are. At {@value RateLimits#PER_MINUTE_MAX} a minute a full one is 3·10^18,
 * so that a long holds two. Owned by the scheduler's thread.
 */
final class RateBucket {
    private static final long MINUTE_NS = 60_000_000_000L;

    private final int limit;
    private final long full;
    private long level;
    private long atNs;

    /** @param limit per minute, 1 … {@value RateLimits#PER_MINUTE_MAX} */
    RateBucket(int limit, long nowNs) {
        this.limit = limit;
        this.full = limit * MINUTE_NS;
        this.level = full;
        this.atNs = nowNs;
    }

    private void fill(long nowNs) {
        long elapsedNs = nowNs - atNs;
        long missing = full - level;
        level = elapsedNs >= ceilDiv(missing, limit) ? full : level + elapsedNs * limit;
        atNs = nowNs;
    }

    int limit() {
        return limit;
    }

    /** Whole ones that it holds. */
    long left(long nowNs) {
        fill(nowNs);
        return Math.max(0, level / MINUTE_NS);
    }

    boolean holds(long nowNs, long amount) {
        fill(nowNs);
        return amount <= limit && level >= amount * MINUTE_NS;
    }

    /** Takes out what it {@link #holds}. */
    void take(long amount) {
        level -= amount * MINUTE_NS;
    }

    /** Puts back what was taken and not used; takes what was used beyond, of which it may come to owe one minute's. */
    void settle(long nowNs, long taken, long used) {
        fill(nowNs);
        long back = Math.max(-limit, Math.min(limit, taken - used));
        level = Math.max(-full, Math.min(full, level + back * MINUTE_NS));
    }

    /** When it will hold so many if nothing is taken, ms from now, rounded up. */
    long waitMs(long nowNs, long amount) {
        fill(nowNs);
        long missing = Math.min(amount, limit) * MINUTE_NS - level;
        return missing <= 0 ? 0 : ceilDiv(ceilDiv(missing, limit), 1_000_000);
    }

    private static long ceilDiv(long value, long by) {
        return value <= 0 ? 0 : (value - 1) / by + 1;
    }
}
