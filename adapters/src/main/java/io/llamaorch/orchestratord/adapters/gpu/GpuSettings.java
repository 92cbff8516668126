package io.llamaorch.orchestratord.adapters.gpu;

/**
 * How GPUs are watched.
 *
 * @param library NVML's library: a name for the dynamic linker, or a path
 * @param periodMs from one sample to the next, 1 or more
 * @param retryMs from one attempt to find a driver to the next, 1 or more
 * @param eventWaitMs the longest wait for an event inside the driver, 1 or more; a stop takes as long
 */
public record GpuSettings(String library, int periodMs, int retryMs, int eventWaitMs) {
    /** Samples that may be missed before the last one is stale. */
    static final int STALE_PERIODS = 3;

    /** Checks the ranges. */
    public GpuSettings {
        if (periodMs < 1 || retryMs < 1 || eventWaitMs < 1) {
            throw new IllegalArgumentException(
                    "periods of less than 1 ms: " + periodMs + ", " + retryMs + ", " + eventWaitMs);
        }
    }

    /** The driver's own library, a sample each 2 s, another look for a driver each 60 s. */
    public static GpuSettings defaults() {
        return new GpuSettings("libnvidia-ml.so.1", 2000, 60_000, 500);
    }
}
