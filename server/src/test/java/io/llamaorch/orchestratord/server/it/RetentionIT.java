package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is kept of tasks, while clients submit and cancel without waiting for answers. */
@Tag("streams")
@NullUnmarked
class RetentionIT {
    private static final int CLIENTS = 4;
    private static final int ROUNDS = 60;
    private static final int PIPELINED = 6;

    @AfterAll
    static void stop() {
        LeakRecorder.assertNone();
    }

    private static String task(UUID id, int tokens) {
        return TestClient.task(id, "mock", "k", tokens, ",\"detached\":true")
                .replace(
                        "\"deadline_ms\":60000",
                        "\"deadline_ms\":3600000"); // a spill holds tasks up, and the ETA sees it
    }

    private static int kept(DaemonHarness daemon) {
        return daemon.daemon().tasks().loops().all().stream()
                .mapToInt(loop -> loop.streams().retainedTasks())
                .sum();
    }

    /** Each client in turn sends some submits and the cancel of each, and only then are the answers read. */
    private static void submitAndCancel(DaemonHarness daemon, int tokens) throws IOException {
        List<TestClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(daemon.client());
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (TestClient client : clients) {
                List<UUID> ids = new ArrayList<>();
                for (int i = 0; i < PIPELINED; i++) {
                    ids.add(UUID.randomUUID());
                    client.send("POST", "/v1/tasks", task(ids.get(i), tokens));
                }
                for (UUID id : ids) {
                    client.send("POST", "/v1/tasks/" + id + "/cancel", "");
                }
            }
            for (TestClient client : clients) {
                for (int i = 0; i < PIPELINED; i++) {
                    assertThat(client.readAnswer().status()).isEqualTo(202);
                }
                for (int i = 0; i < PIPELINED; i++) {
                    assertThat(client.readAnswer().status()).isIn(204, 404); // 404: it was over, and forgotten
                }
            }
        }
        clients.forEach(TestClient::close);
        daemon.awaitQuiet();
        assertThat(daemon.daemon().tasks().ring().alive()).isTrue();
        try (TestClient later = daemon.client()) {
            UUID id = UUID.randomUUID();
            later.submit(task(id, 100_000));
            TestClient.Stream stream =
                    later.stream(id).until(event -> event.event().equals("token"));
            assertThat(stream.last().event()).isEqualTo("token");
        }
    }

    @Test
    void shouldGiveEverySlotBackWhenNothingIsKeptAndCancelsCrossDispatches() throws IOException {
        try (DaemonHarness daemon =
                DaemonHarness.mock("tokens_per_s=50", 1, "event_loops=2", "streams.retained_tasks=0")) {
            submitAndCancel(daemon, 100_000);
            assertThat(kept(daemon)).isZero();
        }
    }

    @Test
    void shouldGiveEverySlotBackWhenMemoryIsShortAndEverythingIsEvicted() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock(
                "tokens_per_s=0",
                2,
                "event_loops=2",
                "streams.retained_bytes=1MiB",
                "streams.retained_tasks=1000000")) {
            submitAndCancel(daemon, 6_000);
            assertThat(kept(daemon)).isLessThan(CLIENTS * ROUNDS * PIPELINED);
        }
    }

    @Test
    void shouldKeepAsManyAsAllowedInTotalWhenTasksEndOnSeveralLoops() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                "tokens_per_s=0", 2, "event_loops=3", "streams.retained_tasks=5", "transcripts.enabled=false")) {
            List<UUID> ids = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                try (TestClient client = daemon.client()) { // the next connection is on the next loop
                    ids.add(UUID.randomUUID());
                    client.submit(task(ids.get(i), 3));
                    client.stream(ids.get(i)).toEnd();
                }
                daemon.awaitQuiet();
                int over = Math.min(i + 1, 5);
                daemon.await(() -> kept(daemon) == over);
            }
            try (TestClient client = daemon.client()) {
                for (int i = 0; i < ids.size(); i++) {
                    int status = client.get("/v1/tasks/" + ids.get(i)).status();
                    assertThat(status).as("task %d", i).isEqualTo(i < 7 ? 404 : 200);
                }
            }
        }
    }
}
