package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.llamaworker.testing.TinyGguf;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real engine, llama.cpp in the llama-worker, that the daemon starts: what a test with doubles may have got wrong. */
@NullUnmarked
final class LlamaWorkerPoolIT {
    @TempDir
    static Path models;

    @TempDir
    Path folder;

    private static String one;
    private static String two;
    private DaemonHarness daemon;

    @BeforeAll
    static void writeModels() throws IOException {
        TinyGguf.write(models.resolve("one.gguf"), 1, 8192);
        TinyGguf.write(models.resolve("two.gguf"), 2, 8192);
        one = "file:" + models.resolve("one.gguf");
        two = "file:" + models.resolve("two.gguf");
    }

    @AfterEach
    void stopDaemon() {
        daemon.awaitQuiet();
        daemon.close();
        assertThat(engines(one)).isEmpty();
        assertThat(engines(two)).isEmpty();
        LeakRecorder.assertNone();
    }

    private List<Long> engines(String model) {
        return ProcessPool.engines(folder, model.substring("file:".length()));
    }

    private void start(String mode, int slots) {
        List<String> command = List.of(
                ProcessPool.java(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "io.llamaorch.orchestratord.llamaworker.Main",
                "--threads",
                "1",
                "--model",
                "{model}",
                "--port",
                "{port}",
                "--ctx",
                "{ctx}",
                "--slots",
                "{slots}");
        String more =
                """
                health: {period_ms: 100}
                process: {restart_base_ms: 50, restart_cap_ms: 200}
                reload: {mode: %s, drain_ms: 5000}
                env: {TEST_FOLDER: '%s'}
                """
                        .formatted(mode, folder);
        daemon = DaemonHarness.start(
                ProcessPool.yaml(folder, command, 1, one, more), loop -> loop, "pools.0.replicas.0.slots=" + slots);
    }

    private static String text(TestClient client, String model, long seed) {
        UUID id = UUID.randomUUID();
        client.submit(ProcessPool.task(id, model, "Once upon a time", seed, 40, ",\"determinism\":\"strict\""));
        TestClient.Stream stream = client.stream(id).toEnd();
        assertThat(stream.last().event()).as(stream.last().data()).isEqualTo("end");
        assertThat(stream.of("token")).hasSize(40);
        return stream.text();
    }

    /** What the worker says of its slots. */
    private String slots() {
        URI url = URI.create("http://127.0.0.1:" + ProcessPool.enginePort(daemon, 0) + "/slots");
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private TestClient.Stream running(TestClient client, String model) {
        UUID id = UUID.randomUUID();
        client.submit(ProcessPool.task(id, model, "Once", 1, 4_000, ",\"detached\":true"));
        return client.stream(id).until(event -> event.event().equals("token"));
    }

    @Test
    void shouldDecodeTheSameBytesForTheSameSeedAlsoAfterItDied() {
        start("stop_start", 1);
        try (TestClient client = daemon.client()) {
            String first = text(client, one, 7);
            assertThat(text(client, one, 7)).isEqualTo(first);
            assertThat(text(client, one, 8)).isNotEqualTo(first);
            ProcessPool.signal("KILL", engines(one).get(0));
            daemon.await(() -> ProcessPool.view(daemon, 0).restarts() == 1 && ProcessPool.isReady(daemon, 0));
            assertThat(text(client, one, 7)).isEqualTo(first);
        }
    }

    @Test
    void shouldFreeTheSlotOfWhatIsCanceledAndOfWhatADrainEnds() {
        start("stop_start", 2);
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(ProcessPool.task(id, one, "Once", 1, 4_000, ""));
            TestClient.Stream stream =
                    client.stream(id).until(event -> event.event().equals("token"));
            assertThat(control.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(204);
            stream.toEnd();
            assertThat(stream.last().data()).contains("\"canceled\":true");
            daemon.await(() -> !slots().contains("\"is_processing\":true"));

            TestClient.Stream drained = running(client, one);
            assertThat(control.post("/v1/pools/default/drain", "{\"deadline_ms\":1}")
                            .status())
                    .isEqualTo(202);
            drained.toEnd();
            daemon.await(() -> !slots().contains("\"is_processing\":true"));
            assertThat(control.post("/v1/pools/default/undrain", "").status()).isEqualTo(202);
            daemon.await(() -> !control.get("/v1/pools/default/health").body().contains("\"draining\":true"));
            text(control, one, 7);
        }
    }

    @Test
    void shouldServeAnotherFileAfterAReload() {
        for (String mode : List.of("stop_start", "blue_green")) {
            if (daemon != null) {
                stopDaemon();
            }
            start(mode, 1);
            try (TestClient client = daemon.client()) {
                String old = text(client, one, 7);
                TestClient.Answer missing = client.post(
                        "/v1/pools/default/reload",
                        "{\"new_model_ref\":\"" + one + ".missing\",\"deadline_ms\":60000}");
                assertThat(missing.status()).isEqualTo(409);
                String after = mode.equals("stop_start") ? "on its way back" : "serves on";
                assertThat(missing.body()).contains("its model is missing", "model_missing", after);
                daemon.await(() -> isBack(client));
                assertThat(text(client, one, 7)).isEqualTo(old);

                TestClient.Answer reload = client.post(
                        "/v1/pools/default/reload", "{\"new_model_ref\":\"" + two + "\",\"deadline_ms\":60000}");
                assertThat(reload.status()).as(reload.body()).isEqualTo(202);
                assertThat(reload.body()).contains("\"mode\":\"" + mode + "\"");
                assertThat(text(client, two, 7)).isNotEqualTo(old);
                daemon.await(() -> engines(one).isEmpty());
            }
        }
    }

    private static boolean isBack(TestClient client) {
        String health = client.get("/v1/pools/default/health").body();
        return health.contains("\"ready\":true") && !health.contains("\"returning\"");
    }
}
