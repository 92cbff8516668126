package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.EngineDoubleProcess;
import java.io.IOException;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each engine behind the whole daemon: a stream, a cancel, vectors and scores, and what the daemon says of it. */
@NullUnmarked
final class EnginesIT {
    @AfterAll
    static void leaks() {
        LeakRecorder.assertNone();
    }

    private static DaemonHarness daemon(String engine, EngineDoubleProcess wire) {
        return DaemonHarness.start(
                """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: %s
                    engine_model: m
                    model: %s
                    ctx: 4096
                    replicas: [{id: r0, url: "%s", slots: 2}]
                """
                        .formatted(engine, DaemonHarness.MODEL, wire.url()),
                loop -> loop);
    }

    private static String task(UUID id, String engine, String workload, String content, int tokens) {
        return TestClient.task(id, engine, "", tokens, "")
                .replace("\"workload\":\"completion\"", "\"workload\":\"" + workload + "\"")
                .replace("\"prompt\":\"\"", content);
    }

    @ParameterizedTest
    @CsvSource({"llamacpp,llamacpp", "vllm,vllm", "tgi,tgi", "triton,triton", "openai,sglang", "openai,ollama"})
    void shouldStreamAndCancelOnEachEngine(String engine, String dialect) throws IOException {
        try (EngineDoubleProcess wire = EngineDoubleProcess.start("--engine=" + dialect, "--slots=2", "--models=m");
                DaemonHarness daemon = daemon(engine, wire);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(task(id, engine, "completion", "\"prompt\":\"hello there\"", 12));
            TestClient.Stream stream = client.stream(id).toEnd();
            assertThat(stream.of("started").get(0).data()).contains("\"engine\":\"" + engine + "\"");
            assertThat(stream.of("token")).hasSize(12);
            assertThat(stream.last().data()).contains("\"finish_reason\":\"length\"", "\"tokens_out\":12");

            UUID long1 = UUID.randomUUID();
            client.submit(task(long1, engine, "completion", "\"prompt\":\"go on [[pace=5]]\"", 3000));
            TestClient.Stream running =
                    client.stream(long1).until(event -> event.event().equals("token"));
            try (TestClient other = daemon.client()) {
                assertThat(other.post("/v1/tasks/" + long1 + "/cancel", "").status())
                        .isEqualTo(204);
            }
            assertThat(running.toEnd().last().data()).contains("\"canceled\":true");
            daemon.awaitQuiet();
            daemon.await(() -> EngineDouble.idle(wire.port()));
            String capabilities = client.get("/v1/capabilities").body();
            assertThat(capabilities).contains("\"engine\":\"" + engine + "\"", "\"determinism_note\":\"");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llamacpp", "vllm"})
    void shouldGiveVectorsAndScoresInTheEndEvent(String engine) throws IOException {
        try (EngineDoubleProcess wire = EngineDoubleProcess.start("--engine=" + engine, "--slots=2", "--models=m");
                DaemonHarness daemon = daemon(engine, wire);
                TestClient client = daemon.client()) {
            UUID embed = UUID.randomUUID();
            client.submit(task(embed, engine, "embedding", "\"inputs\":[\"a\",\"b\",\"c\"]", 1));
            TestClient.Stream vectors = client.stream(embed).toEnd();
            assertThat(vectors.of("token")).isEmpty();
            assertThat(vectors.last().data())
                    .containsPattern("\"embeddings\":\\[\\[[-0-9.E,]+\\],\\[.*\\],\\[.*\\]\\]");
            TestClient.Stream again = client.stream(embed).toEnd();
            assertThat(again.log()).isEqualTo(vectors.log());

            UUID rank = UUID.randomUUID();
            client.submit(task(rank, engine, "rerank", "\"inputs\":[\"query\",\"one\",\"two\"]", 1));
            assertThat(client.stream(rank).toEnd().last().data())
                    .containsPattern("\"scores\":\\[[-0-9.E]+,[-0-9.E]+\\]");
            UUID refused = UUID.randomUUID();
            assertThat(client.post("/v1/tasks", task(refused, engine, "rerank", "\"inputs\":[\"query\"]", 1))
                            .status())
                    .isEqualTo(400);
            daemon.awaitQuiet();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tgi", "triton"})
    void shouldRefuseWorkloadsThatAnEngineHasNot(String engine) throws IOException {
        try (EngineDoubleProcess wire = EngineDoubleProcess.start("--engine=" + engine, "--slots=2", "--models=m");
                DaemonHarness daemon = daemon(engine, wire);
                TestClient client = daemon.client()) {
            TestClient.Answer answer =
                    client.post("/v1/tasks", task(UUID.randomUUID(), engine, "embedding", "\"inputs\":[\"a\"]", 1));
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.body()).contains("INVALID_PARAMS", "/workload");
        }
    }
}
