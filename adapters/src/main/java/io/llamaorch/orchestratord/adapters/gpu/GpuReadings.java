package io.llamaorch.orchestratord.adapters.gpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One pass over one GPU. After a code that loses the GPU nothing more is asked of it: each further call could hang.
 *
 * <p><b>Owner thread:</b> the sampling one, for the length of one sample.
 */
final class GpuReadings {
    private static final int SENSOR_GPU = 0;
    private static final int ECC_UNCORRECTED = 1;
    private static final int ECC_VOLATILE = 0;
    private static final int PERCENT = 100;

    private final NvmlLibrary nvml;
    private final GpuHandle gpu;
    private final SegmentAllocator memory;
    private boolean lost;

    private GpuReadings(NvmlLibrary nvml, GpuHandle gpu, SegmentAllocator memory) {
        this.nvml = nvml;
        this.gpu = gpu;
        this.memory = memory;
    }

    /**
     * Reads a GPU.
     *
     * @param memory for the structures that NVML fills; what is taken from it lives as long as it does
     * @throws NvmlUnavailableException where the driver went away
     */
    static GpuDevice read(NvmlLibrary nvml, GpuHandle gpu, SegmentAllocator memory) throws NvmlUnavailableException {
        GpuReadings readings = new GpuReadings(nvml, gpu, memory);
        GpuDevice device = new GpuDevice(
                gpu.index,
                gpu.uuid,
                gpu.name,
                readings.utilization(),
                readings.memory(),
                readings.temperature(),
                readings.power(),
                readings.eccUncorrected(),
                false,
                lastXid(gpu));
        return readings.lost ? lost(gpu) : device;
    }

    private static GpuDevice lost(GpuHandle gpu) {
        return new GpuDevice(
                gpu.index,
                gpu.uuid,
                gpu.name,
                OptionalDouble.empty(),
                null,
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalLong.empty(),
                true,
                lastXid(gpu));
    }

    private static OptionalInt lastXid(GpuHandle gpu) {
        int xid = gpu.lastXid;
        return xid == GpuHandle.NO_XID ? OptionalInt.empty() : OptionalInt.of(xid);
    }

    private OptionalDouble utilization() throws NvmlUnavailableException {
        MemorySegment out = memory.allocate(NvmlLayouts.UTILIZATION);
        if (!gives(NvmlFunction.UTILIZATION, gpu.device, out)) {
            return OptionalDouble.empty();
        }
        int percent = out.get(JAVA_INT, NvmlLayouts.UTILIZATION_GPU);
        return percent >= 0 && percent <= PERCENT
                ? OptionalDouble.of(percent / (double) PERCENT)
                : OptionalDouble.empty();
    }

    private @Nullable GpuMemory memory() throws NvmlUnavailableException {
        MemorySegment out = memory.allocate(NvmlLayouts.MEMORY_V2);
        out.set(JAVA_INT, NvmlLayouts.MEMORY_V2_VERSION, NvmlLayouts.version(NvmlLayouts.MEMORY_V2, 2));
        if (gives(NvmlFunction.MEMORY_V2, gpu.device, out)) {
            return new GpuMemory(
                    out.get(JAVA_LONG, NvmlLayouts.MEMORY_V2_TOTAL),
                    out.get(JAVA_LONG, NvmlLayouts.MEMORY_V2_USED),
                    out.get(JAVA_LONG, NvmlLayouts.MEMORY_V2_FREE));
        }
        MemorySegment old = memory.allocate(NvmlLayouts.MEMORY);
        if (gives(NvmlFunction.MEMORY, gpu.device, old)) {
            return new GpuMemory(
                    old.get(JAVA_LONG, NvmlLayouts.MEMORY_TOTAL),
                    old.get(JAVA_LONG, NvmlLayouts.MEMORY_USED),
                    old.get(JAVA_LONG, NvmlLayouts.MEMORY_FREE));
        }
        return null;
    }

    private OptionalInt temperature() throws NvmlUnavailableException {
        MemorySegment out = memory.allocate(NvmlLayouts.TEMPERATURE);
        out.set(JAVA_INT, NvmlLayouts.TEMPERATURE_VERSION, NvmlLayouts.version(NvmlLayouts.TEMPERATURE, 1));
        out.set(JAVA_INT, NvmlLayouts.TEMPERATURE_SENSOR, SENSOR_GPU);
        if (gives(NvmlFunction.TEMPERATURE_V, gpu.device, out)) {
            return OptionalInt.of(out.get(JAVA_INT, NvmlLayouts.TEMPERATURE_VALUE));
        }
        MemorySegment old = memory.allocate(JAVA_INT);
        return gives(NvmlFunction.TEMPERATURE, gpu.device, SENSOR_GPU, old)
                ? OptionalInt.of(old.get(JAVA_INT, 0))
                : OptionalInt.empty();
    }

    private OptionalInt power() throws NvmlUnavailableException {
        MemorySegment out = memory.allocate(JAVA_INT);
        return gives(NvmlFunction.POWER, gpu.device, out) ? OptionalInt.of(out.get(JAVA_INT, 0)) : OptionalInt.empty();
    }

    private OptionalLong eccUncorrected() throws NvmlUnavailableException {
        MemorySegment out = memory.allocate(JAVA_LONG);
        return gives(NvmlFunction.ECC_ERRORS, gpu.device, ECC_UNCORRECTED, ECC_VOLATILE, out)
                ? OptionalLong.of(out.get(JAVA_LONG, 0))
                : OptionalLong.empty();
    }

    /** Whether NVML filled in the reading; any code that is not about the GPU or the driver leaves this reading absent. */
    private boolean gives(NvmlFunction function, Object... arguments) throws NvmlUnavailableException {
        if (lost) {
            return false;
        }
        int code = nvml.call(function, arguments);
        if (NvmlReturn.endsSession(code)) {
            throw new NvmlUnavailableException("the NVIDIA driver went away: " + nvml.text(code));
        }
        lost = NvmlReturn.losesGpu(code);
        return code == NvmlReturn.SUCCESS;
    }
}
