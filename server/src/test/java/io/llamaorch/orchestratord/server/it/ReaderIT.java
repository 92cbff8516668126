package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Readers of streams: many, late, resumed, slow, gone; and how long a transcript is kept. */
@Tag("streams")
@SuppressWarnings("try") // connections are closed in the midst of a test
@NullUnmarked
class ReaderIT {
    private static final String UNPACED = "tokens_per_s=0";
    private static final String DETACHED = ",\"detached\":true";
    private static final int LONG = 120_000; // tokens: more bytes than sockets take
    private static final int SMALL_BUFFER = 4096;

    @AfterAll
    static void stop() {
        LeakRecorder.assertNone();
    }

    private static UUID submit(TestClient client, int tokens) {
        UUID id = UUID.randomUUID();
        client.submit(task(id, tokens));
        return id;
    }

    private static String task(UUID id, int tokens) {
        return TestClient.task(id, "mock", "r", tokens, DETACHED);
    }

    private static String path(UUID id) {
        return "/v1/tasks/" + id + "/stream";
    }

    /** The bytes of the events that a tap has, as {@link TestClient.Stream#log} gives them. */
    private static String log(StreamTap tap) {
        StringBuilder log = new StringBuilder();
        for (StreamTap.Event event : tap.events()) {
            log.append("id: " + event.id() + "\nevent: " + event.name() + "\ndata: " + event.data() + "\n\n");
        }
        return new String(log.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    /** What follows that event. */
    private static String after(String log, long id) {
        return id == 0 ? log : log.substring(log.indexOf("\n\n", log.indexOf("id: " + id + "\n")) + 2);
    }

    private static String whole(TestClient client, UUID id) {
        TestClient.Stream stream = client.stream(id).until(event -> false);
        assertThat(stream.complete()).isTrue();
        return stream.log();
    }

    @Test
    void shouldGiveEveryReaderTheSameBytesWhenManyComeOnAllLoopsAtAnyTime() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=1000", 4, "event_loops=3");
                TestClient client = daemon.client()) {
            UUID id = submit(client, 1_000);
            List<StreamTap> taps = new ArrayList<>();
            List<Long> from = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                taps.add(new StreamTap(daemon.port(), id, 0, ""));
                from.add(0L);
            }
            try (TestClient pilot = daemon.client()) {
                TestClient.Stream running = pilot.stream(id);
                for (int i = 1; i <= 24; i++) { // each resumes at the newest event that another reader has
                    long newest = i * 20L;
                    running.until(event -> event.id() >= newest);
                    taps.add(new StreamTap(daemon.port(), id, 0, "Last-Event-ID: " + newest + "\r\n"));
                    taps.add(new StreamTap(daemon.port(), id, 0, ""));
                    from.addAll(List.of(newest, 0L));
                }
                running.toEnd();
                String log = running.log();
                for (int i = 0; i < taps.size(); i++) {
                    try (StreamTap tap = taps.get(i).toEnd()) {
                        assertThat(tap.cut()).isFalse();
                        assertThat(log(tap)).isEqualTo(after(log, from.get(i)));
                    }
                }
                assertThat(client.stream(id).toEnd().log()).isEqualTo(log); // late
            }
            daemon.awaitQuiet();
            daemon.await(() -> daemon.daemon().tasks().openReaders() == 0);
        }
    }

    @Test
    void shouldContinueByteForByteWhenResumedAtAnyIdOverOneConnection() {
        try (DaemonHarness daemon = DaemonHarness.mock(UNPACED, 1);
                TestClient client = daemon.client();
                TestClient resumed = daemon.client()) {
            UUID id = submit(client, 150);
            TestClient.Stream stream = client.stream(id).toEnd();
            String log = stream.log();
            long last = stream.last().id();
            for (long at = 0; at <= last; at++) {
                resumed.with("Last-Event-ID", Long.toString(at));
                assertThat(resumed.stream(id).toEnd().log()).isEqualTo(after(log, at));
            }
            for (String bad : List.of(Long.toString(last + 1), "x", "-1", "2147483647", "99999999999")) {
                Answer refused = resumed.with("Last-Event-ID", bad).get(path(id));
                assertThat(refused.status()).isEqualTo(400);
                assertThat(refused.body()).contains("\"code\":\"INVALID_PARAMS\"");
            }
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldServeTheQuickAtOnceAndTheStuckLaterWhenOneReadsNothing() {
        try (DaemonHarness daemon = DaemonHarness.mock(UNPACED, 1, "event_loops=3", "streams.reader_lag_bytes=64MiB");
                TestClient client = daemon.client();
                TestClient other = daemon.client()) {
            UUID id = submit(client, LONG);
            try (StreamTap stuck = new StreamTap(daemon.port(), id, SMALL_BUFFER, "")) {
                String log = whole(client, id);
                assertThat(whole(other, id)).isEqualTo(log);
                assertThat(stuck.toEnd().cut()).isFalse();
                assertThat(log(stuck)).isEqualTo(log);
            }
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldCutAReaderThatIsStuckAndLetItResume() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        UNPACED, 1, "event_loops=3", "streams.reader_lag_bytes=64MiB", "streams.reader_stall_ms=1000");
                TestClient client = daemon.client()) {
            UUID id = submit(client, LONG);
            checkCutAndResumed(daemon, client, id);
        }
    }

    @Test
    void shouldCutAReaderThatLagsAndLetItResume() {
        try (DaemonHarness daemon =
                        DaemonHarness.mock("tokens_per_s=30000", 1, "event_loops=3", "streams.reader_lag_bytes=64KiB");
                TestClient client = daemon.client()) {
            UUID id = submit(client, LONG);
            checkCutAndResumed(daemon, client, id);
        }
    }

    private static void checkCutAndResumed(DaemonHarness daemon, TestClient client, UUID id) {
        try (StreamTap stuck = new StreamTap(daemon.port(), id, SMALL_BUFFER, "")) {
            daemon.await(() -> stuck.received() > 0);
            daemon.await(() -> daemon.daemon().tasks().openReaders() == 0);
            assertThat(stuck.toEnd().cut()).isTrue();
            daemon.awaitQuiet();
            String log = whole(client, id);
            String had = log(stuck);
            assertThat(log).startsWith(had).hasSizeGreaterThan(had.length());
            List<StreamTap.Event> events = stuck.events();
            long last = events.isEmpty() ? 0 : events.get(events.size() - 1).id();
            try (StreamTap resumed = new StreamTap(daemon.port(), id, 0, "Last-Event-ID: " + last + "\r\n")) {
                assertThat(had + log(resumed.toEnd())).isEqualTo(log);
            }
        }
    }

    @Test
    void shouldSendNoChunksWhenTheReaderSpeaksHttp10() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=2000", 1, "event_loops=2");
                TestClient client = daemon.client()) {
            UUID id = submit(client, 400);
            for (int i = 0; i < 4; i++) { // during the run, then after it
                try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), daemon.port())) {
                    socket.setSoTimeout(30_000);
                    socket.getOutputStream()
                            .write(("GET " + path(id) + " HTTP/1.0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
                    String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    String head = all.substring(0, all.indexOf("\r\n\r\n"));
                    String body = all.substring(head.length() + 4);
                    assertThat(head).startsWith("HTTP/1.").contains(" 200 ").doesNotContainIgnoringCase("chunked");
                    assertThat(body).startsWith("retry: 1000\n\n").doesNotContain("\r");
                    assertThat(body).endsWith(client.stream(id).toEnd().log());
                }
            }
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldAnswerAPipelinedRequestWhenTheStreamBeforeItEnds() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=1000", 1);
                TestClient client = daemon.client()) {
            UUID id = submit(client, 200);
            TestClient.Stream stream = client.stream(id);
            client.send("GET", "/v1/tasks/" + id, null);
            client.send("GET", path(id), null);
            String log = stream.toEnd().log();
            assertThat(client.readAnswer().body()).contains("\"state\":\"completed\"", id.toString());
            assertThat(stream.last().event()).isEqualTo("end");
            assertThat(client.readAnswer().body()).isEqualTo("retry: 1000\n\n" + log);
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldAttachNobodyWhenAskedForTheHead() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=50", 1);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(TestClient.task(id, "mock", "h", 100_000, "")); // its last reader's leaving would cancel it
            Answer head = client.exchange("HEAD", path(id), null);
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.header("Content-Type")).startsWith("text/event-stream");
            assertThat(daemon.daemon().tasks().openReaders()).isZero();
            client.close();
            assertThat(client.get("/v1/tasks/" + id).body()).contains("\"state\":\"running\"");
            assertThat(client.exchange("HEAD", path(UUID.randomUUID()), null).status())
                    .isEqualTo(404);
            assertThat(client.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(204);
            assertThat(client.exchange("HEAD", path(id), null).status()).isEqualTo(200);
            daemon.awaitQuiet();
        }
    }

    private static void checkForgottenAndFree(TestClient client, UUID id) {
        assertThat(client.get("/v1/tasks/" + id).status()).isEqualTo(404);
        assertThat(client.get(path(id)).status()).isEqualTo(404);
        assertThat(client.exchange("HEAD", path(id), null).status()).isEqualTo(404);
        assertThat(client.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(404);
        Answer anew = client.post("/v1/tasks", task(id, 7));
        assertThat(anew.status()).isEqualTo(202);
        assertThat(anew.header("Idempotent-Replay")).isEmpty();
        assertThat(client.stream(id).toEnd().of("token")).hasSize(7);
    }

    @Test
    void shouldForgetTheOldestWhenMoreTasksAreOverThanAreKept() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        UNPACED, 1, "event_loops=1", "streams.retained_tasks=2", "transcripts.enabled=false");
                TestClient client = daemon.client()) {
            List<UUID> ids = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                ids.add(submit(client, 3));
                client.stream(ids.get(i)).toEnd();
            }
            assertThat(client.stream(ids.get(2)).toEnd().of("token")).hasSize(3);
            assertThat(client.stream(ids.get(3)).toEnd().of("token")).hasSize(3);
            checkForgottenAndFree(client, ids.get(0));
            checkForgottenAndFree(client, ids.get(1));
            checkForgottenAndFree(client, ids.get(2)); // the two before took its place
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldForgetATaskWhenItIsOld() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        UNPACED, 1, "event_loops=1", "streams.retained_ms=300", "transcripts.enabled=false");
                TestClient client = daemon.client()) {
            UUID id = submit(client, 3);
            client.stream(id).toEnd();
            daemon.await(() -> client.get("/v1/tasks/" + id).status() == 404);
            checkForgottenAndFree(client, id);
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldEndWithAnErrorWhenTheTranscriptFindsNoMemoryAndServeLaterTasks() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        UNPACED, 2, "event_loops=1", "streams.retained_bytes=1MiB", "transcripts.enabled=false");
                TestClient client = daemon.client();
                TestClient other = daemon.client()) {
            int errors = 0;
            for (int round = 0; round < 3; round++) {
                UUID first = submit(client, LONG);
                UUID second = submit(other, LONG);
                for (UUID id : List.of(first, second)) {
                    TestClient.Stream stream = client.stream(id);
                    if (stream.head().status() == 200) { // else it is over, and made room
                        stream.until(event -> false);
                        if (stream.complete()) {
                            errors++;
                            assertThat(stream.last().event()).isEqualTo("error");
                            assertThat(stream.last().data())
                                    .contains("\"code\":\"INTERNAL\"", "streams.retained_bytes");
                        }
                    } else {
                        client.close();
                    }
                }
                daemon.awaitQuiet();
                UUID later = submit(client, 500);
                assertThat(client.stream(later).toEnd().of("token")).hasSize(500);
            }
            assertThat(errors).isPositive();
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldCancelAQueuedTaskWhenItsReaderLeavesAndItIsInteractive() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=50", 1);
                TestClient client = daemon.client()) {
            UUID running = submit(client, 100_000);
            UUID plain = UUID.randomUUID();
            UUID batch = UUID.randomUUID();
            UUID detached = UUID.randomUUID();
            client.submit(TestClient.task(plain, "mock", "r", 2, ""));
            client.submit(TestClient.task(batch, "mock", "r", 2, "").replace("interactive", "batch"));
            client.submit(task(detached, 2));
            for (UUID id : List.of(plain, batch, detached)) {
                try (TestClient reader = daemon.client()) {
                    reader.stream(id).until(event -> event.data().startsWith("queued"));
                }
            }
            daemon.await(() -> client.get("/v1/tasks/" + plain).body().contains("\"state\":\"canceled\""));
            assertThat(client.stream(plain).toEnd().log()).startsWith("id: 1\nevent: end\n");
            daemon.await(() -> daemon.daemon().tasks().openReaders() == 0);
            for (UUID id : List.of(batch, detached)) {
                assertThat(client.get("/v1/tasks/" + id).body()).contains("\"state\":\"queued\"");
            }
            assertThat(client.post("/v1/tasks/" + running + "/cancel", "").status())
                    .isEqualTo(204);
            for (UUID id : List.of(batch, detached)) {
                assertThat(client.stream(id).toEnd().of("token")).hasSize(2);
            }
            daemon.awaitQuiet();
        }
    }
}
