package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Small programs in place of engines, and what tests need to look at their processes. */
final class StandIns {
    /** Longer than anything here takes on a slow machine; no test waits it out unless it fails. Seconds. */
    static final long LIMIT_S = 60;

    /** Prints, then runs until a TERM, on which it says so and leaves with code 0. */
    static final String POLITE =
            """
            trap 'echo bye; exit 0' TERM
            echo up
            while :; do sleep 0.1; done
            """;

    /**
     * Ignores TERM, and has children that do: one of its own session, one of a session of its own, one whose parent is gone
     * and that wiped its environment. Says {@code up} when all are there.
     */
    static final String STUBBORN =
            """
            trap '' TERM
            loop='trap "" TERM; : >>"$1"; while :; do sleep 0.1; done'
            sh -c "$loop" loop "$0.1" &
            setsid sh -c "$loop" loop "$0.2" &
            ( env -i PATH="$PATH" sh -c "$loop" loop "$0.3" & )
            while [ ! -e "$0.1" ] || [ ! -e "$0.2" ] || [ ! -e "$0.3" ]; do sleep 0.05; done
            echo up
            while :; do sleep 0.1; done
            """;

    private StandIns() {}

    /** A command that runs {@code script} by /bin/sh from a file of its own in {@code folder}. */
    static EngineCommand sh(Path folder, String script, String... arguments) throws IOException {
        Path file = Files.createTempFile(folder, "engine", ".sh");
        Files.writeString(file, script);
        List<String> argv = new ArrayList<>(List.of("/bin/sh", file.toString()));
        argv.addAll(List.of(arguments));
        return new EngineCommand(argv, Map.of(), null);
    }

    static EngineProcess start(EngineGuard guard, EngineCommand command, long graceMs) throws IOException {
        return EngineProcess.start(guard, command, EngineProcess.Logs.IN_MEMORY, graceMs, () -> null);
    }

    static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("gave up waiting: " + what).isNegative();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    static void awaitLine(EngineProcess engine, String line) {
        await("the line " + line, () -> engine.logTail(1_000).contains(line));
    }

    /** Living processes of the start {@code token}: engine, all that it started, guard and watcher. */
    static List<ProcessTable.Entry> of(String token, long session) {
        return ProcessTable.closure(
                ProcessTable.living(),
                entry -> (session != 0 && entry.session() == session)
                        || carries(entry.pid(), "environ", token)
                        || carries(entry.pid(), "cmdline", token));
    }

    private static boolean carries(long pid, String file, String token) {
        try {
            String text = new String(
                    Files.readAllBytes(Path.of("/proc", Long.toString(pid), file)), StandardCharsets.ISO_8859_1);
            return ("\0" + text + "\0").contains("\0" + token + "\0")
                    || text.contains(EngineGuard.MARK + "=" + token + "\0");
        } catch (IOException e) {
            return false;
        }
    }

    static void awaitGone(String token, long session) {
        await("the end of all processes of " + token, () -> of(token, session).isEmpty());
    }

    /** What the shell's {@code kill} does. */
    static void signal(String name, long pid) throws IOException, InterruptedException {
        int code = new ProcessBuilder("/bin/sh", "-c", "kill -s \"$1\" \"$2\"", "sh", name, Long.toString(pid))
                .inheritIO()
                .start()
                .waitFor();
        assertThat(code).isZero();
    }

    /** The process {@code pid}, which is there. */
    static ProcessTable.Entry entry(long pid) {
        return Objects.requireNonNull(ProcessTable.read(pid), () -> "no process " + pid);
    }

    static void kill(long pid) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
}
