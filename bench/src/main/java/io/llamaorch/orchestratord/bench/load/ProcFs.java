package io.llamaorch.orchestratord.bench.load;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What Linux says of processes and of the host, from {@code /proc} (proc(5)). A process that has ended counts 0. */
public final class ProcFs {
    /** {@code USER_HZ} is 100 on every architecture that Linux' user space sees today. */
    private static final long TICK_NS = 10_000_000;

    private ProcFs() {}

    /** User and system time of a process and all its descendants that live, ns, in steps of 10 ms. */
    public static long cpuNs(long pid) {
        return family(pid).mapToLong(ProcFs::ownCpuNs).sum();
    }

    /** The same for several processes. */
    public static long cpuNs(List<Long> pids) {
        return pids.stream().mapToLong(ProcFs::cpuNs).sum();
    }

    /** Resident bytes of a process and all its descendants. */
    public static long rssBytes(long pid) {
        return family(pid).mapToLong(ProcFs::ownRssBytes).sum();
    }

    /** Time that all processors together were busy since boot, ns. */
    public static long hostBusyNs() {
        String[] fields =
                read("/proc/stat").lines().findFirst().orElse("cpu").trim().split(" +", -1);
        long busy = 0;
        for (int i = 1; i < fields.length && i <= 8; i++) {
            boolean idle = i == 4 || i == 5;
            busy += idle ? 0 : Long.parseLong(fields[i]);
        }
        return busy * TICK_NS;
    }

    private static Stream<Long> family(long pid) {
        Stream<Long> descendants = ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::descendants)
                .map(ProcessHandle::pid);
        return Stream.concat(Stream.of(pid), descendants);
    }

    private static long ownCpuNs(long pid) {
        String stat = read("/proc/" + pid + "/stat");
        int name = stat.lastIndexOf(')');
        if (name < 0) {
            return 0;
        }
        String[] fields = stat.substring(name + 2).trim().split(" ", -1); // from field 3 on
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_NS;
    }

    private static long ownRssBytes(long pid) {
        return read("/proc/" + pid + "/status")
                .lines()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .sum();
    }

    private static String read(String path) {
        try {
            return Files.readString(Path.of(path), StandardCharsets.ISO_8859_1);
        } catch (IOException ended) {
            return "";
        }
    }
}
