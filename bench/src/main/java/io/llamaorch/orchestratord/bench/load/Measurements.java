package io.llamaorch.orchestratord.bench.load;

import java.util.EnumMap;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Figures of the measured window, and the faults of the whole run.
 *
 * <p>Counters and histograms take values only while the window is open. Times are ns, below one hour, with three
 * significant digits. Faults are kept always: an answer that is wrong during warm-up is wrong. <b>Owner thread:</b> the
 * loop.
 */
final class Measurements {
    private static final long VALUE_MAX_NS = 3_600_000_000_000L;

    /** From the request, or its scheduled time, to the first token. */
    final Histogram firstTokenNs = histogram();
    /** Between two tokens of a stream; 0 when both came with one read. */
    final Histogram gapNs = histogram();
    /** From the POST, or its scheduled time, to the whole answer. */
    final Histogram admissionNs = histogram();
    /** From the engine's write to the read here. */
    final Histogram deliveryNs = histogram();
    /** How long after its scheduled time a request left: our own lateness and the wait for a free connection. */
    final Histogram latenessNs = histogram();

    private final Map<Fault, Long> faults = new EnumMap<>(Fault.class);
    private final long[] statuses = new long[1000];
    private @Nullable String firstFault;
    private boolean open;
    private boolean sealed;
    private long openedAtNs;
    private long closedAtNs;
    long requests;
    long tokens;
    long reads;
    long bytes;
    long reconnects;

    private static Histogram histogram() {
        return new Histogram(VALUE_MAX_NS, 3);
    }

    /** Empties everything but the faults and begins the window. */
    void open(long nowNs) {
        open = true;
        openedAtNs = nowNs;
    }

    void close(long nowNs) {
        open = false;
        closedAtNs = nowNs;
    }

    boolean isOpen() {
        return open;
    }

    /** Whether something that began at {@code startNs} belongs to the window. */
    boolean covers(long startNs) {
        return open && startNs - openedAtNs >= 0;
    }

    double seconds() {
        return (closedAtNs - openedAtNs) / 1e9;
    }

    void record(Histogram histogram, long valueNs) {
        histogram.recordValue(Math.max(0, Math.min(VALUE_MAX_NS, valueNs)));
    }

    void onStatus(int status) {
        statuses[status]++;
    }

    /** The run is over: what connections suffer while they are closed is no fault. */
    void seal() {
        sealed = true;
    }

    void onFault(Fault fault, String detail) {
        if (sealed) {
            return;
        }
        faults.merge(fault, 1L, Long::sum);
        if (firstFault == null) {
            firstFault = fault + ": " + detail;
        }
    }

    long faultCount() {
        return faults.values().stream().mapToLong(Long::longValue).sum();
    }

    long faultCount(Fault fault) {
        return faults.getOrDefault(fault, 0L);
    }

    /** What the first fault was, in words. */
    @Nullable
    String firstFault() {
        return firstFault;
    }

    /** Answers of a status, 0 to 999. */
    long statusCount(int status) {
        return statuses[status];
    }
}
