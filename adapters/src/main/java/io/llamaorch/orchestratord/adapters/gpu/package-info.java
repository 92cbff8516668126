/**
 * What the host's NVIDIA GPUs do and how they are: utilization, memory, temperature, power, ECC errors, Xid events.
 *
 * <pre>
 *   driver ── NVML (libnvidia-ml.so.1, called through java.lang.foreign) ──┬─▶ NvmlSession ─▶ GpuSnapshot (volatile) ─▶ any thread
 *                                                                          └─▶ GpuEventWatch ─▶ GpuListener.onEvent
 * </pre>
 *
 * <p>Only {@link GpuTelemetry} and the values that it hands out are for others. A host without a driver has no
 * telemetry, which is a state with a reason and not a failure: nothing here is ever reported as zero because it could
 * not be read.
 *
 * <p><b>Owner threads:</b> {@code gpu-sampler} for the library, the session and the snapshot; {@code gpu-events} for the
 * event set. Both may be held up in the driver for good, and nothing else waits for them without a bound.
 * <b>May import:</b> {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.gpu;

import org.jspecify.annotations.NullMarked;
