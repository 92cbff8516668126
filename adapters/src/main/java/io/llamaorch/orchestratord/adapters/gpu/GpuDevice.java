package io.llamaorch.orchestratord.adapters.gpu;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One GPU in one sample. A reading is absent where the GPU or its driver does not give it; it is never a stand-in.
 *
 * @param index NVML's, which is the order on the PCI bus; may change when the host restarts
 * @param uuid {@code GPU-…}, the same for the life of the card
 * @param name the product's name
 * @param utilization share of the driver's last sample period (1/6 s to 1 s) in which a kernel ran, 0 to 1; absent
 *     while the GPU is divided (MIG)
 * @param memory absent where the GPU has none of its own
 * @param temperatureC of the GPU's die, °C
 * @param powerMw drawn by the board, mW
 * @param eccUncorrected uncorrected memory errors since the driver was loaded; absent on cards without ECC
 * @param lost whether it has fallen off the bus or must be reset: it takes no work, and every reading is absent
 * @param lastXid the latest Xid since telemetry began, whatever its severity
 */
public record GpuDevice(
        int index,
        String uuid,
        @Nullable String name,
        OptionalDouble utilization,
        @Nullable GpuMemory memory,
        OptionalInt temperatureC,
        OptionalInt powerMw,
        OptionalLong eccUncorrected,
        boolean lost,
        OptionalInt lastXid) {}
