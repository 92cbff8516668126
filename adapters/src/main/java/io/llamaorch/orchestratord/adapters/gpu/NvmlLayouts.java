package io.llamaorch.orchestratord.adapters.gpu;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * NVML's structures as 64-bit Linux lays them out (NVML API 13), and the offsets of the members that are read.
 *
 * <p>C's {@code unsigned int} and {@code unsigned long long} are {@code int} and {@code long} here. A structure with a
 * version carries its own size in the low 24 bits of that version and the revision in the high 8.
 */
final class NvmlLayouts {
    /** Percent of the driver's last sample period in which a kernel ran ({@code gpu}) or memory was accessed. */
    static final StructLayout UTILIZATION =
            MemoryLayout.structLayout(JAVA_INT.withName("gpu"), JAVA_INT.withName("memory"));

    /** Bytes; {@code used} includes what the driver reserves. */
    static final StructLayout MEMORY = MemoryLayout.structLayout(
            JAVA_LONG.withName("total"), JAVA_LONG.withName("free"), JAVA_LONG.withName("used"));

    /** Bytes; {@code used} does not include {@code reserved}. */
    static final StructLayout MEMORY_V2 = MemoryLayout.structLayout(
            JAVA_INT.withName("version"),
            MemoryLayout.paddingLayout(4),
            JAVA_LONG.withName("total"),
            JAVA_LONG.withName("reserved"),
            JAVA_LONG.withName("free"),
            JAVA_LONG.withName("used"));

    /** Degrees Celsius at {@code sensor} 0, the GPU's own. */
    static final StructLayout TEMPERATURE = MemoryLayout.structLayout(
            JAVA_INT.withName("version"), JAVA_INT.withName("sensor"), JAVA_INT.withName("temperature"));

    /** One event; {@code data} is the Xid where {@code type} says that it is one. */
    static final StructLayout EVENT = MemoryLayout.structLayout(
            ADDRESS.withName("device"),
            JAVA_LONG.withName("type"),
            JAVA_LONG.withName("data"),
            JAVA_INT.withName("gpuInstance"),
            JAVA_INT.withName("computeInstance"));

    static final long UTILIZATION_GPU = offset(UTILIZATION, "gpu");
    static final long MEMORY_TOTAL = offset(MEMORY, "total");
    static final long MEMORY_FREE = offset(MEMORY, "free");
    static final long MEMORY_USED = offset(MEMORY, "used");
    static final long MEMORY_V2_VERSION = offset(MEMORY_V2, "version");
    static final long MEMORY_V2_TOTAL = offset(MEMORY_V2, "total");
    static final long MEMORY_V2_FREE = offset(MEMORY_V2, "free");
    static final long MEMORY_V2_USED = offset(MEMORY_V2, "used");
    static final long TEMPERATURE_VERSION = offset(TEMPERATURE, "version");
    static final long TEMPERATURE_SENSOR = offset(TEMPERATURE, "sensor");
    static final long TEMPERATURE_VALUE = offset(TEMPERATURE, "temperature");
    static final long EVENT_DEVICE = offset(EVENT, "device");
    static final long EVENT_TYPE = offset(EVENT, "type");
    static final long EVENT_DATA = offset(EVENT, "data");

    private NvmlLayouts() {}

    /** What the member {@code version} of a structure must say. */
    static int version(StructLayout layout, int revision) {
        return (int) layout.byteSize() | revision << 24;
    }

    private static long offset(StructLayout layout, String member) {
        return layout.byteOffset(groupElement(member));
    }
}
