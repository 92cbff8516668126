package io.llamaorch.orchestratord.server.gpu;

import io.llamaorch.orchestratord.adapters.gpu.GpuDevice;
import io.llamaorch.orchestratord.adapters.gpu.GpuMemory;
import io.llamaorch.orchestratord.server.metrics.GaugeSource;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.pool.Watches;
import java.util.List;
import java.util.function.Supplier;

/** Gauges of GPUs, and of replicas on them. What is not known has no series: absent is not zero. On the scraping thread. */
final class GpuGauges implements GaugeSource {
    private static final double MILLIWATTS = 1000;

    private final List<MaskedReplica> replicas;
    private final Supplier<List<GpuDevice>> present;
    private final Watches watches;

    GpuGauges(List<MaskedReplica> replicas, Supplier<List<GpuDevice>> present, Watches watches) {
        this.replicas = replicas;
        this.present = present;
        this.watches = watches;
    }

    @Override
    public void read(Sink sink) {
        List<GpuDevice> now = present.get();
        for (GpuDevice device : now) {
            device(sink, device);
        }
        if (!now.isEmpty()) {
            for (MaskedReplica replica : replicas) {
                replica(sink, replica, replica.among(now));
            }
        }
    }

    private static void device(Sink sink, GpuDevice device) {
        GpuMemory memory = device.memory();
        if (memory != null) {
            sink.gauge(Family.VRAM_TOTAL_BYTES, (double) memory.totalBytes(), device.uuid());
        }
        device.temperatureC().ifPresent(celsius -> sink.gauge(Family.GPU_TEMPERATURE_CELSIUS, celsius, device.uuid()));
        device.powerMw().ifPresent(mw -> sink.gauge(Family.GPU_POWER_WATTS, mw / MILLIWATTS, device.uuid()));
    }

    private void replica(Sink sink, MaskedReplica replica, List<GpuDevice> devices) {
        String known = watches.view(replica.poolIndex, replica.replicaIndex).engineVersion();
        String version = known.isEmpty() ? Metrics.NO_VERSION : known;
        for (GpuDevice device : devices) {
            String[] labels = {replica.engine.wireName(), version, replica.poolId, replica.replicaId, device.uuid()};
            device.utilization().ifPresent(share -> sink.gauge(Family.GPU_UTILIZATION, share, labels));
            GpuMemory memory = device.memory();
            if (memory != null) {
                sink.gauge(Family.VRAM_USED_BYTES, (double) memory.usedBytes(), labels);
            }
        }
    }
}
