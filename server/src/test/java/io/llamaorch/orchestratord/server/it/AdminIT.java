package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What operators ask of the daemon itself: specs/operations.md OPS-61, metrics-and-logs.md LOG-7 on. */
@NullUnmarked
class AdminIT {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String PROMPT = "PROMPTMARKER-77c2 secret words";
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @TempDir
    Path folder;

    private static JsonNode state(TestClient client) {
        TestClient.Answer answer = client.get("/v1/admin/state");
        assertThat(answer.status()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    @Test
    void shouldShowWhatGoesOnAndNoPrompts() {
        try (DaemonHarness daemon = Keys.daemon("tokens_per_s=200", 2, "event_loops=2", "pools.0.queue.capacity=64");
                TestClient ops = daemon.client().with("X-API-Key", Keys.OPS);
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN)) {
            List<UUID> ids =
                    IntStream.range(0, 30).mapToObj(i -> UUID.randomUUID()).toList();
            for (UUID id : ids) {
                assertThat(ann.post("/v1/tasks", TestClient.task(id, "mock", PROMPT, 5000, ",\"detached\":true"))
                                .status())
                        .isEqualTo(202);
            }
            daemon.await(() -> state(ops).at("/scheduler/tasks_live").asInt() == 30
                    && state(ops).at("/tasks/largest/1/transcript_bytes").asInt() > 0);
            String body = ops.get("/v1/admin/state").body();
            assertThat(body).doesNotContain("PROMPTMARKER", "KEYMARKER");
            JsonNode state = JSON.readTree(body);
            assertThat(state.get("loops").size()).isEqualTo(2);
            assertThat(state.at("/pools/0/leased").asInt()).isEqualTo(2);
            assertThat(state.at("/tasks/known").asInt()).isEqualTo(30);
            JsonNode oldest = state.at("/tasks/oldest");
            assertThat(oldest.size()).isEqualTo(20);
            for (int i = 0; i < 20; i++) {
                assertThat(oldest.get(i).get("task_id").asString())
                        .isEqualTo(ids.get(i).toString());
                assertThat(oldest.get(i).get("owner").asString()).isEqualTo("key:ann");
                assertThat(oldest.get(i).get("state").asString()).isEqualTo(i < 2 ? "running" : "queued");
            }
            JsonNode largest = state.at("/tasks/largest");
            assertThat(largest.size()).isEqualTo(20);
            int before = Integer.MAX_VALUE;
            for (JsonNode task : largest) {
                assertThat(task.get("transcript_bytes").asInt()).isBetween(0, before);
                before = task.get("transcript_bytes").asInt();
            }
            assertThat(state.at("/memory/heap_used_bytes").asLong()).isPositive();
            assertThat(ann.get("/v1/admin/state").status()).isEqualTo(403);
            for (UUID id : ids) {
                ann.post("/v1/tasks/" + id + "/cancel", "{}");
            }
            daemon.awaitQuiet();
            assertThat(state(ops).at("/tasks/oldest").size()).isZero();
        }
    }

    @Test
    void shouldWriteALineForEachRequestAndChangeTheLevelForAWhile() throws IOException {
        Path access = folder.resolve("access.log");
        UUID id = UUID.randomUUID();
        List<String> lines;
        try (DaemonProcess daemon = DaemonProcess.serve(
                        folder,
                        Keys.yaml(0, "tokens_per_s=0", 1),
                        "log.access.file=" + access,
                        "shutdown.lame_duck_ms=0");
                TestClient ops = daemon.client().with("X-API-Key", Keys.OPS);
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN)) {
            ann.with("X-Correlation-Id", "corr-of-task").with("traceparent", TRACE);
            ann.submit(TestClient.task(id, "mock", PROMPT, 50, ""));
            int streamed = ann.stream(id).toEnd().of("token").size();
            assertThat(streamed).isEqualTo(50);
            ann.with("X-Correlation-Id", "corr-of-refusal");
            assertThat(ann.get("/v1/admin/log-level").status()).isEqualTo(403);
            assertThat(new RawClient(daemon.port())
                            .malformed("GET /livez HTTP/1.1\r\n\r\n")
                            .get(0)
                            .status())
                    .isEqualTo(400);

            assertThat(ops.get("/v1/admin/log-level").body()).isEqualTo("{\"level\":\"info\",\"configured\":\"info\"}");
            TestClient.Answer changed = ops.post("/v1/admin/log-level", "{\"level\":\"debug\",\"for_ms\":60000}");
            assertThat(changed.status()).isEqualTo(200);
            assertThat(changed.body()).startsWith("{\"level\":\"debug\",\"configured\":\"info\",\"reverts_in_ms\":");
            ann.with("X-Correlation-Id", "corr-at-debug");
            ann.get("/v1/tasks/" + id);
            daemon.awaitLine(line -> line.contains("\"event\":\"request\"") && line.contains("corr-at-debug"));
            assertThat(ops.post("/v1/admin/log-level", "{\"level\":\"info\"}").body())
                    .isEqualTo("{\"level\":\"info\",\"configured\":\"info\"}");
            ann.with("X-Correlation-Id", "corr-after-debug");
            ann.get("/v1/tasks/" + id);
            assertThat(ops.get("/metrics").body()).contains("access_log_lost_total 0\n");
            daemon.signal("TERM");
            assertThat(daemon.exit()).isZero();
            lines = daemon.lines();
        }
        Schema schema = LogIT.schema();
        String log = String.join("\n", lines);
        assertThat(log).doesNotContain("PROMPTMARKER", "KEYMARKER");
        assertThat(log).contains("\"event\":\"log_level\"").doesNotContain("corr-after-debug");
        for (String line : lines) {
            if (!line.startsWith("SLF4J(W)")) {
                assertThat(schema.validate(JSON.readTree(line))).as(line).isEmpty();
            }
        }
        assertThat(lines.stream().filter(line -> line.contains(id.toString())))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).contains("\"traceparent\":\"" + TRACE + "\""));

        String text = Files.readString(access);
        assertThat(text).doesNotContain("PROMPTMARKER", "KEYMARKER", id.toString());
        List<JsonNode> requests = new ArrayList<>();
        for (String line : text.lines().toList()) {
            JsonNode node = JSON.readTree(line);
            assertThat(schema.validate(node)).as(line).isEmpty();
            assertThat(node.get("event").asString()).isEqualTo("access");
            assertThat(node.get("remote").asString()).isEqualTo("127.0.0.1");
            requests.add(node);
        }
        assertThat(requests)
                .extracting(AdminIT::request)
                .containsExactlyInAnyOrder(
                        "POST /v1/tasks 202 key:ann corr-of-task",
                        "GET /v1/tasks/{id}/stream 200 key:ann corr-of-task",
                        "GET /v1/admin/log-level 403 - corr-of-refusal",
                        "- unrouted 400 -",
                        "GET /v1/admin/log-level 200 key:ops",
                        "POST /v1/admin/log-level 200 key:ops",
                        "GET /v1/tasks/{id} 200 key:ann corr-at-debug",
                        "POST /v1/admin/log-level 200 key:ops",
                        "GET /v1/tasks/{id} 200 key:ann corr-after-debug",
                        "GET /metrics 200 -");
        JsonNode stream = requests.stream()
                .filter(node -> request(node).contains("/stream"))
                .findFirst()
                .orElseThrow();
        assertThat(stream.get("complete").asBoolean()).isTrue();
        assertThat(stream.get("bytes").asLong()).isGreaterThan(50L * "data: {\"t\":\"\",\"i\":0}\n\n".length());
        assertThat(stream.get("traceparent").asString()).isEqualTo(TRACE);
    }

    private static String request(JsonNode line) {
        String correlation = line.get("correlation_id").asString();
        return (line.has("method") ? line.get("method").asString() : "-") + " "
                + line.get("route").asString() + " " + line.get("status").asInt() + " "
                + (line.has("identity") ? line.get("identity").asString() : "-")
                + (correlation.startsWith("corr-") ? " " + correlation : "");
    }
}
