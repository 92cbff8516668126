package io.llamaorch.orchestratord.server.gpu;

import io.llamaorch.orchestratord.adapters.gpu.GpuEvent;
import io.llamaorch.orchestratord.adapters.gpu.GpuListener;
import io.llamaorch.orchestratord.adapters.gpu.GpuSnapshot;
import io.llamaorch.orchestratord.adapters.gpu.XidSeverity;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import java.util.Locale;

/** Logs and counts what happens to GPUs, and raises the alarm where it is critical. On telemetry's threads. */
final class GpuAlarm implements GpuListener {
    /** What is wrong with a GPU that a sample finds lost. */
    static final String LOST = "lost, off the bus or to be reset";

    private final GpuFaults faults;
    private final Runnable wake;
    private final Metrics metrics;
    private final EventLog log;
    private final EventLimit limit = new EventLimit();

    /** @param wake called after each critical event; it must not block */
    GpuAlarm(GpuFaults faults, Runnable wake, Metrics metrics, EventLog log) {
        this.faults = faults;
        this.wake = wake;
        this.metrics = metrics;
        this.log = log;
    }

    @Override
    public void onState(GpuSnapshot snapshot) {
        log.gpuTelemetry(snapshot);
    }

    @Override
    public void onEvent(GpuEvent event) {
        long nowNs = System.nanoTime();
        if (event.severity() == XidSeverity.CRITICAL) {
            faults.bad(event.uuid(), reason(event), nowNs);
            wake.run();
        }
        String severity = event.severity().name().toLowerCase(Locale.ROOT);
        if (event.xid().isPresent()) {
            metrics.xids(event.uuid(), severity).inc();
        }
        long suppressed = limit.admit(event.uuid() + ' ' + severity, nowNs);
        if (suppressed != EventLimit.NO) {
            log.gpuEvent(event, suppressed);
        }
    }

    private static String reason(GpuEvent event) {
        String what =
                switch (event.kind()) {
                    case XID -> "Xid " + event.xid().orElseThrow();
                    case DOUBLE_BIT_ECC -> "an ECC error that could not be corrected";
                    case UNAVAILABLE -> "the driver calls it unavailable";
                    case RECOVERY_ACTION -> "the driver asks for its recovery";
                    case LOST -> LOST;
                };
        return of(event.index(), event.uuid(), what);
    }

    /** A fault as an operator reads it. */
    static String of(int index, String uuid, String what) {
        return "GPU " + index + " (" + uuid + "): " + what;
    }
}
