package io.llamaorch.orchestratord.adapters.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Watches the host's NVIDIA GPUs for as long as the daemon runs.
 *
 * <pre>
 *   gpu-sampler   loads NVML, samples each period, publishes; looks for a driver again where there is none
 *   gpu-events    waits in the driver for Xids, tells the listener
 *   any thread    current(): the latest snapshot, by one volatile read; never waits
 * </pre>
 *
 * <p>Both are daemon threads that may hang in the driver for good. Nothing else notices but by the snapshot's age: see
 * {@link GpuSnapshot#fresh}. A stop waits for them with a bound and then leaves them, and the library loaded, behind:
 * unloading what a thread is in would end the process.
 */
public final class GpuTelemetry implements AutoCloseable {
    private static final long CLOSE_TIMEOUT_MS = 2000;

    private final GpuSettings settings;
    private final GpuListener listener;
    private final Thread sampler;
    private volatile GpuSnapshot current = GpuSnapshot.starting(System.nanoTime());
    private volatile boolean stopping;

    /**
     * Prepares telemetry; {@link #start} begins it.
     *
     * @param listener an exception that it throws goes to the thread's uncaught exception handler, and the watch goes on
     */
    public GpuTelemetry(GpuSettings settings, GpuListener listener) {
        this.settings = settings;
        this.listener = new GuardedListener(listener);
        this.sampler = Thread.ofPlatform().daemon().name("gpu-sampler").unstarted(this::run);
    }

    /** Starts the threads, once, and returns: what the driver takes to answer is not waited for. */
    public void start() {
        sampler.start();
    }

    /** The latest snapshot. */
    public GpuSnapshot current() {
        return current;
    }

    /**
     * Stops the threads and shuts NVML down.
     *
     * @param timeoutMs how long to wait for them; less than 1 counts as 1
     * @return whether they have ended; if not, they end, and shut NVML down, when the driver lets go of them
     */
    public boolean stop(long timeoutMs) {
        stopping = true;
        LockSupport.unpark(sampler);
        try {
            // 0 would wait without a bound.
            sampler.join(Math.max(1, timeoutMs));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return !sampler.isAlive();
    }

    /** {@link #stop} with a bound of two seconds. */
    @Override
    public void close() {
        stop(CLOSE_TIMEOUT_MS);
    }

    private void run() {
        while (!stopping) {
            try {
                sampleWithEvents(NvmlSession.open(settings.library()));
            } catch (NvmlUnavailableException e) {
                publish(GpuSnapshot.unavailable(e.reason(), System.nanoTime()));
            }
            sleepUntil(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(settings.retryMs()));
        }
    }

    private void sampleWithEvents(NvmlSession session) {
        GpuEventWatch watch = new GpuEventWatch(session.library(), session.gpus(), settings.eventWaitMs(), listener);
        Thread watcher = Thread.ofPlatform().daemon().name("gpu-events").start(watch);
        try {
            while (!stopping) {
                long beganNs = System.nanoTime();
                sample(session, watch, beganNs);
                sleepUntil(beganNs + TimeUnit.MILLISECONDS.toNanos(settings.periodMs()));
            }
        } catch (NvmlUnavailableException e) {
            // Before the watch is waited for: it may hang in the driver that went away.
            publish(GpuSnapshot.unavailable(e.reason(), System.nanoTime()));
        } finally {
            watch.stop(watcher);
            session.close();
        }
    }

    private void sample(NvmlSession session, GpuEventWatch watch, long beganNs) throws NvmlUnavailableException {
        List<GpuDevice> devices = session.sample();
        List<String> limits = new ArrayList<>(session.unread());
        limits.addAll(watch.limits());
        long lifeNs = GpuSettings.STALE_PERIODS * TimeUnit.MILLISECONDS.toNanos(settings.periodMs());
        publish(new GpuSnapshot(
                GpuSnapshot.State.AVAILABLE,
                null,
                session.driverVersion(),
                beganNs,
                beganNs + lifeNs,
                devices,
                limits));
        List<GpuHandle> gpus = session.gpus();
        for (int i = 0; i < devices.size(); i++) {
            tellOfLoss(gpus.get(i), devices.get(i).lost());
        }
    }

    private void tellOfLoss(GpuHandle gpu, boolean lost) {
        boolean wasLost = gpu.lost;
        gpu.lost = lost;
        if (lost && !wasLost) {
            listener.onEvent(
                    new GpuEvent(GpuEvent.Kind.LOST, gpu.index, gpu.uuid, OptionalInt.empty(), XidSeverity.CRITICAL));
        }
    }

    private void publish(GpuSnapshot next) {
        GpuSnapshot before = current;
        current = next;
        if (!next.tellsTheSameAs(before)) {
            listener.onState(next);
        }
    }

    private void sleepUntil(long deadlineNs) {
        long leftNs = deadlineNs - System.nanoTime();
        while (!stopping && leftNs > 0) {
            LockSupport.parkNanos(this, leftNs);
            leftNs = deadlineNs - System.nanoTime();
        }
    }

    /** Keeps what a listener throws from ending the watch. */
    private static final class GuardedListener implements GpuListener {
        private final GpuListener listener;

        GuardedListener(GpuListener listener) {
            this.listener = listener;
        }

        @Override
        public void onState(GpuSnapshot snapshot) {
            try {
                listener.onState(snapshot);
            } catch (RuntimeException e) {
                report(e);
            }
        }

        @Override
        public void onEvent(GpuEvent event) {
            try {
                listener.onEvent(event);
            } catch (RuntimeException e) {
                report(e);
            }
        }

        private static void report(RuntimeException e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }
}
