package io.llamaorch.orchestratord.scheduler.ring;

/**
 * Size and pace of the ring.
 *
 * @param size events, a power of two, 8 … 2^26
 * @param waitMode how the thread waits
 * @param tickNs longest sleep between two moves of time while idle, ns, ≥ 1
 * @param snapshotNs least age at which the published snapshot is replaced, ns, ≥ 0
 */
public record RingSettings(int size, WaitMode waitMode, long tickNs, long snapshotNs) {

    /** 16,384 events, parking, a tick of 5 ms, a snapshot each 10 ms. */
    public static final RingSettings DEFAULT = new RingSettings(16_384, WaitMode.PARKING, 5_000_000L, 10_000_000L);

    public RingSettings {
        if (size < 8 || size > 1 << 26 || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException("ring size must be a power of two from 8 to 2^26: " + size);
        }
        if (tickNs < 1 || snapshotNs < 0) {
            throw new IllegalArgumentException("tickNs " + tickNs + " < 1 or snapshotNs " + snapshotNs + " < 0");
        }
    }
}
