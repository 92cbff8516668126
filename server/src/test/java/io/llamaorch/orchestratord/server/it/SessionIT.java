package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Sessions as clients see them: made by a task, shown, limited in turns, their own key's alone, and ended with their tasks. */
@Tag("sessions")
@NullUnmarked
class SessionIT {
    private static final String FAST = "tokens_per_s=0";
    private static final String SLOW = "tokens_per_s=50";

    @AfterAll
    static void stop() {
        LeakRecorder.assertNone();
    }

    private static String task(UUID id, UUID session, int tokens) {
        return TestClient.task(id, "mock", "hello", tokens, ",\"detached\":true")
                .replaceAll("\"session_id\":\"[^\"]*", "\"session_id\":\"" + session);
    }

    private static UUID run(TestClient client, UUID session) {
        UUID id = UUID.randomUUID();
        client.submit(task(id, session, 3));
        client.stream(id).toEnd();
        return id;
    }

    @Test
    void shouldShowASessionFromItsFirstTaskOnAndForgetItOnDelete() {
        try (DaemonHarness daemon = DaemonHarness.mock(FAST, 2);
                TestClient client = daemon.client()) {
            UUID session = UUID.randomUUID();
            String path = "/v1/sessions/" + session;
            assertThat(client.get(path).status()).isEqualTo(404);
            run(client, session);
            run(client, session);
            daemon.awaitQuiet();

            Answer shown = client.get(path.toUpperCase(Locale.ROOT).replace("/V1/SESSIONS", "/v1/sessions"));
            assertThat(shown.status()).isEqualTo(200);
            assertThat(shown.body())
                    .contains(
                            "\"session_id\":\"" + session + "\"",
                            "\"turns\":2",
                            "\"open_tasks\":0",
                            "\"kv_warmth\":true")
                    .doesNotContain("budget");

            assertThat(client.exchange("DELETE", path, null).status()).isEqualTo(204);
            assertThat(client.get(path).status()).isEqualTo(404);
            assertThat(client.exchange("DELETE", path, null).status()).isEqualTo(404);
            UUID cold = UUID.randomUUID();
            client.submit(task(cold, session, 3));
            assertThat(client.stream(cold).toEnd().of("started").get(0).data()).contains("\"kv_warmth\":false");
            assertThat(client.get(path).body()).contains("\"turns\":1");
        }
    }

    @Test
    void shouldComeBackWarmToTheReplicaThatHoldsThePrefix() {
        String yaml =
                """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 4096
                    replicas: [{id: r0, url: "mock:", slots: 2}, {id: r1, url: "mock:", slots: 2}]
                """
                        .formatted(DaemonHarness.MODEL);
        try (DaemonHarness daemon = DaemonHarness.start(yaml, loop -> loop);
                TestClient client = daemon.client()) {
            daemon.await(() ->
                    daemon.daemon().tasks().ring().snapshot().pools().get(0).slots() == 4);
            UUID session = UUID.randomUUID();
            UUID first = UUID.randomUUID();
            client.submit(task(first, session, 3));
            String started = client.stream(first).toEnd().of("started").get(0).data();
            assertThat(started).contains("\"kv_warmth\":false");
            String replica = started.replaceAll(".*\"replica_id\":\"([^\"]*).*", "$1");
            for (int i = 0; i < 3; i++) {
                daemon.awaitQuiet();
                UUID next = UUID.randomUUID();
                client.submit(task(next, session, 3));
                assertThat(client.stream(next).toEnd().of("started").get(0).data())
                        .contains("\"kv_warmth\":true", "\"replica_id\":\"" + replica + "\"");
            }
        }
    }

    @Test
    void shouldRefuseTheTurnTooMany() {
        try (DaemonHarness daemon = DaemonHarness.mock(FAST, 2);
                TestClient client = daemon.client()) {
            UUID session = UUID.randomUUID();
            UUID last = null;
            for (int i = 0; i < 8; i++) {
                last = run(client, session);
            }
            Answer refused = client.post("/v1/tasks", task(UUID.randomUUID(), session, 3));
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.body())
                    .contains("\"code\":\"ADMISSION_REJECT\"", "\"policy_label\":\"session_turns\"", "8 turns of 8");
            assertThat(Long.parseLong(refused.header("Retry-After"))).isBetween(1L, 600L);
            assertThat(client.get("/metrics").body()).contains("limit_refusals_total{policy=\"session_turns\"} 1");
            assertThat(client.post("/v1/tasks", task(last, session, 3)).header("Idempotent-Replay"))
                    .isEqualTo("true");
            run(client, UUID.randomUUID());
        }
    }

    @Test
    void shouldCancelWhatRunsAndWhatWaitsOnDelete() {
        try (DaemonHarness daemon = DaemonHarness.mock(SLOW, 1, "event_loops=3");
                TestClient client = daemon.client();
                TestClient other = daemon.client();
                TestClient reader = daemon.client()) {
            UUID session = UUID.randomUUID();
            UUID running = UUID.randomUUID();
            client.submit(task(running, session, 100_000));
            List<UUID> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                UUID id = UUID.randomUUID();
                (i == 1 ? other : client).submit(task(id, session, 100_000));
                waiting.add(id);
            }
            UUID bystander = UUID.randomUUID();
            client.submit(task(bystander, UUID.randomUUID(), 3));
            TestClient.Stream stream =
                    reader.stream(running).until(event -> event.event().equals("token"));

            assertThat(other.exchange("DELETE", "/v1/sessions/" + session, null).status())
                    .isEqualTo(204);
            for (UUID id : waiting) {
                assertThat(client.get("/v1/tasks/" + id).body()).contains("\"state\":\"canceled\"");
            }
            assertThat(client.get("/v1/tasks/" + running).body()).contains("\"state\":\"canceled\"");
            stream.toEnd();
            assertThat(stream.last().data()).contains("\"canceled\":true");
            assertThat(client.stream(bystander).toEnd().last().event()).isEqualTo("end");
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldKeepSessionsOfOtherKeysOutOfSight() {
        try (DaemonHarness daemon = Keys.daemon(SLOW, 2);
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN);
                TestClient bob = daemon.client().with("X-API-Key", Keys.BOB);
                TestClient ops = daemon.client().with("X-API-Key", Keys.OPS)) {
            UUID session = UUID.randomUUID();
            String path = "/v1/sessions/" + session;
            UUID anns = UUID.randomUUID();
            ann.submit(task(anns, session, 100_000));
            assertThat(bob.get(path).status()).isEqualTo(404);
            assertThat(bob.exchange("DELETE", path, null).status()).isEqualTo(404);

            UUID bobs = UUID.randomUUID();
            bob.submit(task(bobs, session, 100_000));
            assertThat(bob.get(path).body()).contains("\"turns\":1");
            assertThat(bob.exchange("DELETE", path, null).status()).isEqualTo(204);
            assertThat(bob.get("/v1/tasks/" + bobs).body()).contains("\"state\":\"canceled\"");
            assertThat(ann.get("/v1/tasks/" + anns).body()).contains("\"state\":\"running\"");
            assertThat(ops.get(path).body()).contains("\"turns\":1", "\"open_tasks\":1");
            assertThat(ops.exchange("DELETE", path, null).status()).isEqualTo(204);
            assertThat(ann.get("/v1/tasks/" + anns).body()).contains("\"state\":\"canceled\"");
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldForgetASessionWhenItsTimeIsOver() {
        try (DaemonHarness daemon = DaemonHarness.mock(FAST, 2, "sessions.ttl_ms=1000");
                TestClient client = daemon.client()) {
            UUID session = UUID.randomUUID();
            run(client, session);
            daemon.await(() -> client.get("/v1/sessions/" + session).status() == 404);
            daemon.await(() -> client.get("/metrics").body().contains("sessions_dropped_total{reason=\"expired\"} 1"));
        }
    }
}
