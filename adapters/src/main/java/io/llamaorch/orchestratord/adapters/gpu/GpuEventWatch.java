package io.llamaorch.orchestratord.adapters.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Waits in the driver for events of the session's GPUs and tells the listener.
 *
 * <p>It has a thread of its own because a GPU that fails tends to do both at once: the reading that is under way hangs,
 * and the event that explains it is ready.
 *
 * <p><b>Threads:</b> {@link #run} is {@code gpu-events}, and everything that is not volatile is its own; {@link #stop}
 * and {@link #limits} are for {@code gpu-sampler}.
 */
final class GpuEventWatch implements Runnable {
    static final long DOUBLE_BIT_ECC = 0x2;
    static final long XID = 0x8;
    static final long GPU_UNAVAILABLE = 0x4000;
    static final long RECOVERY_ACTION = 0x8000;

    /** Corrected single-bit errors are not asked for: nobody acts on one, and a worn card has many. */
    private static final long WANTED = DOUBLE_BIT_ECC | XID | GPU_UNAVAILABLE | RECOVERY_ACTION;

    private final NvmlLibrary nvml;
    private final List<GpuHandle> gpus;
    private final int waitMs;
    private final GpuListener listener;
    private volatile List<String> limits = List.of();
    private volatile boolean stopping;
    private final Semaphore ended = new Semaphore(0);

    /** Prepares a watch that has yet to be run. */
    GpuEventWatch(NvmlLibrary nvml, List<GpuHandle> gpus, int waitMs, GpuListener listener) {
        this.nvml = nvml;
        this.gpus = gpus;
        this.waitMs = waitMs;
        this.listener = listener;
    }

    /** Why events are not watched, or not those of every GPU; empty where they are. */
    List<String> limits() {
        return limits;
    }

    /** Ends {@link #run} after the wait that is under way, and returns when it has left NVML for good. */
    void stop(Thread runner) {
        stopping = true;
        LockSupport.unpark(runner);
        ended.acquireUninterruptibly();
    }

    @Override
    public void run() {
        try (Arena arena = Arena.ofConfined()) {
            watchSet(arena);
        } finally {
            ended.release();
        }
    }

    private void watchSet(Arena arena) {
        MemorySegment out = arena.allocate(ADDRESS);
        int code = nvml.call(NvmlFunction.EVENT_SET_CREATE, out);
        if (code != NvmlReturn.SUCCESS) {
            limits = List.of("events are not watched: " + nvml.text(code));
            return;
        }
        MemorySegment set = out.get(ADDRESS, 0);
        try {
            if (register(arena, set)) {
                watch(arena, set);
            }
        } finally {
            nvml.call(NvmlFunction.EVENT_SET_FREE, set);
        }
    }

    /** Whether there is anything to wait for. */
    private boolean register(Arena arena, MemorySegment set) {
        List<String> missing = new ArrayList<>();
        int registered = 0;
        for (GpuHandle gpu : gpus) {
            int code = register(arena, set, gpu);
            if (code == NvmlReturn.SUCCESS) {
                registered++;
            } else {
                missing.add("events of GPU " + gpu.index + " are not watched: " + nvml.text(code));
            }
            if (code == NvmlReturn.UNKNOWN) {
                // NVML leaves the set undefined then.
                limits = List.of("events are not watched: " + nvml.text(code));
                return false;
            }
        }
        limits = List.copyOf(missing);
        return registered > 0;
    }

    private int register(Arena arena, MemorySegment set, GpuHandle gpu) {
        MemorySegment supported = arena.allocate(JAVA_LONG);
        int code = nvml.call(NvmlFunction.SUPPORTED_EVENTS, gpu.device, supported);
        if (code != NvmlReturn.SUCCESS) {
            return code;
        }
        // One type that the GPU does not support would keep out all others.
        long types = supported.get(JAVA_LONG, 0) & WANTED;
        return types == 0 ? NvmlReturn.NOT_SUPPORTED : nvml.call(NvmlFunction.REGISTER_EVENTS, gpu.device, types, set);
    }

    private void watch(Arena arena, MemorySegment set) {
        MemorySegment event = arena.allocate(NvmlLayouts.EVENT);
        while (!stopping) {
            int code = nvml.call(NvmlFunction.EVENT_SET_WAIT, set, event, waitMs);
            if (code == NvmlReturn.SUCCESS) {
                deliver(event);
            } else if (code != NvmlReturn.TIMEOUT) {
                // It may fail at once and each time, as after the loss of a GPU; the others may still have events.
                LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(waitMs));
            }
        }
    }

    private void deliver(MemorySegment event) {
        GpuHandle gpu = gpuOf(event.get(ADDRESS, NvmlLayouts.EVENT_DEVICE));
        if (gpu == null) {
            return;
        }
        long type = event.get(JAVA_LONG, NvmlLayouts.EVENT_TYPE);
        if (type == XID) {
            int xid = (int) event.get(JAVA_LONG, NvmlLayouts.EVENT_DATA);
            gpu.lastXid = xid;
            tell(gpu, GpuEvent.Kind.XID, OptionalInt.of(xid), XidSeverity.of(xid));
        } else if (type == DOUBLE_BIT_ECC) {
            tell(gpu, GpuEvent.Kind.DOUBLE_BIT_ECC, OptionalInt.empty(), XidSeverity.CRITICAL);
        } else if (type == GPU_UNAVAILABLE) {
            tell(gpu, GpuEvent.Kind.UNAVAILABLE, OptionalInt.empty(), XidSeverity.CRITICAL);
        } else if (type == RECOVERY_ACTION) {
            tell(gpu, GpuEvent.Kind.RECOVERY_ACTION, OptionalInt.empty(), XidSeverity.OTHER);
        }
    }

    private void tell(GpuHandle gpu, GpuEvent.Kind kind, OptionalInt xid, XidSeverity severity) {
        listener.onEvent(new GpuEvent(kind, gpu.index, gpu.uuid, xid, severity));
    }

    private @Nullable GpuHandle gpuOf(MemorySegment device) {
        for (GpuHandle gpu : gpus) {
            if (gpu.device.address() == device.address()) {
                return gpu;
            }
        }
        return null;
    }
}
