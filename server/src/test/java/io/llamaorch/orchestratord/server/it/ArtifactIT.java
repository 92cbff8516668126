package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Artifacts over real sockets: whose they are, ranges, restarts, full and damaged disks beside running tasks. */
@NullUnmarked
class ArtifactIT {
    @TempDir
    private Path temp;

    private static String put(TestClient client, String body) {
        Answer answer = client.post("/v1/artifacts", body);
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
        return answer.header("location");
    }

    private static TestClient text(DaemonHarness daemon) {
        return daemon.client().with("Content-Type", "text/plain");
    }

    @Test
    void shouldBelongToTheKeyThatStoredThem() {
        try (DaemonHarness daemon = Keys.daemon("tokens_per_s=0", 1);
                TestClient ann = text(daemon).with("X-API-Key", Keys.ANN);
                TestClient bob = text(daemon).with("X-API-Key", Keys.BOB);
                TestClient ops = text(daemon).with("X-API-Key", Keys.OPS)) {
            String path = put(ann, "ann's");
            assertThat(bob.get(path).status()).isEqualTo(404);
            assertThat(bob.exchange("HEAD", path, null).status()).isEqualTo(404);
            assertThat(ops.get(path).body()).isEqualTo("ann's");
            bob.with("X-Artifact-Parent", path.substring("/v1/artifacts/".length()));
            assertThat(bob.post("/v1/artifacts", "child").status()).isEqualTo(400);
            Answer same = daemon.client()
                    .with("Content-Type", "text/plain")
                    .with("X-API-Key", Keys.BOB)
                    .post("/v1/artifacts", "ann's");
            assertThat(same.status()).isEqualTo(201);
            assertThat(same.header("idempotent-replay")).isEmpty();
            assertThat(bob.get(path).body()).isEqualTo("ann's");
        }
    }

    @Test
    void shouldServeRangesAndDescribeWhatWasSent() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1);
                TestClient sender =
                        text(daemon).with("X-Artifact-Kind", "trace").with("X-Artifact-Tags", "a, b:c")) {
            String path = put(sender, "0123456789");
            Answer whole = sender.get(path);
            assertThat(whole.header("x-artifact-kind")).isEqualTo("trace");
            assertThat(whole.header("x-artifact-tags")).isEqualTo("a,b:c");
            assertThat(whole.header("content-type")).isEqualTo("text/plain");
            assertThat(whole.header("x-content-type-options")).isEqualTo("nosniff");
            String[][] cases = {
                {"bytes=2-4", "206", "234"},
                {"bytes=7-", "206", "789"},
                {"bytes=-3", "206", "789"},
                {"bytes=-99", "206", "0123456789"},
                {"bytes=0-99", "206", "0123456789"},
                {"bytes=4-2", "200", "0123456789"},
                {"bytes=1-2,4-5", "200", "0123456789"},
                {"lines=1-2", "200", "0123456789"},
                {"bytes=-", "200", "0123456789"},
            };
            for (String[] one : cases) {
                try (TestClient reader = daemon.client().with("Range", one[0])) {
                    Answer part = reader.get(path);
                    assertThat(part.status()).as(one[0]).isEqualTo(Integer.parseInt(one[1]));
                    assertThat(part.body()).as(one[0]).isEqualTo(one[2]);
                }
            }
            for (String range : new String[] {"bytes=10-", "bytes=-0"}) {
                try (TestClient reader = daemon.client().with("Range", range)) {
                    Answer none = reader.get(path);
                    assertThat(none.status()).as(range).isEqualTo(416);
                    assertThat(none.header("content-range")).isEqualTo("bytes */10");
                }
            }
            try (TestClient stale = daemon.client().with("Range", "bytes=1-2").with("If-Range", "\"other\"")) {
                assertThat(stale.get(path).status()).isEqualTo(200);
            }
            try (TestClient knows = daemon.client().with("If-None-Match", "\"x\", W/" + whole.header("etag"))) {
                assertThat(knows.get(path).status()).isEqualTo(304);
            }
        }
    }

    @Test
    void shouldKeepThemOverARestartAndTakeNewerFoldersFromNobody() throws IOException {
        String state = "state_dir=" + temp.resolve("state");
        String path;
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1, state);
                TestClient client = text(daemon)) {
            path = put(client, "durable");
            assertThatThrownBy(
                            () -> DaemonHarness.mock("tokens_per_s=0", 1, state).close())
                    .hasStackTraceContaining("in use");
        }
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1, state);
                TestClient client = text(daemon)) {
            assertThat(client.get(path).body()).isEqualTo("durable");
        }
        Files.writeString(temp.resolve("state/artifacts/FORMAT"), "7\n");
        assertThatThrownBy(() -> DaemonHarness.mock("tokens_per_s=0", 1, state).close())
                .hasStackTraceContaining("format 7");
        assertThat(temp.resolve("state/artifacts/FORMAT")).hasContent("7");
    }

    @Test
    void shouldGoOnWithTasksWhereTheStoreIsFullOrDamaged() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        "tokens_per_s=0", 1, "state_dir=" + temp.resolve("state"), "artifacts.max_bytes=100");
                TestClient client = text(daemon);
                TestClient tasks = daemon.client()) {
            String path = put(client, "x".repeat(100));
            Answer full = client.post("/v1/artifacts", "y");
            assertThat(full.status()).isEqualTo(507);
            assertThat(full.body()).contains("STORAGE_FULL", "\"policy_label\":\"max_bytes\"");
            assertThat(client.get(path).status()).isEqualTo(200);
            String hex = path.substring(path.indexOf(':') + 1);
            Files.writeString(
                    temp.resolve("state/artifacts/blobs")
                            .resolve(hex.substring(0, 2))
                            .resolve(hex),
                    "z".repeat(100));
            Answer damaged = client.get(path);
            assertThat(damaged.status()).isEqualTo(404);
            assertThat(damaged.body()).contains("damaged");
            assertThat(client.exchange("HEAD", path, null).status()).isEqualTo(404);
            UUID id = UUID.randomUUID();
            tasks.submit(TestClient.task(id, "mock", "go on", 3, ""));
            assertThat(tasks.stream(id).toEnd().last().event()).isEqualTo("end");
            assertThat(tasks.get("/metrics").body()).contains("\nartifact_corrupt_total 1", "reason=\"max_bytes\"");
            assertThat(put(client, "x".repeat(100))).isEqualTo(path);
            assertThat(client.get(path).status()).isEqualTo(200);
        }
    }

    @Test
    void shouldAnswerAHalfClosedClientWithAllBytes() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1);
                TestClient client = text(daemon)) {
            String path = put(client, "h".repeat(900_000));
            client.send("GET", path, null);
            client.connected().shutdownOutput();
            assertThat(client.readAnswer().bytes()).hasSize(900_000);
        } catch (UncheckedIOException e) {
            throw new AssertionError("a half-closed client got no whole answer", e);
        }
    }
}
