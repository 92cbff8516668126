package io.llamaorch.orchestratord.server.pool;

import java.util.Arrays;

/**
 * How many decodes an engine runs that we did not ask for, or asked it to stop: zombies, or somebody else's.
 *
 * <p>An engine's count and ours are taken at different moments, and an engine may need a second to notice an abort: only
 * what was there at each of the last {@value #SAMPLES} probes counts. Owned by one loop.
 */
final class Occupancy {
    /** Probes in a row that must agree. */
    static final int SAMPLES = 3;

    private final int[] excess = new int[SAMPLES];
    private int samples;

    /**
     * A probe's answer.
     *
     * @param running decodes that the engine says it runs, −1 where it does not say
     * @param leased slots that the scheduler had given out at that time
     * @return decodes that are not ours, ≥ 0
     */
    int sample(int running, int leased) {
        if (running < 0) {
            return 0;
        }
        excess[samples++ % SAMPLES] = Math.max(0, running - leased);
        return samples < SAMPLES ? 0 : Arrays.stream(excess).min().orElse(0);
    }

    /** The engine is another one now. */
    void reset() {
        samples = 0;
    }
}
