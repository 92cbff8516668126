package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines that the daemon starts: readiness, deaths, storms, hangs, and that none outlives it. specs/supervision.md. */
@NullUnmarked
final class ProcessPoolsIT {
    private static final String QUICK =
            "process: {restart_base_ms: 50, restart_cap_ms: 200, stop_grace_ms: 2000, hang_ms: 1000}\n"
                    + "health: {period_ms: 100}";

    @TempDir
    Path folder;

    private DaemonHarness daemon;

    @AfterEach
    void stopDaemon() {
        if (daemon != null) {
            daemon.close();
            assertThat(engines()).isEmpty();
        }
        LeakRecorder.assertNone();
    }

    private List<Long> engines() {
        return ProcessPool.engines(folder, "--model=" + ProcessPool.MODEL);
    }

    private String yaml(int replicas, String more) {
        return ProcessPool.doubles(folder, replicas, more + "\nenv: {TEST_FOLDER: '" + folder + "'}");
    }

    private long onlyEngine() {
        daemon.await(() -> engines().size() == 1);
        return engines().get(0);
    }

    private void decodes(TestClient client, long seed) {
        UUID id = UUID.randomUUID();
        client.submit(ProcessPool.task(id, ProcessPool.MODEL, "plain", seed, 5, ""));
        TestClient.Stream stream = client.stream(id).toEnd();
        assertThat(EngineDouble.tokens(stream)).isEqualTo(EngineDouble.tokens("plain", seed, 5));
        assertThat(stream.last().event()).isEqualTo("end");
    }

    @Test
    void shouldServeAfterHealthAndOneTokenAndLeaveNothingBehind() {
        daemon = DaemonHarness.start(yaml(2, QUICK), loop -> loop);
        daemon.await(() -> ProcessPool.isReady(daemon, 0) && ProcessPool.isReady(daemon, 1));
        assertThat(EngineDouble.stat(ProcessPool.enginePort(daemon, 0), "completed"))
                .isEqualTo(1);
        assertThat(EngineDouble.stat(ProcessPool.enginePort(daemon, 1), "completed"))
                .isEqualTo(1);
        try (TestClient client = daemon.client()) {
            decodes(client, 7);
            assertThat(client.get("/v1/pools/default/health").body()).contains("\"restarts\":0");
        }
    }

    @Test
    void shouldEndTheStreamOnceAndStartTheEngineAgainWhenItIsKilled() {
        daemon = DaemonHarness.start(yaml(1, QUICK), loop -> loop);
        long pid = onlyEngine();
        try (TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(ProcessPool.task(id, ProcessPool.MODEL, "[[pace=20]]", 1, 500, ""));
            TestClient.Stream stream =
                    client.stream(id).until(event -> event.event().equals("token"));
            ProcessPool.signal("KILL", pid);
            stream.toEnd();
            assertThat(stream.of("error")).hasSize(1);
            assertThat(stream.last().data()).contains("WORKER_RESET", "\"retriable\":true");
            daemon.await(() -> ProcessPool.view(daemon, 0).restarts() == 1 && ProcessPool.isReady(daemon, 0));
            assertThat(onlyEngine()).isNotEqualTo(pid);
            decodes(client, 8);
            assertThat(client.get("/v1/pools/default/health").body()).contains("\"restarts\":1");
            assertThat(client.get("/metrics").body())
                    .contains("replica_restarts_total{pool_id=\"default\",replica_id=\"r0\"} 1");
        }
    }

    @Test
    void shouldGiveUpInAStormSayWhyAndComeBackByAReload() {
        daemon = DaemonHarness.start(yaml(1, QUICK.replace("process: {", "process: {storm_starts: 3, ")), loop -> loop);
        for (int i = 0; i < 3; i++) {
            daemon.await(() -> ProcessPool.isReady(daemon, 0) && engines().size() == 1);
            long pid = onlyEngine();
            ProcessPool.signal("KILL", pid);
            daemon.await(() -> !engines().contains(pid) && !ProcessPool.isReady(daemon, 0));
        }
        daemon.await(
                () -> String.valueOf(ProcessPool.view(daemon, 0).lastError()).contains("given up after 3 starts"));
        assertThat(ProcessPool.view(daemon, 0).lastError()).contains("SIGKILL", "reload the pool");
        try (TestClient client = daemon.client()) {
            String health = client.get("/v1/pools/default/health").body();
            assertThat(health).contains("given up after 3 starts", "\"state\":\"down\"");
            TestClient.Answer reload =
                    client.post("/v1/pools/default/reload", "{\"new_model_ref\":\"" + ProcessPool.MODEL + "\"}");
            assertThat(reload.status()).as(reload.body()).isEqualTo(202);
            daemon.await(() -> ProcessPool.isReady(daemon, 0));
            decodes(client, 9);
        }
    }

    @Test
    void shouldEndAnEngineThatHangsAndStartItAgain() {
        daemon = DaemonHarness.start(
                yaml(1, QUICK + "\ntimeouts: {probe_ms: 300}"),
                loop -> loop,
                "pools.0.health.breaker.failures=1",
                "pools.0.health.breaker.wait_ms=60000");
        long pid = onlyEngine();
        try (TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(ProcessPool.task(id, ProcessPool.MODEL, "[[pace=20]]", 1, 500, ""));
            client.stream(id).until(event -> event.event().equals("token"));
            ProcessPool.signal("STOP", pid);
            daemon.await(() -> ProcessPool.view(daemon, 0).restarts() == 1 && ProcessPool.isReady(daemon, 0));
            assertThat(engines()).doesNotContain(pid);
        }
        try (TestClient client = daemon.client()) {
            decodes(client, 10);
        }
    }

    @Test
    void shouldEndAnEngineThatDecodesWhatIsNotOursOnceItRunsNothingElse() throws IOException {
        daemon = DaemonHarness.start(yaml(1, QUICK.replace("hang_ms: 1000", "zombie_ms: 200")), loop -> loop);
        long pid = onlyEngine();
        try (TestClient client = daemon.client();
                Socket stranger = new Socket(InetAddress.getLoopbackAddress(), ProcessPool.enginePort(daemon, 0))) {
            UUID id = UUID.randomUUID();
            client.submit(ProcessPool.task(id, ProcessPool.MODEL, "[[pace=20]]", 1, 100, ""));
            TestClient.Stream stream =
                    client.stream(id).until(event -> event.event().equals("token"));
            String body = "{\"prompt\":\"[[pace=50]]\",\"n_predict\":4000,\"stream\":true}";
            stranger.getOutputStream()
                    .write(("POST /completion HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: "
                                    + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            daemon.await(() -> ProcessPool.view(daemon, 0).occupied() == 1);
            assertThat(stream.toEnd().of("token")).hasSize(100);
            daemon.await(() -> ProcessPool.view(daemon, 0).restarts() == 1 && ProcessPool.isReady(daemon, 0));
            assertThat(engines()).doesNotContain(pid);
            decodes(client, 10);
        }
    }

    @Test
    void shouldNotTakeALongStartForAHang() {
        daemon = DaemonHarness.start(yaml(1, QUICK.replace("hang_ms: 1000", "hang_ms: 1")), loop -> loop);
        assertThat(ProcessPool.view(daemon, 0).restarts()).isZero();
    }

    @Test
    void shouldCountAnEngineThatNeverGetsReadyAsFailed() throws IOException {
        Path never = Files.createDirectories(folder.resolve("x")).resolve("never");
        String more = QUICK.replace(
                        "process: {", "process: {start_timeout_ms: 300, storm_starts: 2, stop_grace_ms: 100, ")
                .replace(", stop_grace_ms: 2000", "");
        daemon = withoutWaiting(
                ProcessPool.yaml(folder, List.of("sleep", "{port}"), 1, "test/" + never.getFileName(), more));
        daemon.await(
                () -> String.valueOf(ProcessPool.view(daemon, 0).lastError()).contains("given up after 2 starts"));
        assertThat(ProcessPool.view(daemon, 0).lastError()).contains("not ready within 300 ms of its start");
    }

    @Test
    void shouldSayWhenTheProgramIsMissing() {
        daemon = withoutWaiting(
                ProcessPool.yaml(folder, List.of("/nowhere/engine", "{port}"), 1, ProcessPool.MODEL, QUICK));
        daemon.await(() ->
                String.valueOf(ProcessPool.view(daemon, 0).lastError()).contains("/nowhere/engine does not exist"));
        assertThat(ProcessPool.view(daemon, 0).state()).isEqualTo(ReplicaStatus.State.DOWN);
    }

    @Test
    void shouldSayWhenThePortsAreUsedUp() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();
            daemon = withoutWaiting(yaml(1, QUICK), "processes.first_port=" + port, "processes.last_port=" + port);
            daemon.await(() ->
                    String.valueOf(ProcessPool.view(daemon, 0).lastError()).contains("no port is free from " + port));
        }
    }

    /** Of a daemon whose pool never gets ready. */
    private static DaemonHarness withoutWaiting(String yaml, String... sets) {
        String helper = "  - {id: other, engine: mock, model: m, ctx: 16, replicas: [{id: r, url: 'mock:'}]}\n";
        return DaemonHarness.start(yaml + helper, loop -> loop, sets);
    }

    @Test
    void shouldEndWhatAnEarlierDaemonLeftThoughNoPoolHasProcessesAnyMore() throws IOException {
        String namespace =
                Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString().replaceAll("[^0-9]", "");
        ProcessBuilder left = new ProcessBuilder("sleep", "600");
        // As a daemon that had this process's number once.
        left.environment()
                .put(
                        "ORCHESTRATORD_ENGINE",
                        namespace + "-" + ProcessHandle.current().pid() + "-1-1");
        Path guards = Files.createDirectories(folder.resolve("state").resolve("run"));
        Files.writeString(guards.resolve("engine-guard.sh"), "");
        Files.writeString(folder.resolve("state").resolve("FORMAT"), "1\n");
        Process orphan = left.start();
        String yaml =
                """
                listen: 127.0.0.1:0
                pools: [{id: default, engine: mock, model: m, ctx: 16, replicas: [{id: r, url: 'mock:'}]}]
                """;
        try (DaemonProcess process = DaemonProcess.serve(folder, yaml)) {
            process.awaitLine(line -> line.contains("\"event\":\"orphan_engine\""));
            assertThat(orphan.onExit().join().exitValue()).isEqualTo(128 + 9);
        } finally {
            orphan.destroyForcibly();
        }
    }

    @Test
    void shouldStopCleanlyWhenItIsToldToWhileItStarts() {
        try (DaemonProcess process = DaemonProcess.start(folder, yaml(1, QUICK))) {
            process.awaitLine(line -> line.contains("\"event\":\"daemon_starting\""));
            process.signal("TERM");
            assertThat(process.exit()).as(String.join("\n", process.lines())).isZero();
            assertThat(engines()).isEmpty();
        }
    }

    @Test
    void shouldLeaveNoEngineWhenTheDaemonIsKilled() {
        try (DaemonProcess process = DaemonProcess.serve(folder, yaml(1, QUICK))) {
            assertThat(engines()).hasSize(1);
            process.signal("KILL");
            assertThat(process.exit()).isEqualTo(137);
            long deadlineNs = System.nanoTime() + 20_000_000_000L;
            while (!engines().isEmpty()) {
                assertThat(System.nanoTime()).isLessThan(deadlineNs);
                Thread.onSpinWait();
            }
        }
    }
}
