package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the daemon's process writes to standard error: specs/metrics-and-logs.md. */
@NullUnmarked
class LogIT {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String PROMPT = "PROMPTMARKER-5d1e secret words";

    @TempDir
    Path folder;

    static Schema schema() throws IOException {
        try (InputStream in = LogIT.class.getResourceAsStream("/schemas/log-line.schema.json")) {
            return SchemaRegistry.withDefaultDialect(
                            SpecificationVersion.DRAFT_2020_12,
                            builder -> builder.schemaRegistryConfig(SchemaRegistryConfig.builder()
                                    .formatAssertionsEnabled(true)
                                    .build()))
                    .getSchema(JSON.readTree(in));
        }
    }

    @Test
    void shouldWriteValidLinesWithTheEventsOfEveryTaskAndNoSecrets() throws IOException {
        UUID done = UUID.randomUUID();
        UUID running = UUID.randomUUID();
        UUID queued = UUID.randomUUID();
        UUID evicted = UUID.randomUUID();
        List<String> outputs = new ArrayList<>();
        List<String> lines;
        try (DaemonProcess daemon = DaemonProcess.serve(
                        folder,
                        Keys.yaml(0, "tokens_per_s=30", 1),
                        "pools.0.queue.capacity=2",
                        "pools.0.queue.full_policy=drop-lru",
                        "shutdown.lame_duck_ms=0");
                TestClient client = daemon.client().with("X-API-Key", Keys.ANN)) {
            client.with("X-Correlation-Id", "corr-of-done");
            client.submit(TestClient.task(done, "mock", PROMPT, 3, ""));
            client.stream(done).toEnd();
            client.with("X-Correlation-Id", "corr-of-others");
            client.submit(TestClient.task(running, "mock", PROMPT, 900, ",\"detached\":true"));
            String batch = TestClient.task(evicted, "mock", PROMPT, 3, "").replace("interactive", "batch");
            client.submit(batch);
            client.submit(TestClient.task(queued, "mock", PROMPT, 3, ""));
            // batch queue: two more push the first one out
            client.submit(
                    TestClient.task(UUID.randomUUID(), "mock", PROMPT, 3, "").replace("interactive", "batch"));
            client.submit(
                    TestClient.task(UUID.randomUUID(), "mock", PROMPT, 3, "").replace("interactive", "batch"));
            outputs.add(client.post("/v1/tasks", "{\"" + PROMPT + "\":\"" + PROMPT + "\"}")
                    .body());
            outputs.add(client.post("/v1/tasks", TestClient.task(done, "mock", PROMPT + PROMPT, 3, ""))
                    .body());
            outputs.add(client.post(
                            "/v1/tasks",
                            TestClient.task(UUID.randomUUID(), "mock", PROMPT, 3, "")
                                    .replace("\"prompt\":", "\"prompt\":[], \"x\":"))
                    .body());
            assertThat(client.stream(evicted).toEnd().last().data()).contains("QUEUE_FULL_DROP_LRU");
            client.post("/v1/tasks/" + queued + "/cancel", "{}");
            client.post("/v1/tasks/" + running + "/cancel", "{}");
            try (TestClient stranger = daemon.client()) {
                outputs.add(stranger.with("X-API-Key", "stranger-KEYMARKER")
                        .get("/v1/pools")
                        .body());
                outputs.add(stranger.with("Authorization", "Bearer " + Keys.BOB)
                        .get("/v1/pools")
                        .body());
            }
            outputs.add(client.get("/metrics").body());
            outputs.add(client.get("/v1/capabilities").body());
            outputs.add(client.get("/v1/tasks/" + done).body());
            daemon.signal("TERM");
            assertThat(daemon.exit()).isZero();
            lines = daemon.lines();
        }
        assertThat(String.join("\n", lines)).doesNotContain("PROMPTMARKER", "KEYMARKER");
        assertThat(String.join("\n", outputs)).doesNotContain("KEYMARKER");
        for (String output : outputs.subList(1, outputs.size())) {
            assertThat(output).doesNotContain("PROMPTMARKER"); // the first names the client's unknown member
        }

        Schema schema = schema();
        Map<String, Map<String, JsonNode>> byTask = new TreeMap<>();
        List<String> events = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("SLF4J(W)")) {
                continue; // a test's library on the class path
            }
            JsonNode node = JSON.readTree(line);
            assertThat(schema.validate(node)).as(line).isEmpty();
            String event = node.get("event").asString();
            String human = node.get("human").asString();
            events.add(event);
            for (UUID id : List.of(done, running, queued, evicted)) {
                assertThat(human).doesNotContain(id.toString(), "corr-of");
            }
            if (node.has("job_id")) {
                byTask.computeIfAbsent(node.get("job_id").asString(), key -> new TreeMap<>())
                        .put(event, node);
            }
        }
        assertThat(events)
                .startsWith("daemon_starting")
                .contains("config_warning", "daemon_listening", "pool_transition", "reject", "daemon_draining")
                .endsWith("daemon_stopped");
        assertThat(byTask.get(done.toString()).keySet())
                .contains("admission", "placement", "stream_start", "stream_end");
        assertThat(byTask.get(running.toString()).keySet()).contains("admission", "placement", "cancel");
        assertThat(byTask.get(queued.toString()).keySet()).containsExactlyInAnyOrder("admission", "cancel");
        assertThat(byTask.get(evicted.toString()).keySet()).containsExactlyInAnyOrder("admission", "evict");
        for (JsonNode node : byTask.get(done.toString()).values()) {
            if (!node.get("event").asString().equals("reject")) {
                assertThat(node.get("correlation_id").asString()).isEqualTo("corr-of-done");
                assertThat(node.get("identity").asString()).isEqualTo("key:ann");
                assertThat(node.propertyNames()).contains("session_id", "engine", "pool_id");
            }
        }
        assertThat(byTask.get(done.toString()).get("admission").propertyNames())
                .contains("queue_position", "predicted_start_ms");
        assertThat(byTask.get(done.toString()).get("placement").propertyNames())
                .contains("replica_id", "engine_version", "queue_time_ms", "decision_by", "decision_candidates");
        assertThat(byTask.get(done.toString()).get("stream_end").propertyNames())
                .contains(
                        "replica_id",
                        "engine_version",
                        "queue_time_ms",
                        "first_token_ms",
                        "tokens_in",
                        "tokens_out",
                        "decode_time_ms",
                        "kv_warmth",
                        "finish_reason");
    }
}
