package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How many processes the kernel has killed for want of memory, so far.
 *
 * @param cgroup in the daemon's cgroup and below, where its engines are; 0 where it cannot be read
 * @param host on the whole host; 0 where it cannot be read
 */
record OomCounters(long cgroup, long host) {
    private static final String COUNTER = "oom_kill";

    /** Reads them. Blocks on procfs and cgroupfs. */
    static OomCounters read() {
        return read(Path.of("/proc"), Path.of("/sys/fs/cgroup"));
    }

    /** {@code memory.events} is cgroup v2, {@code memory.oom_control} v1; {@code vmstat} has the counter since Linux 4.13. */
    static OomCounters read(Path proc, Path cgroups) {
        long own = 0;
        for (String line : lines(proc.resolve("self/cgroup"))) {
            String[] parts = line.split(":", 3);
            if (parts.length == 3) {
                String below = parts[2].replaceFirst("^/+", "");
                if (parts[1].isEmpty()) {
                    own = Math.max(own, counter(cgroups.resolve(below).resolve("memory.events")));
                } else if (List.of(parts[1].split(",", -1)).contains("memory")) {
                    Path memory = cgroups.resolve("memory");
                    own = Math.max(own, counter(memory.resolve(below).resolve("memory.oom_control")));
                    if (!Files.exists(memory.resolve(below))) {
                        // Within a container the path is the host's, and the mount shows the container's own cgroup.
                        own = Math.max(own, counter(memory.resolve("memory.oom_control")));
                    }
                }
            }
        }
        return new OomCounters(own, counter(proc.resolve("vmstat")));
    }

    private static long counter(Path file) {
        for (String line : lines(file)) {
            if (line.startsWith(COUNTER + " ")) {
                try {
                    return Long.parseLong(line.substring(COUNTER.length() + 1).strip());
                } catch (NumberFormatException e) {
                    return 0;
                }
            }
        }
        return 0;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }
}
