package io.llamaorch.orchestratord.server.gpu;

import io.llamaorch.orchestratord.adapters.gpu.DeviceMask;
import io.llamaorch.orchestratord.adapters.gpu.GpuDevice;
import io.llamaorch.orchestratord.adapters.gpu.GpuSettings;
import io.llamaorch.orchestratord.adapters.gpu.GpuSnapshot;
import io.llamaorch.orchestratord.adapters.gpu.GpuTelemetry;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.GaugeSource;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.pool.Watches;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Watches the host's GPUs for the replicas that run on them.
 *
 * <p>It looks at the newest snapshot from an event loop and not from the thread that samples: that one may hang in the
 * driver, and then free memory that is no longer known must be taken back.
 *
 * <p><b>Owner thread:</b> its loop; the public methods may be called on any thread.
 */
public final class GpuMonitor implements AutoCloseable {
    private final @Nullable GpuTelemetry telemetry;
    private final int periodMs;
    private final List<MaskedReplica> replicas;
    private final GpuFaults faults;
    private final Watches watches;
    private final SchedulerRing<?> ring;
    private final EventLoop loop;
    private final EventLog log;
    private final AtomicBoolean awake = new AtomicBoolean();
    private volatile boolean closed;

    /**
     * A monitor that does not watch yet.
     *
     * @param loop where it looks
     */
    public GpuMonitor(
            Config config, Watches watches, SchedulerRing<?> ring, EventLoop loop, Metrics metrics, EventLog log) {
        Config.Gpu settings = config.gpu();
        this.periodMs = settings.periodMs();
        this.replicas = MaskedReplica.of(config.pools(), System.nanoTime());
        Consumer<String> count = uuid -> metrics.gpuFaults(uuid).inc();
        this.faults = new GpuFaults(settings.faultClearMs(), count);
        this.watches = watches;
        this.ring = ring;
        this.loop = loop;
        this.log = log;
        this.telemetry = settings.enabled()
                ? new GpuTelemetry(telemetrySettings(settings), new GpuAlarm(faults, this::lookSoon, metrics, log))
                : null;
    }

    private static GpuSettings telemetrySettings(Config.Gpu settings) {
        GpuSettings defaults = GpuSettings.defaults();
        return new GpuSettings(settings.library(), settings.periodMs(), defaults.retryMs(), defaults.eventWaitMs());
    }

    /** Starts to watch, once; waits for nothing. */
    public void start() {
        if (telemetry != null) {
            telemetry.start();
            loop.scheduleWithFixedDelay(this::lookSafely, periodMs, periodMs, TimeUnit.MILLISECONDS);
        }
    }

    /** Stops; waits for the driver two seconds at most. */
    @Override
    public void close() {
        closed = true;
        if (telemetry != null) {
            telemetry.close();
        }
    }

    /** What gauges say of the GPUs. */
    public GaugeSource gauges() {
        return new GpuGauges(replicas, this::present, watches);
    }

    /** GPUs that can be shown now; none where there is no telemetry, or its readings are too old. */
    private List<GpuDevice> present() {
        return telemetry == null ? List.of() : telemetry.current().fresh(System.nanoTime());
    }

    /** The GPUs of a replica as they are now; none where that is not known. */
    public List<GpuDevice> devices(int poolIndex, int replicaIndex) {
        MaskedReplica replica = find(poolIndex, replicaIndex);
        return replica == null ? List.of() : replica.among(present());
    }

    /**
     * The daemon has started the engine of a replica anew: what was wrong with its GPUs before is forgotten for it, and what
     * is still wrong is found again.
     */
    public void onEngineStarted(int poolIndex, int replicaIndex) {
        MaskedReplica replica = find(poolIndex, replicaIndex);
        if (replica != null && !closed) {
            loop.execute(() -> {
                replica.startedNs = System.nanoTime();
                lookSafely();
            });
        }
    }

    private @Nullable MaskedReplica find(int poolIndex, int replicaIndex) {
        for (MaskedReplica replica : replicas) {
            if (replica.poolIndex == poolIndex && replica.replicaIndex == replicaIndex) {
                return replica;
            }
        }
        return null;
    }

    /** Any thread: looks without waiting for the period; a storm of calls is one look. */
    private void lookSoon() {
        if (!closed && awake.compareAndSet(false, true)) {
            loop.execute(() -> {
                awake.set(false);
                lookSafely();
            });
        }
    }

    private void lookSafely() {
        if (closed) {
            return;
        }
        try {
            look();
        } catch (RuntimeException e) {
            log.defect("gpu", null, e); // the timer must go on
        }
    }

    private void look() {
        List<GpuDevice> present = List.of();
        if (telemetry != null) {
            GpuSnapshot snapshot = telemetry.current();
            present = snapshot.fresh(System.nanoTime());
            judge(present, snapshot.sampledAtNs());
        }
        for (MaskedReplica replica : replicas) {
            if (!present.isEmpty()) {
                resolve(replica, present);
            }
            tellFreeMemory(replica, MaskedReplica.freeBytes(replica.among(present)));
            tellFault(replica, faults.among(replica.uuids, replica.startedNs));
        }
    }

    /** At the time of the sample, not of the look: an event that came between the two is newer than what was sampled. */
    private void judge(List<GpuDevice> present, long sampledAtNs) {
        for (GpuDevice device : present) {
            if (device.lost()) {
                faults.bad(device.uuid(), GpuAlarm.of(device.index(), device.uuid(), GpuAlarm.LOST), sampledAtNs);
            } else {
                faults.well(device.uuid(), sampledAtNs);
            }
        }
    }

    private void resolve(MaskedReplica replica, List<GpuDevice> present) {
        DeviceMask resolved = DeviceMask.resolve(replica.mask, present);
        String problem = resolved.problem();
        if (problem == null) {
            replica.uuids = resolved.devices().stream().map(GpuDevice::uuid).toList();
        } else if (!problem.equals(replica.problem)) {
            log.deviceMaskWrong(replica.poolId, replica.replicaId, replica.mask, problem);
        }
        replica.problem = problem;
    }

    /** A word that finds the ring full is not lost for long: the next look finds the same difference. */
    private void tellFreeMemory(MaskedReplica replica, long bytes) {
        long steps = bytes < 0 ? MaskedReplica.UNKNOWN : bytes / Scheduler.VRAM_STEP_BYTES;
        if (steps != replica.freeSteps && ring.offerReplicaVram(replica.poolIndex, replica.replicaIndex, bytes)) {
            replica.freeSteps = steps;
        }
    }

    private void tellFault(MaskedReplica replica, @Nullable String fault) {
        if (!Objects.equals(fault, replica.fault)) {
            replica.fault = fault;
            watches.deviceFault(replica.poolIndex, replica.replicaIndex, fault);
        }
    }
}
