package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Start and stop of the daemon as its own process: specs/operations.md. */
@NullUnmarked
class DrainIT {
    @TempDir
    Path folder;

    private static String yaml(String speed, int slots) {
        return """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 200000
                    replicas: [{id: r0, url: "mock:?%s", slots: %d}]
                """
                .formatted(DaemonHarness.MODEL, speed, slots);
    }

    private static final class Reading implements AutoCloseable {
        private final TestClient client;
        private final TestClient.Stream stream;

        Reading(DaemonProcess daemon, int tokens) {
            client = daemon.client();
            UUID id = UUID.randomUUID();
            client.submit(TestClient.task(id, "mock", "drain", tokens, ""));
            stream = client.stream(id);
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private static List<Reading> load(DaemonProcess daemon, int tasks, int tokens) {
        List<Reading> readings = new ArrayList<>();
        for (int i = 0; i < tasks; i++) {
            readings.add(new Reading(daemon, tokens));
        }
        readings.get(0).stream.until(event -> event.event().equals("token"));
        return readings;
    }

    private static void awaitNotReady(DaemonProcess daemon) {
        daemon.awaitLine(line -> line.contains("\"event\":\"daemon_draining\""));
        try (TestClient client = daemon.client()) {
            assertThat(client.get("/readyz").status()).isEqualTo(503);
        }
    }

    @Test
    void shouldFinishRunningAndQueuedTasksAndRefuseNewOnesWhenTermed() {
        try (DaemonProcess daemon = DaemonProcess.serve(
                        folder,
                        yaml("tokens_per_s=40", 2),
                        "shutdown.lame_duck_ms=0",
                        "shutdown.drain_deadline_ms=50000");
                TestClient idle = daemon.client()) {
            idle.get("/livez"); // and stays connected
            List<Reading> readings = load(daemon, 6, 40);
            daemon.signal("TERM");
            awaitNotReady(daemon);
            try (TestClient client = daemon.client()) {
                Answer refused = client.post("/v1/tasks", TestClient.task(UUID.randomUUID(), "mock", "x", 5, ""));
                while (refused.status() == 202) { // the scheduler has not heard of the drain yet
                    refused = client.post("/v1/tasks", TestClient.task(UUID.randomUUID(), "mock", "x", 5, ""));
                }
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.header("Retry-After")).isNotEmpty();
                assertThat(refused.body()).contains("POOL_UNREADY");
                assertThat(client.get("/livez").status()).isEqualTo(200);
                assertThat(client.get("/v1/pools").body()).contains("\"draining\":true");
            }
            for (Reading reading : readings) {
                assertThat(reading.stream.toEnd().last().event()).isEqualTo("end");
                assertThat(reading.stream.complete()).isTrue();
                reading.close();
            }
            assertThat(daemon.exit()).isZero();
            assertThat(daemon.lines().get(daemon.lines().size() - 1)).contains("daemon_stopped", "\"exit_code\":0");
        }
    }

    @Test
    void shouldEndEveryTaskWithAnErrorWhenTheDeadlinePasses() {
        try (DaemonProcess daemon = DaemonProcess.serve(
                folder,
                yaml("tokens_per_s=5", 1),
                "durability=off",
                "shutdown.lame_duck_ms=0",
                "shutdown.drain_deadline_ms=300")) {
            List<Reading> readings = load(daemon, 3, 100);
            daemon.signal("TERM");
            assertEachFails(readings);
            assertThat(daemon.exit()).isZero();
        }
    }

    @Test
    void shouldEndTheWaitWhenSignalledAgain() {
        try (DaemonProcess daemon = DaemonProcess.serve(
                folder,
                yaml("tokens_per_s=5", 1),
                "durability=off",
                "shutdown.lame_duck_ms=0",
                "shutdown.drain_deadline_ms=600000")) {
            List<Reading> readings = load(daemon, 3, 250);
            daemon.signal("TERM");
            awaitNotReady(daemon);
            daemon.signal("TERM");
            assertEachFails(readings);
            assertThat(daemon.exit()).isZero();
        }
    }

    private static void assertEachFails(List<Reading> readings) {
        for (Reading reading : readings) {
            TestClient.Stream stream = reading.stream.toEnd();
            assertThat(stream.complete()).isTrue();
            assertThat(stream.last().event()).isEqualTo("error");
            assertThat(stream.last().data()).contains("\"code\":\"WORKER_RESET\"", "\"retriable\":true");
            reading.close();
        }
    }

    @Test
    void shouldStopOnIntAsOnTerm() throws IOException {
        Assumptions.assumeFalse(intIsIgnored(), "this process was started with SIGINT ignored, and so is the daemon");
        try (DaemonProcess daemon = DaemonProcess.serve(folder, yaml("tokens_per_s=0", 1), "shutdown.lame_duck_ms=0");
                TestClient idle = daemon.client()) {
            idle.get("/livez");
            daemon.signal("INT");
            assertThat(daemon.exit()).isZero();
        }
    }

    private static boolean intIsIgnored() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("SigIgn:")) {
                return (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0;
            }
        }
        return false;
    }

    @Test
    void shouldSayWhyWhenThePortIsInUse() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            try (DaemonProcess daemon = DaemonProcess.start(folder, yaml("", 1), "listen=" + address)) {
                assertThat(daemon.exit()).isEqualTo(1);
                assertThat(String.join("\n", daemon.lines()))
                        .contains("\"event\":\"start_failed\"", "Cannot listen on " + address, "listen");
            }
        }
    }

    @Test
    void shouldExitTwoBeforeListeningWhenTheConfigurationIsWrong() {
        try (DaemonProcess daemon = DaemonProcess.start(folder, yaml("", 1) + "lisen: x\n")) {
            assertThat(daemon.exit()).isEqualTo(2);
            assertThat(String.join("\n", daemon.lines())).contains("daemon.yaml:8:", "did you mean \"listen\"?");
        }
        try (DaemonProcess daemon = DaemonProcess.start(folder, yaml("", 1), "listen=0.0.0.0:0")) {
            assertThat(daemon.exit()).isEqualTo(2);
        }
    }
}
