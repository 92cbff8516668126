package io.llamaorch.orchestratord.adapters.process;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known about an engine that ended.
 *
 * @param status as a shell gives it: 0 to 255, 128 + n for signal n; -1 when the guard did not live to tell
 * @param stopAsked whether it was told to stop
 * @param tail its last lines, oldest first, without keys
 * @param cgroupOomKills processes of the daemon's cgroup that the kernel killed for memory while it ran, 0 where unknown
 * @param hostOomKills the same for the whole host
 * @param driverHint what driver telemetry saw of its devices meanwhile (an Xid), null for nothing
 * @param survivors pids of its processes that could not be killed
 */
record ExitEvidence(
        int status,
        boolean stopAsked,
        List<String> tail,
        long cgroupOomKills,
        long hostOomKills,
        @Nullable String driverHint,
        List<Long> survivors) {
    ExitEvidence {
        tail = List.copyOf(tail);
        survivors = List.copyOf(survivors);
    }
}
