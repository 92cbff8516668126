package io.llamaorch.orchestratord.scheduler.core;

/**
 * What tokens of a pool cost. A price for 1,000 tokens of at most six decimals is a whole number of billionths a token,
 * so that no cost is ever rounded.
 *
 * @param nanosPerTokenIn billionths for each token of a prompt, 0 … {@value #NANOS_MAX}
 * @param nanosPerTokenOut billionths for each token of an output, 0 … {@value #NANOS_MAX}
 */
public record Price(long nanosPerTokenIn, long nanosPerTokenOut) {
    /** 100 for 1,000 tokens: what 2^31 tokens of both kinds cost is exact in a long. */
    public static final long NANOS_MAX = 100_000_000;

    /** Decimals of a price for 1,000 tokens. */
    public static final int SCALE = 6;

    /** Costs nothing. */
    public static final Price FREE = new Price(0, 0);

    public Price {
        if (Math.min(nanosPerTokenIn, nanosPerTokenOut) < 0
                || Math.max(nanosPerTokenIn, nanosPerTokenOut) > NANOS_MAX) {
            throw new IllegalArgumentException("price out of range: " + nanosPerTokenIn + ", " + nanosPerTokenOut);
        }
    }

    /** What so many tokens cost, billionths. */
    public long of(long tokensIn, long tokensOut) {
        return Math.addExact(
                Math.multiplyExact(nanosPerTokenIn, tokensIn), Math.multiplyExact(nanosPerTokenOut, tokensOut));
    }
}
