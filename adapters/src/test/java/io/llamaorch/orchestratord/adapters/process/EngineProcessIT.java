package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class EngineProcessIT {
    @TempDir
    Path folder;

    private EngineGuard guard;
    private final List<EngineProcess> started = new ArrayList<>();

    @BeforeEach
    void install() throws IOException {
        guard = EngineGuard.install(folder.resolve("guard"));
    }

    /** The promise that every test here makes: nothing of it survives. */
    @AfterEach
    void shouldLeaveNoProcess() {
        for (EngineProcess engine : started) {
            engine.stop(0);
            StandIns.awaitGone(engine.token(), engine.pid());
        }
    }

    private EngineProcess start(EngineCommand command, long graceMs) throws IOException {
        EngineProcess engine = StandIns.start(guard, command, graceMs);
        started.add(engine);
        return engine;
    }

    private EngineProcess start(String script, String... arguments) throws IOException {
        return start(StandIns.sh(folder, script, arguments), 300);
    }

    private static ExitReason exit(EngineProcess engine)
            throws InterruptedException, ExecutionException, TimeoutException {
        return engine.exit().get(StandIns.LIMIT_S, TimeUnit.SECONDS);
    }

    @Test
    void shouldKeepWhatTheEngineSaidUpToItsLastWords() throws Exception {
        for (int i = 0; i < 20; i++) {
            EngineProcess engine = start("echo out\necho err >&2\nprintf 'last words'\nexit 3\n");
            assertThat(exit(engine))
                    .isEqualTo(new ExitReason(ExitKind.EXIT_CODE, true, 3, 0, "exit code 3: \"last words\""));
            assertThat(engine.logTail(10)).containsExactly("out", "err", "last words");
        }
    }

    @Test
    void shouldDrainAnEngineThatTalksALot() throws Exception {
        EngineProcess engine =
                start("yes 'a line of ordinary length, again and again' | head -c 20000000\necho\necho end\n");
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.CLEAN);
        List<String> tail = engine.logTail(10_000);
        assertThat(tail).hasSize(EngineProcess.Logs.IN_MEMORY.lines()).endsWith("end");
    }

    @Test
    void shouldPassArgumentsAsTheyAre() throws Exception {
        EngineProcess engine =
                start("for a in \"$@\"; do echo \"[$a]\"; done\n", "a b", "$(id)", "", "'\"", "*", "x;exit 9");
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.CLEAN);
        assertThat(engine.logTail(10)).containsExactly("[a b]", "[$(id)]", "[]", "['\"]", "[*]", "[x;exit 9]");
    }

    @Test
    void shouldGiveTheEngineACleanPlaceToRun() throws Exception {
        EngineCommand sh = StandIns.sh(
                folder,
                """
                echo dir $(pwd)
                echo env $CUDA_VISIBLE_DEVICES $token
                echo mark $ORCHESTRATORD_ENGINE
                grep SigIgn /proc/$$/status
                readlink /proc/$$/fd/0
                ls -l /proc/$$/fd
                """);
        Path directory = Files.createDirectories(folder.resolve("a b"));
        EngineProcess engine = start(
                new EngineCommand(sh.argv(), Map.of("CUDA_VISIBLE_DEVICES", "0,1", "token", "kept"), directory), 300);
        exit(engine);
        List<String> lines = engine.logTail(100);
        assertThat(lines).contains("dir " + directory, "env 0,1 kept", "mark " + engine.token(), "/dev/null");
        String ignored = lines.stream()
                .filter(line -> line.startsWith("SigIgn"))
                .findFirst()
                .orElseThrow();
        // INT is bit 1, QUIT bit 2: an engine must be able to end by them.
        assertThat(Long.parseUnsignedLong(ignored.substring(8).strip(), 16) & 6).isZero();
        // Only its output leads to the daemon; the pipe that the guard watches must not be held by the engine.
        assertThat(lines.stream()
                        .filter(line -> line.contains("-> pipe:"))
                        .map(line -> line.substring(line.indexOf("pipe:")))
                        .distinct())
                .hasSize(1);
    }

    @Test
    void shouldKnowPidAndStartTime() throws Exception {
        EngineProcess engine = start(StandIns.POLITE);
        long pid = engine.started().get(StandIns.LIMIT_S, TimeUnit.SECONDS);
        ProcessTable.Entry entry = StandIns.entry(pid);
        assertThat(entry.startTicks()).isEqualTo(engine.startTicks()).isPositive();
        StandIns.awaitLine(engine, "up");
        assertThat(StandIns.entry(pid).session()).isEqualTo(pid);
        assertThat(StandIns.entry(pid).group()).isEqualTo(pid);
        assertThat(entry.session())
                .isNotEqualTo(StandIns.entry(ProcessHandle.current().pid()).session());
    }

    @Test
    void shouldLetAnEngineLeaveByItself() throws Exception {
        EngineProcess engine = start(StandIns.POLITE);
        StandIns.awaitLine(engine, "up");
        engine.stop(30_000);
        engine.stop(30_000);
        ExitReason reason = exit(engine);
        assertThat(reason.kind()).isEqualTo(ExitKind.STOPPED);
        assertThat(reason.exitCode()).isZero();
        assertThat(engine.logTail(10)).startsWith("up").endsWith("bye");
    }

    @Test
    void shouldKillWhatDoesNotLeave() throws Exception {
        EngineProcess engine = start(StandIns.STUBBORN);
        StandIns.awaitLine(engine, "up");
        assertThat(StandIns.of(engine.token(), engine.pid())).hasSizeGreaterThanOrEqualTo(6);
        engine.stop(200);
        ExitReason reason = exit(engine);
        assertThat(reason.kind()).isEqualTo(ExitKind.STOPPED);
        assertThat(reason.signal()).isEqualTo(9);
        assertThat(reason.sentence()).isEqualTo("stopped as asked");
        assertThat(ProcessTable.membersOf(engine.pid(), engine.token())).isEmpty();
    }

    @Test
    void shouldShortenAStopThatIsUnderWay() throws Exception {
        EngineProcess engine = start(StandIns.STUBBORN);
        StandIns.awaitLine(engine, "up");
        engine.stop(TimeUnit.HOURS.toMillis(1));
        engine.stop(0);
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.STOPPED);
    }

    @Test
    void shouldEndTheWorkersOfAnEngineThatDied() throws Exception {
        EngineProcess engine = start(StandIns.STUBBORN);
        StandIns.awaitLine(engine, "up");
        StandIns.signal("SEGV", engine.pid());
        ExitReason reason = exit(engine);
        assertThat(reason.kind()).isEqualTo(ExitKind.CRASH);
        assertThat(reason.signal()).isEqualTo(11);
        assertThat(reason.sentence()).isEqualTo("crashed: ended by SIGSEGV: \"up\"");
        assertThat(ProcessTable.membersOf(engine.pid(), engine.token())).isEmpty();
    }

    @Test
    void shouldTellAKillFromOutside() throws Exception {
        EngineProcess engine = start(StandIns.POLITE);
        StandIns.awaitLine(engine, "up");
        StandIns.kill(engine.pid());
        ExitReason reason = exit(engine);
        assertThat(reason.signal()).isEqualTo(9);
        assertThat(reason.kind()).isIn(ExitKind.SIGNAL, ExitKind.HOST_OUT_OF_MEMORY);
    }

    @Test
    void shouldStopBeforeTheEngineHasBegun() throws Exception {
        EngineProcess engine = start(StandIns.POLITE);
        engine.stop(0);
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.STOPPED);
    }

    @Test
    void shouldEndTheEngineWhenItsGuardIsKilled() throws Exception {
        EngineProcess engine = start(StandIns.STUBBORN);
        StandIns.awaitLine(engine, "up");
        StandIns.kill(engine.guardPid());
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.GUARD_LOST);
        assertThat(ProcessTable.membersOf(engine.pid(), engine.token())).isEmpty();
    }

    @Test
    void shouldStopTheEngineWhenItsGuardIsTerminated() throws Exception {
        EngineProcess engine = start(StandIns.STUBBORN);
        StandIns.awaitLine(engine, "up");
        StandIns.signal("TERM", engine.guardPid());
        assertThat(exit(engine).signal()).isEqualTo(9);
        assertThat(ProcessTable.membersOf(engine.pid(), engine.token())).isEmpty();
    }

    @Test
    void shouldStopAnEngineWhoseGuardDoesNotHear() throws Exception {
        EngineProcess engine = start(StandIns.STUBBORN);
        StandIns.awaitLine(engine, "up");
        // Without its watcher the guard hears nothing.
        ProcessHandle.of(engine.guardPid())
                .orElseThrow()
                .children()
                .filter(child -> child.pid() != engine.pid())
                .forEach(ProcessHandle::destroyForcibly);
        engine.stop(0);
        engine.stop(0);
        exit(engine);
        assertThat(ProcessTable.membersOf(engine.pid(), engine.token())).isEmpty();
    }

    /** Without util-linux the engine is found by its parent and its mark. */
    @Test
    void shouldDoWithoutSetsidAndSetpriv() throws Exception {
        Path tools = Files.createDirectories(folder.resolve("tools"));
        for (String tool : List.of("sleep", "grep")) {
            Path real = List.of(Path.of("/usr/bin", tool), Path.of("/bin", tool)).stream()
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            Files.createSymbolicLink(tools.resolve(tool), real);
        }
        guard = EngineGuard.install(folder.resolve("guard"), tools.toString());
        EngineCommand sh = StandIns.sh(folder, "PATH=/usr/bin:/bin\n" + StandIns.STUBBORN.replace("( env -i", "( env"));
        for (boolean byGuard : new boolean[] {true, false}) {
            EngineProcess engine = start(new EngineCommand(sh.argv(), Map.of("PATH", tools.toString()), null), 300);
            StandIns.awaitLine(engine, "up");
            assertThat(StandIns.entry(engine.pid()).session()).isNotEqualTo(engine.pid());
            if (byGuard) {
                engine.stop(200);
            } else {
                StandIns.kill(engine.guardPid());
            }
            assertThat(exit(engine).kind()).isEqualTo(byGuard ? ExitKind.STOPPED : ExitKind.GUARD_LOST);
            assertThat(StandIns.of(engine.token(), 0).stream().filter(entry -> ProcessTable.mark(entry.pid()) != null))
                    .isEmpty();
        }
    }

    @Test
    void shouldNotKeepKeysFromTheOutput() throws Exception {
        EngineProcess engine =
                start("echo \"started with $*\"\nexit 4\n", "--api-key", "verysecretvalue", "--port", "1");
        assertThat(exit(engine).sentence()).isEqualTo("exit code 4: \"started with --api-key [redacted] --port 1\"");
        assertThat(engine.logTail(5)).noneMatch(line -> line.contains("verysecretvalue"));
    }

    @Test
    void shouldWriteTheOutputToAFile() throws Exception {
        Path log = folder.resolve("engine.log");
        EngineProcess.Logs logs = new EngineProcess.Logs(10, 1_000, 512, log, 100_000, 2);
        EngineProcess engine =
                EngineProcess.start(guard, StandIns.sh(folder, "echo one\necho two\n"), logs, 300, () -> null);
        started.add(engine);
        exit(engine);
        StandIns.await("both lines on disk", () -> {
            try {
                return Files.exists(log) && Files.readAllLines(log).size() == 2;
            } catch (IOException e) {
                return false;
            }
        });
        assertThat(Files.readString(log)).contains(" one\n", " two\n").doesNotContain("orchestratord-guard");
    }

    @Test
    void shouldAskDriverTelemetryWhenTheLogSaysNothing() throws Exception {
        EngineProcess engine = EngineProcess.start(
                guard,
                StandIns.sh(folder, "exit 134\n"),
                EngineProcess.Logs.IN_MEMORY,
                300,
                () -> "Xid 79 on device 0");
        started.add(engine);
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.DRIVER_FAULT);
    }

    @Test
    void shouldSayThatAProgramCannotRun() throws Exception {
        Path program = Files.writeString(folder.resolve("broken"), "#!/no/such/interpreter\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        EngineProcess engine = start(new EngineCommand(List.of(program.toString()), Map.of(), null), 300);
        assertThat(exit(engine).kind()).isEqualTo(ExitKind.CANNOT_START);
    }

    @Test
    void shouldWriteTheGuardAgainWhenItWasCleanedAway() throws Exception {
        Files.delete(folder.resolve("guard/engine-guard.sh"));
        assertThat(exit(start("exit 0\n")).kind()).isEqualTo(ExitKind.CLEAN);
    }

    @Test
    void shouldReadAProcessWhateverItsName() {
        String stat = "7 (a) b (c)) S 1 5 6 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 991 1 1";
        assertThat(ProcessTable.parse(7, stat)).isEqualTo(new ProcessTable.Entry(7, 'S', 1, 5, 6, 991));
        assertThat(ProcessTable.parse(7, "7 (cut")).isNull();
        assertThatThrownBy(() -> new EngineProcess.Logs(0, 1, 512, null, 0, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
