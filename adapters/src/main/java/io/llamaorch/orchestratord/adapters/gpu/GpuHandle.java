package io.llamaorch.orchestratord.adapters.gpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A GPU of a session: NVML's handle, what never changes about it, and what is remembered from sample to sample.
 *
 * <p><b>Threads:</b> {@link #lost} belongs to {@code gpu-sampler}; {@link #lastXid} is written by {@code gpu-events} and
 * read by {@code gpu-sampler}.
 */
final class GpuHandle {
    static final int NO_XID = -1;

    final int index;
    final MemorySegment device;
    final String uuid;
    final @Nullable String name;
    volatile int lastXid = NO_XID;
    boolean lost;

    GpuHandle(int index, MemorySegment device, String uuid, @Nullable String name) {
        this.index = index;
        this.device = device;
        this.uuid = uuid;
        this.name = name;
    }
}
