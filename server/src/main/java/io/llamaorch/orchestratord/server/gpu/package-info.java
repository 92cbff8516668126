/**
 * What the daemon makes of its host's GPUs: gauges, placement by free memory, replicas taken out with a GPU that fails.
 *
 * <pre>
 *   GpuTelemetry ── onEvent (gpu-sampler, gpu-events) ──▶ GpuAlarm ──▶ log, counters, GpuFaults ──┐ wakes
 *        │ current(): a volatile snapshot                                                         ▼
 *        ├──▶ GpuMonitor.look (one event loop, each period) ──▶ ring (free memory), Watches (faults)
 *        ├──▶ GpuGauges (scraping thread)
 *        └──▶ GpuMonitor.devices (any thread: the health answer)
 * </pre>
 *
 * <p>The rules are GPU-50 and on of {@code contracts/specs/gpu.md}. Each class names its threads. <b>May import:</b>
 * {@code adapters.gpu}, {@code server.config}, {@code server.log}, {@code server.metrics}, {@code server.pool}, the
 * scheduler's ring.
 */
@NullMarked
package io.llamaorch.orchestratord.server.gpu;

import org.jspecify.annotations.NullMarked;
