package io.llamaorch.orchestratord.server.gpu;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Which GPUs are faulty, and since when they are well again. Keys are UUIDs, so there are as many entries as GPUs at most.
 *
 * <p><b>Threads:</b> any. A report and the end of a fault that race leave the fault: it is newer than what ended.
 */
final class GpuFaults {
    private final long clearNs;
    private final Consumer<String> onFaulty;
    private final Map<String, Fault> faults = new ConcurrentHashMap<>();

    /**
     * A GPU's fault.
     *
     * @param reason the first of it, which tends to be the cause of the others
     * @param badNs {@link System#nanoTime} when the GPU was last found bad
     * @param repeated whether it was faulty before {@code badNs} already
     */
    private record Fault(String reason, long badNs, boolean repeated) {}

    /**
     * No GPU is faulty.
     *
     * @param clearMs how long a GPU must be well until its fault is over, ms
     * @param onFaulty told the UUID of a GPU that was well and is faulty now, on the reporting thread
     */
    GpuFaults(long clearMs, Consumer<String> onFaulty) {
        this.clearNs = TimeUnit.MILLISECONDS.toNanos(clearMs);
        this.onFaulty = onFaulty;
    }

    /** The GPU was bad at that time. */
    void bad(String uuid, String reason, long atNs) {
        Fault now = faults.merge(
                uuid,
                new Fault(reason, atNs, false),
                (known, next) -> new Fault(known.reason(), later(known.badNs(), next.badNs()), true));
        if (!now.repeated()) {
            onFaulty.accept(uuid);
        }
    }

    private static long later(long ns, long otherNs) {
        return otherNs - ns > 0 ? otherNs : ns;
    }

    /** A sample of that time shows the GPU, and nothing wrong with it. */
    void well(String uuid, long atNs) {
        faults.computeIfPresent(uuid, (key, fault) -> atNs - fault.badNs() >= clearNs ? null : fault);
    }

    /**
     * The fault of the first GPU that has one; null where none has.
     *
     * @param sinceNs only GPUs that were found bad after this count
     */
    @Nullable
    String among(List<String> uuids, long sinceNs) {
        for (String uuid : uuids) {
            Fault fault = faults.get(uuid);
            if (fault != null && fault.badNs() - sinceNs > 0) {
                return fault.reason();
            }
        }
        return null;
    }
}
