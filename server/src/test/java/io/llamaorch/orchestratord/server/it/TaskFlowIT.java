package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import io.llamaorch.orchestratord.server.it.TestClient.Event;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The main job, over the built-in engine. */
@NullUnmarked
class TaskFlowIT {
    private static DaemonHarness daemon;

    @BeforeAll
    static void start() {
        daemon = DaemonHarness.mock("tokens_per_s=0", 4);
    }

    @AfterAll
    static void stop() {
        daemon.awaitQuiet();
        daemon.close();
    }

    @Test
    void shouldStreamATaskFromAdmissionToEnd() {
        UUID id = UUID.randomUUID();
        try (TestClient client = daemon.client()) {
            Answer admitted = client.post("/v1/tasks", TestClient.task(id, "mock", "hello", 20, ",\"seed\":7"));
            assertThat(admitted.status()).isEqualTo(202);
            assertThat(admitted.body()).contains("\"task_id\":\"" + id + "\"", "\"queue_position\":");
            TestClient.Stream stream = client.stream(id).toEnd();
            assertThat(stream.complete()).isTrue();
            assertThat(stream.of("token")).hasSizeBetween(1, 20);
            assertThat(stream.of("metrics")).isNotEmpty();
            assertThat(stream.last().event()).isEqualTo("end");
            assertThat(stream.last().data())
                    .contains("\"tokens_out\":" + stream.of("token").size());
            Answer status = client.get("/v1/tasks/" + id);
            assertThat(status.body())
                    .contains(
                            "\"state\":\"completed\"",
                            "\"last_event_id\":" + stream.last().id());
        }
    }

    @Test
    void shouldReplayByteForByteFromEveryEventAfterTheEnd() {
        UUID id = UUID.randomUUID();
        try (TestClient client = daemon.client()) {
            client.submit(TestClient.task(id, "mock", "again", 30, ",\"seed\":3"));
            String log = client.stream(id).toEnd().log();
            long last = client.stream(id).toEnd().last().id();
            for (long from = 0; from <= last; from++) {
                try (TestClient resumed = daemon.client().with("Last-Event-ID", Long.toString(from))) {
                    String rest = resumed.stream(id).toEnd().log();
                    assertThat(rest)
                            .isEqualTo(from == last ? "" : log.substring(log.indexOf("id: " + (from + 1) + "\n")));
                }
            }
            Answer beyond =
                    client.with("Last-Event-ID", Long.toString(last + 1)).get("/v1/tasks/" + id + "/stream");
            assertThat(beyond.status()).isEqualTo(400);
        }
    }

    @Test
    void shouldAnswerTheSameBodyAgainAndRefuseAnotherWhenAnIdComesTwice() {
        UUID id = UUID.randomUUID();
        String body = TestClient.task(id, "mock", "twice", 5, "");
        try (TestClient client = daemon.client()) {
            client.submit(body);
            Answer replay = client.post("/v1/tasks", body);
            assertThat(replay.status()).isEqualTo(202);
            assertThat(replay.header("Idempotent-Replay")).isEqualTo("true");
            Answer other = client.post("/v1/tasks", body.replace("twice", "other"));
            assertThat(other.status()).isEqualTo(409);
            assertThat(client.stream(id).toEnd().of("end")).hasSize(1);
        }
    }

    @Test
    void shouldTellPositionsAndCommentsWhileQueued() {
        try (DaemonHarness slow = DaemonHarness.mock("tokens_per_s=200", 1, "streams.heartbeat_ms=1000");
                TestClient client = slow.client();
                TestClient reader = slow.client()) {
            UUID first = UUID.randomUUID();
            UUID second = UUID.randomUUID();
            UUID third = UUID.randomUUID();
            client.submit(TestClient.task(first, "mock", "a", 10_000, ",\"detached\":true"));
            client.submit(TestClient.task(second, "mock", "b", 5, ""));
            assertThat(client.post("/v1/tasks", TestClient.task(third, "mock", "c", 5, ""))
                            .body())
                    .contains("\"queue_position\":1");
            TestClient.Stream stream = reader.stream(third);
            stream.until(event -> event.data().startsWith("queued position=1 eta_ms="));
            client.post("/v1/tasks/" + second + "/cancel", "{}");
            stream.until(event -> event.data().startsWith("queued position=0 eta_ms="));
            client.post("/v1/tasks/" + first + "/cancel", "{}");
            Event end = stream.toEnd().last();
            assertThat(end.data()).contains("\"tokens_out\":");
            slow.awaitQuiet();
        }
    }
}
