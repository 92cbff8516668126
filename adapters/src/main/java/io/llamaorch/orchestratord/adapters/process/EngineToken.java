package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The name of one start of one engine, never used again: {@code NAMESPACE-PID-TICKS-SERIAL}, where the first three name the
 * daemon: its pid namespace, its pid there, and when it started.
 */
final class EngineToken {
    private static final AtomicLong SERIAL = new AtomicLong();
    private static final String OWN = daemon();

    private EngineToken() {}

    static String next() {
        return OWN + "-" + SERIAL.incrementAndGet();
    }

    /** Whether {@code token} was given by a daemon of this pid namespace that is gone. */
    static boolean isOrphan(String token) {
        String[] parts = token.split("-", -1);
        if (parts.length != 4 || !parts[0].equals(namespace())) {
            return false;
        }
        try {
            ProcessTable.Entry daemon = ProcessTable.read(Long.parseLong(parts[1]));
            return daemon == null || !daemon.lives() || daemon.startTicks() != Long.parseLong(parts[2]);
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static String daemon() {
        long pid = ProcessHandle.current().pid();
        ProcessTable.@Nullable Entry self = ProcessTable.read(pid);
        return namespace() + "-" + pid + "-" + (self == null ? 0 : self.startTicks());
    }

    /** Number of the pid namespace, from {@code pid:[4026531836]}; 0 where it cannot be read. */
    private static String namespace() {
        try {
            String link = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return link.replaceAll("[^0-9]", "");
        } catch (IOException e) {
            return "0";
        }
    }
}
