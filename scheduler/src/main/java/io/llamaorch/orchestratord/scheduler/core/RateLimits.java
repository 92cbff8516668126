package io.llamaorch.orchestratord.scheduler.core;

/**
 * How fast one key may ask, and its share of a queue; 0 where something is not limited.
 *
 * @param requestsPerMinute admissions, 0 … {@value #PER_MINUTE_MAX}
 * @param tokensPerMinute tokens of prompts and outputs, 0 … {@value #PER_MINUTE_MAX}
 * @param concurrent tasks queued or running at once
 * @param queueWeight starts that its waiting tasks get in a row before the next key's turn, 1 … {@value #WEIGHT_MAX}
 */
public record RateLimits(int requestsPerMinute, int tokensPerMinute, int concurrent, int queueWeight) {
    /** A bucket of that many tokens is exact in a long, see {@link RateBucket}. */
    public static final int PER_MINUTE_MAX = 50_000_000;

    /** Most starts in a row. */
    public static final int WEIGHT_MAX = 1_000;

    /** Nothing is limited; an equal share. */
    public static final RateLimits NONE = new RateLimits(0, 0, 0, 1);

    public RateLimits {
        require(requestsPerMinute >= 0 && requestsPerMinute <= PER_MINUTE_MAX, "requestsPerMinute", requestsPerMinute);
        require(tokensPerMinute >= 0 && tokensPerMinute <= PER_MINUTE_MAX, "tokensPerMinute", tokensPerMinute);
        require(concurrent >= 0, "concurrent", concurrent);
        require(queueWeight >= 1 && queueWeight <= WEIGHT_MAX, "queueWeight", queueWeight);
    }

    private static void require(boolean holds, String name, int value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " out of range: " + value);
        }
    }
}
