package io.llamaorch.orchestratord.adapters.gpu;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the host's GPUs. Immutable; any thread may read it.
 *
 * @param state whether there is telemetry
 * @param reason why there is none; null where there is
 * @param driverVersion of the NVIDIA driver; null where it does not tell, or there is no telemetry
 * @param sampledAtNs {@link System#nanoTime} before the first reading
 * @param staleAtNs the time from which the readings are too old to be shown: a driver that hangs hangs the sampler, and
 *     then no later snapshot comes
 * @param devices in the order of their indices; empty unless {@code state} is {@link State#AVAILABLE}
 * @param limits what cannot be told on this host and why, a sentence each: a GPU that this process may not read, events
 *     that are not watched
 */
public record GpuSnapshot(
        State state,
        @Nullable String reason,
        @Nullable String driverVersion,
        long sampledAtNs,
        long staleAtNs,
        List<GpuDevice> devices,
        List<String> limits) {

    /** Whether there is telemetry. */
    public enum State {
        /** The driver has not answered yet. */
        STARTING,
        /** It answers. */
        AVAILABLE,
        /** There is none, for {@link GpuSnapshot#reason}. */
        UNAVAILABLE
    }

    /** Copies the lists. */
    public GpuSnapshot {
        devices = List.copyOf(devices);
        limits = List.copyOf(limits);
    }

    static GpuSnapshot starting(long nowNs) {
        return new GpuSnapshot(State.STARTING, null, null, nowNs, nowNs, List.of(), List.of());
    }

    static GpuSnapshot unavailable(String reason, long nowNs) {
        return new GpuSnapshot(State.UNAVAILABLE, reason, null, nowNs, nowNs, List.of(), List.of());
    }

    /**
     * How old the readings are, ns.
     *
     * @param nowNs {@link System#nanoTime}
     */
    public long ageNs(long nowNs) {
        return nowNs - sampledAtNs;
    }

    /**
     * The devices whose readings may be shown: none once they are stale.
     *
     * @param nowNs {@link System#nanoTime}
     */
    public List<GpuDevice> fresh(long nowNs) {
        return nowNs - staleAtNs < 0 ? devices : List.of();
    }

    /** The device of that UUID, stale or not; null where there is none. */
    public @Nullable GpuDevice device(String uuid) {
        for (GpuDevice device : devices) {
            if (device.uuid().equals(uuid)) {
                return device;
            }
        }
        return null;
    }

    /** Whether an operator would be told the same about both, readings aside. */
    boolean tellsTheSameAs(GpuSnapshot other) {
        return state == other.state && Objects.equals(reason, other.reason) && limits.equals(other.limits);
    }
}
