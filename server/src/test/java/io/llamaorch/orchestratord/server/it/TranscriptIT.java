package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stream has the same bytes live, from memory and from the disk, whole and resumed. */
@Tag("streams")
@NullUnmarked
class TranscriptIT {
    private static final String NOTHING_IN_MEMORY = "streams.retained_tasks=0";

    @TempDir
    Path folder;

    @AfterAll
    static void stop() {
        LeakRecorder.assertNone();
    }

    private static String task(UUID id, int tokens) {
        return TestClient.task(id, "mock", "a \\u20ac prompt", tokens, ",\"detached\":true,\"seed\":7");
    }

    /** The task's state once it says where its transcript is. */
    private static TestClient.Answer archived(DaemonHarness daemon, UUID id) {
        try (TestClient client = daemon.client()) {
            daemon.await(() -> client.get("/v1/tasks/" + id).body().contains("\"transcript\":\"sha256:"));
            return client.get("/v1/tasks/" + id);
        }
    }

    private static boolean isInMemory(DaemonHarness daemon) {
        return daemon.daemon().tasks().loops().all().stream()
                        .mapToInt(loop -> loop.streams().retainedTasks())
                        .sum()
                > 0;
    }

    private static String transcriptOf(TestClient.Answer state) {
        String body = state.body();
        int at = body.indexOf("sha256:");
        return body.substring(at, at + 71);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static String resumed(DaemonHarness daemon, UUID id, long after) {
        try (TestClient client = daemon.client().with("Last-Event-ID", Long.toString(after))) {
            TestClient.Stream stream = client.stream(id).toEnd();
            assertThat(stream.complete()).isTrue();
            return stream.log();
        }
    }

    private static String without(String log, long events) {
        int at = 0;
        for (long i = 0; i < events; i++) {
            at = log.indexOf("\n\n", at) + 2;
        }
        return log.substring(at);
    }

    private static void replaysAt(DaemonHarness daemon, UUID id, String live) {
        long last = live.split("\n\n").length;
        for (long after = 0; after <= last; after++) {
            assertThat(resumed(daemon, id, after)).as("after %d", after).isEqualTo(without(live, after));
        }
        try (TestClient client = daemon.client().with("Last-Event-ID", Long.toString(last + 1))) {
            assertThat(client.get("/v1/tasks/" + id + "/stream").status()).isEqualTo(400);
        }
    }

    @Test
    void shouldReplayEveryByteFromMemoryAndFromTheDiskAtEachEvent() {
        for (String memory : List.of("streams.retained_tasks=100", NOTHING_IN_MEMORY)) {
            try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 2, "event_loops=2", memory);
                    TestClient client = daemon.client()) {
                UUID id = UUID.randomUUID();
                client.submit(task(id, 40));
                String live = client.stream(id).toEnd().log();
                archived(daemon, id);
                daemon.await(() -> isInMemory(daemon) != memory.equals(NOTHING_IN_MEMORY));
                replaysAt(daemon, id, live);
            }
        }
    }

    @Test
    void shouldAnswerForATaskOnDiskAsForOneInMemory() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 2, "event_loops=2", NOTHING_IN_MEMORY);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            String request = task(id, 5);
            client.submit(request);
            client.stream(id).toEnd();
            TestClient.Answer state = archived(daemon, id);
            assertThat(state.body()).contains("\"state\":\"completed\"", "\"tokens_out\":5", "\"last_event_id\":8");
            assertThat(client.exchange("HEAD", "/v1/tasks/" + id, null).header("content-length"))
                    .isEqualTo(Integer.toString(state.bytes().length));
            TestClient.Answer again = client.post("/v1/tasks", request);
            assertThat(again.status()).isEqualTo(202);
            assertThat(again.header("idempotent-replay")).isEqualTo("true");
            assertThat(again.body()).contains("\"pool_id\":\"default\"", "\"queue_position\":0");
            assertThat(client.post("/v1/tasks", task(id, 6)).status()).isEqualTo(409);
            assertThat(client.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(204);
            assertThat(client.exchange("HEAD", "/v1/tasks/" + id + "/stream", null)
                            .status())
                    .isEqualTo(200);
            assertThat(client.get("/v1/tasks/" + UUID.randomUUID()).status()).isEqualTo(404);
        }
    }

    @Test
    void shouldServeTheTranscriptAsAnArtifact() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 2, NOTHING_IN_MEMORY);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(task(id, 2_000));
            String live = client.stream(id).toEnd().log();
            String transcript = transcriptOf(archived(daemon, id));
            String path = "/v1/artifacts/" + transcript;
            TestClient.Answer whole = client.get(path);
            assertThat(whole.status()).isEqualTo(200);
            assertThat(whole.header("content-type")).isEqualTo("text/event-stream");
            assertThat(whole.header("x-artifact-kind")).isEqualTo("transcript");
            assertThat("sha256:" + sha256(whole.bytes())).isEqualTo(transcript);
            String text = whole.body();
            int end = text.indexOf("\n\n");
            assertThat(text.substring(end + 2)).isEqualTo(live);
            String head = text.substring(0, end);
            assertThat(head).startsWith(": {\"format\":1,").doesNotContain("\n", "a € prompt");
            assertThat(head)
                    .contains(
                            "\"prompt_sha256\":\"" + sha256("a € prompt".getBytes(StandardCharsets.UTF_8)) + '"',
                            "\"seed\":7",
                            "\"outcome\":\"completed\"",
                            "\"task_id\":\"" + id + '"',
                            "\"replica_id\":\"r0\"",
                            "\"max_tokens\":2000");
            assertThat(client.exchange("HEAD", path, null).header("content-length"))
                    .isEqualTo(Integer.toString(whole.bytes().length));
            try (TestClient part = daemon.client().with("Range", "bytes=17000-50000")) {
                TestClient.Answer answer = part.get(path);
                assertThat(answer.status()).isEqualTo(206);
                assertThat(answer.bytes()).isEqualTo(Arrays.copyOfRange(whole.bytes(), 17_000, 50_001));
            }
            try (TestClient known = daemon.client().with("If-None-Match", '"' + transcript + '"')) {
                assertThat(known.get(path).status()).isEqualTo(304);
            }
        }
    }

    @Test
    void shouldKeepWhatWasNeverStartedCanceledOrFailedAndPromptsWhereToldTo() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        "tokens_per_s=20",
                        1,
                        "event_loops=2",
                        NOTHING_IN_MEMORY,
                        "transcripts.prompts=true",
                        "pools.0.queue.capacity=1",
                        "pools.0.queue.full_policy=drop-lru");
                TestClient client = daemon.client()) {
            UUID running = UUID.randomUUID();
            UUID queued = UUID.randomUUID();
            client.submit(task(running, 10_000));
            client.submit(task(queued, 3));
            client.post("/v1/tasks/" + queued + "/cancel", "");
            String canceled = archived(daemon, queued).body();
            assertThat(canceled).contains("\"state\":\"canceled\"").doesNotContain("replica_id");
            TestClient tap = daemon.client();
            TestClient.Stream stream = tap.stream(running).until(event -> event.id() == 4);
            client.post("/v1/tasks/" + running + "/cancel", "");
            String live = stream.toEnd().log();
            TestClient.Answer state = archived(daemon, running);
            assertThat(state.body()).contains("\"state\":\"canceled\"", "\"replica_id\":\"r0\"");
            replaysAt(daemon, running, live);
            assertThat(client.get("/v1/artifacts/" + transcriptOf(state)).body())
                    .contains("\"prompt\":\"a € prompt\"", "\"cancel_reason\":\"client\"");
            tap.close();
            client.submit(task(UUID.randomUUID(), 100_000));
            UUID behind = UUID.randomUUID();
            client.submit(task(behind, 5).replace("interactive", "batch"));
            client.submit(task(UUID.randomUUID(), 5).replace("interactive", "batch"));
            assertThat(archived(daemon, behind).body()).contains("\"state\":\"failed\"", "QUEUE_FULL_DROP_LRU");
            assertThat(resumed(daemon, behind, 0)).contains("event: error");
        }
    }

    @Test
    void shouldHideTranscriptsFromOtherKeys() {
        try (DaemonHarness daemon = Keys.daemon("tokens_per_s=0", 1, NOTHING_IN_MEMORY);
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN);
                TestClient bob = daemon.client().with("X-API-Key", Keys.BOB);
                TestClient ops = daemon.client().with("X-API-Key", Keys.OPS)) {
            UUID id = UUID.randomUUID();
            ann.submit(task(id, 3));
            ann.stream(id).toEnd();
            daemon.await(() -> ann.get("/v1/tasks/" + id).body().contains("sha256:"));
            String artifact = "/v1/artifacts/" + transcriptOf(ann.get("/v1/tasks/" + id));
            for (String path : List.of("/v1/tasks/" + id, "/v1/tasks/" + id + "/stream", artifact)) {
                assertThat(bob.get(path).status()).as(path).isEqualTo(404);
                assertThat(ann.get(path).status()).as(path).isEqualTo(200);
                assertThat(ops.get(path).status()).as(path).isEqualTo(200);
            }
            assertThat(bob.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(404);
            assertThat(bob.post("/v1/tasks", task(id, 3)).status()).isEqualTo(409);
        }
    }

    @Test
    void shouldServeHttp10FromTheDisk() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1, NOTHING_IN_MEMORY);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(task(id, 1_000));
            String live = client.stream(id).toEnd().log();
            archived(daemon, id);
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), daemon.port())) {
                socket.setSoTimeout(20_000);
                socket.getOutputStream()
                        .write(("GET /v1/tasks/" + id + "/stream HTTP/1.0\r\nHost: x\r\nLast-Event-ID: 2\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                socket.getInputStream().transferTo(all);
                String answer = all.toString(StandardCharsets.UTF_8);
                String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
                assertThat(body).isEqualTo("retry: 1000\n\n" + without(live, 2));
            }
        }
    }

    @Test
    void shouldReportDamageAndNeverServeIt() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        "tokens_per_s=0", 1, NOTHING_IN_MEMORY, "transcripts.root=" + folder.resolve("t"));
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(task(id, 3_000));
            String live = client.stream(id).toEnd().log();
            String transcript = transcriptOf(archived(daemon, id));
            try (Stream<Path> files = Files.list(folder.resolve("t"))) {
                Path segment = files.filter(file -> file.toString().endsWith(".seg"))
                        .findFirst()
                        .orElseThrow();
                byte[] bytes = Files.readAllBytes(segment);
                bytes[bytes.length / 2] ^= 1;
                Files.write(segment, bytes); // the same file, which the daemon has open
            }
            assertThat(client.get("/v1/artifacts/" + transcript).status()).isEqualTo(404);
            TestClient.Stream cut = client.stream(id).until(event -> false);
            assertThat(cut.complete()).isFalse();
            assertThat(live).startsWith(cut.log());
            assertThat(client.get("/metrics").body()).contains("transcript_corrupt_total 2\n");
        }
    }

    @Test
    void shouldSpillWhatRunningStreamsHaveAndGiveEveryByteToReadersFarBehind() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        "tokens_per_s=0",
                        6,
                        "event_loops=2",
                        "streams.retained_bytes=1MiB",
                        "streams.reader_lag_bytes=1GiB",
                        "transcripts.segment_bytes=1MiB",
                        "transcripts.max_bytes=256MiB");
                TestClient client = daemon.client()) {
            List<UUID> ids = new ArrayList<>();
            List<TestClient> taps = new ArrayList<>();
            List<TestClient.Stream> streams = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                UUID id = UUID.randomUUID();
                ids.add(id);
                client.submit(task(id, 30_000));
                TestClient tap = daemon.client();
                taps.add(tap);
                streams.add(tap.stream(id).until(event -> event.event().equals("started"))); // then it does not read
            }
            Random random = new Random(3);
            for (UUID id : ids) {
                try (TestClient some = daemon.client()) {
                    some.stream(id).until(event -> event.id() > random.nextInt(5_000));
                }
            }
            List<String> logs = new ArrayList<>();
            for (TestClient.Stream stream : streams) {
                logs.add(stream.toEnd().log());
                assertThat(stream.complete()).isTrue();
                assertThat(stream.last().event()).isEqualTo("end");
            }
            taps.forEach(TestClient::close);
            for (int i = 0; i < ids.size(); i++) {
                String transcript = transcriptOf(archived(daemon, ids.get(i)));
                String whole = client.get("/v1/artifacts/" + transcript).body();
                assertThat(whole.substring(whole.indexOf("\n\n") + 2)).isEqualTo(logs.get(i));
                for (int n = 0; n < 5; n++) {
                    int after = random.nextInt(30_000);
                    assertThat(sha256(resumed(daemon, ids.get(i), after).getBytes(StandardCharsets.UTF_8)))
                            .isEqualTo(sha256(without(logs.get(i), after).getBytes(StandardCharsets.UTF_8)));
                }
            }
            assertThat(client.get("/metrics").body())
                    .contains("transcript_disk_failures_total 0\n", "transcript_refusals_total 0\n");
        }
    }

    @Test
    void shouldServeFromMemoryWhereThereIsNoDiskForTranscripts() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1, "transcripts.enabled=false");
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(task(id, 5));
            String live = client.stream(id).toEnd().log();
            replaysAt(daemon, id, live);
            assertThat(client.get("/v1/tasks/" + id).body()).doesNotContain("transcript");
        }
    }
}
