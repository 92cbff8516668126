package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class EngineSupervisorIT {
    private static final RestartPolicy.Limits QUICK = new RestartPolicy.Limits(1, 50, 10, 600_000, 3, 600_000);

    @TempDir
    Path folder;

    private final List<EngineStatus> events = new CopyOnWriteArrayList<>();
    private PortLeases ports;
    private EngineSupervisor supervisor;

    @BeforeEach
    void begin() throws IOException {
        try (ServerSocket any = new ServerSocket(0)) {
            int first = Math.min(any.getLocalPort() + 1, 65_516);
            ports = new PortLeases(first, first + 19);
        }
        supervisor = new EngineSupervisor(EngineGuard.install(folder.resolve("guard")), ports, events::add);
    }

    @AfterEach
    void shouldLeaveNoProcessAndNoPort() {
        supervisor.close();
        assertThat(ports.leased()).isZero();
        for (EngineStatus event : events) {
            if (event.pid() != 0) {
                ProcessTable.Entry entry = ProcessTable.read(event.pid());
                assertThat(entry == null || !entry.lives()).isTrue();
            }
        }
    }

    private EngineSpec spec(String script, long startTimeoutMs) throws IOException {
        return spec(script, startTimeoutMs, 300);
    }

    private EngineSpec spec(String script, long startTimeoutMs, long stopGraceMs) throws IOException {
        List<String> argv = StandIns.sh(folder, script).argv();
        CommandTemplate command = new CommandTemplate(List.of(argv.get(0), argv.get(1), "{port}"), Map.of(), null);
        return new EngineSpec(
                "chat/0",
                command,
                new CommandTemplate.Values("m", "", 1, 1),
                QUICK,
                startTimeoutMs,
                stopGraceMs,
                EngineProcess.Logs.IN_MEMORY,
                null);
    }

    private static void get(CompletableFuture<?> future) throws Exception {
        future.get(StandIns.LIMIT_S, TimeUnit.SECONDS);
    }

    private EngineStatus one(EngineStatus.Role role) {
        return supervisor.statuses().stream()
                .filter(status -> status.role() == role)
                .findFirst()
                .orElse(null);
    }

    private EngineStatus awaitState(EngineStatus.Role role, EngineState state) {
        StandIns.await(role + " " + state, () -> {
            EngineStatus status = one(role);
            return status != null && status.state() == state;
        });
        return one(role);
    }

    private EngineStatus awaitReady(EngineStatus.Role role) {
        supervisor.ready(awaitState(role, EngineState.STARTING).runId());
        return awaitState(role, EngineState.RUNNING);
    }

    @Test
    void shouldEndEnginesWithoutTheirGraceWhenThereIsAHurry() throws Exception {
        get(supervisor.start(spec(StandIns.STUBBORN, 0, 3_600_000)));
        awaitReady(EngineStatus.Role.CURRENT);
        CompletableFuture<Void> gone = supervisor.shutDown();
        awaitState(EngineStatus.Role.CURRENT, EngineState.STOPPING);
        supervisor.hurry();
        get(gone);
    }

    @Test
    void shouldGiveNoGraceWhenThereWasAHurryBefore() throws Exception {
        get(supervisor.start(spec(StandIns.STUBBORN, 0, 3_600_000)));
        awaitReady(EngineStatus.Role.CURRENT);
        supervisor.hurry();
        get(supervisor.shutDown());
    }

    @Test
    void shouldStartAnEqualEngineAnewWhenThatIsOrdered() throws Exception {
        EngineSpec spec = spec(StandIns.POLITE, 0);
        get(supervisor.start(spec));
        long first = awaitReady(EngineStatus.Role.CURRENT).runId();
        assertThat(supervisor.lastRun()).isEqualTo(first);
        get(supervisor.replace(spec));
        assertThat(awaitState(EngineStatus.Role.CURRENT, EngineState.RUNNING).runId())
                .isEqualTo(first);
        get(supervisor.restart(spec));
        assertThat(awaitReady(EngineStatus.Role.CURRENT).runId()).isEqualTo(first + 1);
        assertThat(one(EngineStatus.Role.CURRENT).restarts()).isZero();
    }

    @Test
    void shouldStartAndStopOnceHoweverOftenItIsTold() throws Exception {
        EngineSpec spec = spec(StandIns.POLITE, 0);
        get(supervisor.start(spec));
        get(supervisor.start(spec));
        EngineStatus running = awaitReady(EngineStatus.Role.CURRENT);
        assertThat(running.port()).isPositive();
        assertThat(running.runId()).isEqualTo(1);
        assertThatThrownBy(() -> get(supervisor.start(spec("sleep 9\n", 0))))
                .hasCauseInstanceOf(IllegalStateException.class);
        get(supervisor.stop("chat/0"));
        get(supervisor.stop("chat/0"));
        get(supervisor.stop("nobody"));
        assertThat(one(EngineStatus.Role.CURRENT).state()).isEqualTo(EngineState.STOPPED);
        get(supervisor.remove("chat/0"));
        assertThat(supervisor.statuses()).isEmpty();
    }

    @Test
    void shouldRestartUntilItIsAStorm() throws Exception {
        EngineSpec spec = spec("echo 'CUDA error: an illegal memory access was encountered'\nexit 1\n", 0);
        get(supervisor.start(spec));
        EngineStatus failed = awaitState(EngineStatus.Role.CURRENT, EngineState.FAILED);
        assertThat(failed.restarts()).isEqualTo(2);
        assertThat(failed.lastExit()).isEqualTo(ExitKind.DRIVER_FAULT);
        assertThat(failed.lastError())
                .startsWith("given up after 3 starts in 600 s; the last: a driver or device fault");
        assertThat(events.stream().map(EngineStatus::state)).contains(EngineState.BACKOFF);
        get(supervisor.start(spec));
        StandIns.await("three more starts", () -> one(EngineStatus.Role.CURRENT).runId() == 6);
        awaitState(EngineStatus.Role.CURRENT, EngineState.FAILED);
    }

    @Test
    void shouldSayWhyACommandCannotBeStarted() throws Exception {
        CommandTemplate gone =
                new CommandTemplate(List.of(folder.resolve("gone").toString()), Map.of(), null);
        EngineSpec spec = new EngineSpec(
                "chat/0",
                gone,
                new CommandTemplate.Values("m", "", 1, 1),
                QUICK,
                0,
                300,
                EngineProcess.Logs.IN_MEMORY,
                folder.resolve("logs"));
        get(supervisor.start(spec));
        EngineStatus failed = awaitState(EngineStatus.Role.CURRENT, EngineState.FAILED);
        assertThat(failed.lastExit()).isEqualTo(ExitKind.CANNOT_START);
        assertThat(failed.lastError()).contains("does not exist");
    }

    @Test
    void shouldStopAnEngineThatIsNotReadyInTime() throws Exception {
        get(supervisor.start(spec(StandIns.POLITE, 1)));
        EngineStatus failed = awaitState(EngineStatus.Role.CURRENT, EngineState.FAILED);
        assertThat(failed.lastExit()).isEqualTo(ExitKind.UNRESPONSIVE);
        assertThat(failed.lastError()).endsWith("not ready within 1 ms of its start");
    }

    @Test
    void shouldRestartWhatDoesNotAnswerAndIgnoreAnOldRun() throws Exception {
        get(supervisor.start(spec(StandIns.POLITE, 0)));
        awaitReady(EngineStatus.Role.CURRENT);
        supervisor.unresponsive(1, "no answer for 30 s");
        StandIns.await("the second start", () -> one(EngineStatus.Role.CURRENT).runId() == 2);
        supervisor.ready(1);
        supervisor.unresponsive(1, "late");
        EngineStatus second = awaitState(EngineStatus.Role.CURRENT, EngineState.STARTING);
        assertThat(second.lastError()).isEqualTo("no answer for 30 s");
        supervisor.ready(2);
        assertThat(awaitState(EngineStatus.Role.CURRENT, EngineState.RUNNING).lastError())
                .isNull();
    }

    @Test
    void shouldRunTwoAndPromoteTheSecond() throws Exception {
        EngineSpec old = spec(StandIns.POLITE, 0);
        EngineSpec fresh = spec("# next\n" + StandIns.POLITE, 0);
        get(supervisor.start(old));
        EngineStatus first = awaitReady(EngineStatus.Role.CURRENT);
        get(supervisor.runTwo(fresh));
        get(supervisor.runTwo(fresh));
        assertThatThrownBy(() -> get(supervisor.promote("chat/0"))).hasCauseInstanceOf(IllegalStateException.class);
        EngineStatus second = awaitReady(EngineStatus.Role.CANDIDATE);
        assertThat(second.port()).isNotEqualTo(first.port());
        get(supervisor.promote("chat/0"));
        get(supervisor.promote("chat/0"));
        assertThat(supervisor.statuses()).hasSize(1);
        assertThat(one(EngineStatus.Role.CURRENT).runId()).isEqualTo(second.runId());
        assertThat(one(EngineStatus.Role.CURRENT).state()).isEqualTo(EngineState.RUNNING);
        assertThat(ports.leased()).isEqualTo(1);
    }

    @Test
    void shouldKeepTheFirstWhenTheSecondFails() throws Exception {
        get(supervisor.start(spec(StandIns.POLITE, 0)));
        EngineStatus first = awaitReady(EngineStatus.Role.CURRENT);
        get(supervisor.runTwo(spec("exit 5\n", 0)));
        assertThat(awaitState(EngineStatus.Role.CANDIDATE, EngineState.FAILED).lastError())
                .isEqualTo("exit code 5");
        get(supervisor.abandon("chat/0"));
        get(supervisor.abandon("chat/0"));
        assertThat(supervisor.statuses()).containsExactly(first.pid() == 0 ? one(EngineStatus.Role.CURRENT) : first);
    }

    @Test
    void shouldReplaceOneAfterTheOther() throws Exception {
        get(supervisor.start(spec(StandIns.STUBBORN, 0)));
        awaitReady(EngineStatus.Role.CURRENT);
        EngineSpec next = spec(StandIns.POLITE, 0);
        get(supervisor.replace(next));
        get(supervisor.replace(next));
        StandIns.await("the second start", () -> one(EngineStatus.Role.CURRENT).runId() == 2);
        awaitReady(EngineStatus.Role.CURRENT);
        assertThat(ports.leased()).isEqualTo(1);
        assertThat(Files.exists(folder.resolve("guard"))).isTrue();
    }
}
