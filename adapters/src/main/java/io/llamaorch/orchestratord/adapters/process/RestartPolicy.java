package io.llamaorch.orchestratord.adapters.process;

import java.util.ArrayDeque;

/**
 * When an engine that ended is started again: exponential backoff with full jitter, and an end to it when it does not
 * help. No clock and no randomness: both come in with the call. Owned by one thread.
 *
 * <p>The n-th failure in a row waits a random part of {@code min(cap, base × 2^(n-1))}. An engine out of GPU memory waits
 * at least {@code vramBase}, and its ceiling grows from there: others must go first, and the driver frees late.
 */
public final class RestartPolicy {
    /** Beyond this exponent every base has reached every cap. */
    private static final int EXPONENT_MAX = 40;

    /**
     * Figures of the policy.
     *
     * @param baseMs ceiling of the first wait, ms, at least 1
     * @param capMs ceiling of all waits, ms, at least {@code baseMs}
     * @param vramBaseMs floor of a wait after running out of GPU memory, and ceiling of the first, ms
     * @param stableMs so long ready, and failures before are forgotten, ms
     * @param stormStarts starts within the window that are one storm, at least 1
     * @param stormWindowMs the window, ms
     */
    public record Limits(long baseMs, long capMs, long vramBaseMs, long stableMs, int stormStarts, long stormWindowMs) {
        /** 1 s doubling to a minute, 10 s after running out of GPU memory; 5 minutes are stable; 6 starts in 15 minutes. */
        public static final Limits DEFAULT = new Limits(1_000, 60_000, 10_000, 300_000, 6, 900_000);

        /** Checks the ranges. */
        public Limits {
            if (baseMs < 1 || capMs < baseMs || vramBaseMs < 1 || vramBaseMs > capMs || stableMs < 0) {
                throw new IllegalArgumentException("backoff of " + baseMs + " ms to " + capMs + " ms, " + vramBaseMs
                        + " ms after running out of GPU memory, stable after " + stableMs + " ms");
            }
            if (stormStarts < 1 || stormWindowMs < 1) {
                throw new IllegalArgumentException("a storm of " + stormStarts + " starts in " + stormWindowMs + " ms");
            }
        }
    }

    /**
     * What to do now.
     *
     * @param restart false: give up until an operator acts
     * @param delayMs wait before the start, ms; 0 when giving up
     */
    public record Decision(boolean restart, long delayMs) {}

    private final Limits limits;
    private final ArrayDeque<Long> starts = new ArrayDeque<>();
    private int failures;

    /** A policy that has seen nothing yet. */
    public RestartPolicy(Limits limits) {
        this.limits = limits;
    }

    /** The engine was started at {@code nowMs}. */
    public void onStart(long nowMs) {
        starts.addLast(nowMs);
        if (starts.size() > limits.stormStarts()) {
            starts.removeFirst();
        }
    }

    /**
     * The engine ended without being asked to.
     *
     * @param nowMs the same clock as in {@link #onStart}
     * @param readyMs how long it had been ready, ms, 0 when it never was
     * @param kind how it ended
     * @param jitter uniform within [0, 1)
     */
    public Decision onExit(long nowMs, long readyMs, ExitKind kind, double jitter) {
        if (readyMs > 0 && readyMs >= limits.stableMs()) {
            failures = 0;
        }
        while (!starts.isEmpty() && nowMs - starts.getFirst() >= limits.stormWindowMs()) {
            starts.removeFirst();
        }
        if (starts.size() >= limits.stormStarts()) {
            return new Decision(false, 0);
        }
        failures++;
        boolean vram = kind == ExitKind.VRAM_OUT_OF_MEMORY;
        long floor = vram ? limits.vramBaseMs() : 0;
        long ceiling = ceiling(vram ? limits.vramBaseMs() : limits.baseMs());
        return new Decision(true, floor + (long) (jitter * (ceiling - floor + 1)));
    }

    private long ceiling(long base) {
        int exponent = Math.min(failures - 1, EXPONENT_MAX);
        return base > limits.capMs() >> exponent ? limits.capMs() : base << exponent;
    }

    /** Forgets everything: an operator acted. */
    public void reset() {
        starts.clear();
        failures = 0;
    }

    /** Failures in a row. */
    public int failures() {
        return failures;
    }

    /** Figures of this policy. */
    public Limits limits() {
        return limits;
    }
}
