package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * What a key and its session have left: of budgets the smaller of the two, after what open tasks have reserved.
 *
 * @param tokensLeft tokens, {@value #NOT_LIMITED} where neither limits them
 * @param timeMsLeft decode time, ms, or {@value #NOT_LIMITED}
 * @param costNanosLeft billionths, or {@value #NOT_LIMITED}
 * @param requests admissions a minute; null where they are not limited
 * @param tokens tokens a minute; null where they are not limited
 */
public record Allowance(
        long tokensLeft, long timeMsLeft, long costNanosLeft, @Nullable Rate requests, @Nullable Rate tokens) {
    /** No budget of that kind. */
    public static final long NOT_LIMITED = -1;

    /**
     * One rate limit.
     *
     * @param limit in one minute
     * @param left now
     * @param resetMs until all of it is left again if nothing else came, ms
     */
    public record Rate(long limit, long left, long resetMs) {}
}
