package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever ends the daemon, and whatever goes with it: no process of an engine stays. */
@NullUnmarked
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DaemonDeathIT {
    @TempDir
    Path folder;

    private Process daemon;
    private String token = "";
    private long engine;
    private long guard;

    private void startDaemon(long graceMs) throws IOException {
        EngineCommand script = StandIns.sh(folder, StandIns.STUBBORN);
        daemon = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DaemonStandIn.class.getName(),
                        folder.resolve("guard").toString(),
                        script.argv().get(1),
                        Long.toString(graceMs))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader out = new BufferedReader(new InputStreamReader(daemon.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        assertThat(line).isNotNull();
        String[] words = line.split(" ", -1);
        token = words[0];
        engine = Long.parseLong(words[1]);
        guard = Long.parseLong(words[2]);
        assertThat(StandIns.of(token, engine)).hasSizeGreaterThanOrEqualTo(6);
    }

    @AfterEach
    void shouldLeaveNoProcess() {
        if (daemon != null) {
            daemon.destroyForcibly();
        }
        if (!token.isEmpty()) {
            assertThat(ProcessTable.kill(() -> StandIns.of(token, engine), 10_000))
                    .isEmpty();
        }
    }

    @Test
    void shouldEndTheEngineWhenTheDaemonIsKilled() throws Exception {
        startDaemon(300);
        daemon.destroyForcibly();
        StandIns.awaitGone(token, engine);
    }

    @Test
    void shouldEndTheEngineWhenTheDaemonLeavesWithoutStoppingIt() throws Exception {
        startDaemon(300);
        daemon.destroy();
        StandIns.awaitGone(token, engine);
    }

    @Test
    void shouldEndTheEngineWhenDaemonAndGuardAreKilled() throws Exception {
        startDaemon(300);
        // The daemon first stands still, so that it cannot help.
        StandIns.signal("STOP", daemon.pid());
        StandIns.kill(guard);
        daemon.destroyForcibly();
        // The watcher is left.
        StandIns.awaitGone(token, engine);
    }

    @Test
    void shouldSweepAtTheNextStartWhatAGuardWithoutWatcherKept() throws Exception {
        startDaemon(300);
        StandIns.signal("STOP", daemon.pid());
        watchers().forEach(ProcessHandle::destroyForcibly);
        StandIns.await("the watcher's end", () -> watchers().isEmpty());
        daemon.destroyForcibly().waitFor();
        assertThat(OrphanSweep.run(0)).isNotEmpty();
        StandIns.awaitGone(token, engine);
    }

    @Test
    void shouldSweepAtTheNextStartWhatOutlivedItsGuards() throws Exception {
        startDaemon(300);
        assertThat(OrphanSweep.run(0)).isEmpty();
        assertThat(StandIns.of(token, engine))
                .as("the engine of a living daemon")
                .isNotEmpty();
        StandIns.signal("STOP", daemon.pid());
        for (ProcessHandle watcher : watchers()) {
            StandIns.signal("STOP", watcher.pid());
        }
        List<ProcessHandle> watchers = watchers();
        StandIns.signal("STOP", guard);
        watchers.forEach(ProcessHandle::destroyForcibly);
        StandIns.kill(guard);
        daemon.destroyForcibly().waitFor();
        // The death signal took the engine; what it had started has nobody.
        StandIns.await("the engine's end", () -> {
            ProcessTable.Entry entry = ProcessTable.read(engine);
            return entry == null || !entry.lives();
        });
        assertThat(StandIns.of(token, engine)).isNotEmpty();
        assertThat(OrphanSweep.run(0)).isNotEmpty();
        assertThat(StandIns.of(token, engine)).isEmpty();
    }

    /** The guard's children but the engine: the watcher and, for a moment, what it calls. */
    private List<ProcessHandle> watchers() {
        return ProcessHandle.of(guard).stream()
                .flatMap(ProcessHandle::children)
                .filter(child -> child.pid() != engine)
                .filter(child -> {
                    ProcessTable.Entry entry = ProcessTable.read(child.pid());
                    return entry != null && entry.lives();
                })
                .toList();
    }
}
