package io.llamaorch.orchestratord.server.gpu;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a storm of Xids from flooding the log: so many lines a minute of each kind, and the next one says how many were
 * left out. There are as many kinds as GPUs times severities.
 *
 * <p><b>Threads:</b> {@code gpu-sampler} and {@code gpu-events}; the lock is held for a few instructions.
 */
final class EventLimit {
    /** Lines of a kind in a window. */
    static final int LINES = 10;
    /** The window. */
    static final long WINDOW_NS = TimeUnit.MINUTES.toNanos(1);
    /** Not now. */
    static final long NO = -1;

    private final Map<String, Window> windows = new HashMap<>();

    private static final class Window {
        long sinceNs;
        int lines;
        long suppressed;

        Window(long sinceNs) {
            this.sinceNs = sinceNs;
        }
    }

    /** Whether a line may be written: how many were left out before it; {@link #NO} where it may not. */
    synchronized long admit(String kind, long nowNs) {
        Window window = windows.computeIfAbsent(kind, key -> new Window(nowNs));
        if (nowNs - window.sinceNs >= WINDOW_NS) {
            window.sinceNs = nowNs;
            window.lines = 0;
        }
        if (window.lines == LINES) {
            window.suppressed++;
            return NO;
        }
        window.lines++;
        long suppressed = window.suppressed;
        window.suppressed = 0;
        return suppressed;
    }
}
