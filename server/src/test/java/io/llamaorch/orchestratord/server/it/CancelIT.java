package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Cancels over sockets, at random moments, {@code -Dcancel.count} of them, from {@code -Dcancel.seed} on: no token after
 * the 204, one terminal event, ids without a gap, the engine's slot back.
 */
@Tag("cancel")
@NullUnmarked
class CancelIT {
    private static final int COUNT = Integer.getInteger("cancel.count", 2_400);
    private static final long SEED = Long.getLong("cancel.seed", 20_260_101L);
    private static final int SLOTS = 3;

    private static LlamaServerDoubleProcess engine;

    @BeforeAll
    static void start() throws IOException {
        engine = LlamaServerDoubleProcess.start("--slots=16");
    }

    @AfterAll
    static void stop() {
        engine.close();
        LeakRecorder.assertNone();
    }

    @Test
    void shouldWriteNoTokenAfterThe204WhenTheMockRunsUnpaced() {
        cancelMany("mock", "mock:?tokens_per_s=0", COUNT / 4, 1, "");
    }

    @Test
    void shouldWriteNoTokenAfterThe204WhenTheMockIsPaced() {
        cancelMany("mock", "mock:?tokens_per_s=3000&ttft_ms=2", COUNT / 4, 2, "");
    }

    @Test
    void shouldWriteNoTokenAfterThe204WhenTheEngineRunsUnpaced() {
        cancelMany("llamacpp", "http://127.0.0.1:" + engine.port(), COUNT / 4, 3, "");
    }

    @Test
    void shouldWriteNoTokenAfterThe204WhenTheEngineIsPaced() {
        cancelMany("llamacpp", "http://127.0.0.1:" + engine.port(), COUNT / 4, 4, "[[ttft=2]][[pace=1]]");
    }

    private static void cancelMany(String engineKind, String url, int count, int salt, String knobs) {
        String yaml =
                """
                listen: 127.0.0.1:0
                event_loops: 3
                pools:
                  - id: default
                    engine: %s
                    model: %s
                    ctx: 4096
                    replicas: [{id: r0, url: "%s", slots: %d}]
                """
                        .formatted(engineKind, DaemonHarness.MODEL, url, SLOTS);
        int shift = salt % 2; // engine calls on the stream's own loop, or on another
        try (DaemonHarness daemon = DaemonHarness.start(yaml, loop -> (loop + shift) % 3)) {
            List<TestClient> clients = new ArrayList<>();
            for (int i = 0; i < 6; i++) { // spread over the loops
                clients.add(daemon.client());
            }
            for (int i = 0; i < count; i++) {
                long seed = SEED + salt * 1_000_000L + i;
                try {
                    cancelOne(daemon, clients, engineKind, knobs, new Random(seed));
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError("-Dcancel.seed=" + seed + " salt " + salt, e);
                }
            }
            clients.forEach(TestClient::close);
            daemon.awaitQuiet();
            if (engineKind.equals("llamacpp")) {
                daemon.await(() -> EngineDouble.idle(engine.port()));
            }
        }
    }

    private static void cancelOne(
            DaemonHarness daemon, List<TestClient> clients, String engineKind, String knobs, Random random) {
        int maxTokens = random.nextInt(4) == 0 ? 3000 : 1 + random.nextInt(200);
        TestClient submitter = clients.get(random.nextInt(clients.size()));
        TestClient canceler = clients.get(random.nextInt(clients.size()));
        List<UUID> ahead = new ArrayList<>();
        if (random.nextInt(8) == 0) { // so that it is queued
            for (int i = 0; i < SLOTS; i++) {
                UUID blocker = UUID.randomUUID();
                ahead.add(blocker);
                submitter.submit(TestClient.task(blocker, engineKind, knobs + "x", 3000, ",\"detached\":true"));
            }
        }
        UUID id = UUID.randomUUID();
        submitter.submit(TestClient.task(id, engineKind, knobs + "c", maxTokens, ",\"seed\":" + random.nextInt(1000)));
        List<StreamTap> taps = new ArrayList<>();
        for (int readers = random.nextInt(4); readers > 0; readers--) {
            taps.add(new StreamTap(daemon.port(), id, 0, ""));
        }
        boolean attached = random.nextInt(4) != 0;
        daemon.await(() -> !attached || taps.stream().allMatch(tap -> tap.received() > 0));
        int polls = 1 << random.nextInt(12);
        for (int i = random.nextInt(polls); i > 0 && !taps.isEmpty(); i--) {
            taps.forEach(StreamTap::poll);
        }
        String path = "/v1/tasks/" + id + "/cancel";
        int[] allowed = cancelWhileReading(canceler, path, taps);
        for (int i = 0; i < taps.size(); i++) {
            try (StreamTap tap = taps.get(i).toEnd()) {
                checkReader(tap, attached, allowed[i]);
            }
        }
        assertThat(canceler.post(path, "").status()).as("again").isEqualTo(204);
        TestClient.Stream replay = submitter.stream(id).toEnd();
        assertThat(replay.complete()).isTrue();
        assertThat(replay.last().event()).isEqualTo("end");
        String log = log(replay);
        for (StreamTap tap : taps) {
            assertThat(log).startsWith(log(tap.events()));
            assertThat(tap.cut() || log.equals(log(tap.events()))).isTrue();
        }
        for (UUID blocker : ahead) {
            assertThat(canceler.post("/v1/tasks/" + blocker + "/cancel", "").status())
                    .isEqualTo(204);
        }
    }

    /** Sends the cancel and reads on until the 204 is there; for each reader the bytes that it had by then. */
    private static int[] cancelWhileReading(TestClient canceler, String path, List<StreamTap> taps) {
        try {
            canceler.send("POST", path, "");
            while (canceler.connected().getInputStream().available() == 0) {
                taps.forEach(StreamTap::poll);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int[] received = taps.stream().mapToInt(StreamTap::received).toArray();
        assertThat(canceler.readAnswer().status()).isEqualTo(204);
        return received;
    }

    private static void checkReader(StreamTap tap, boolean attached, int allowed) {
        List<StreamTap.Event> events = tap.events();
        String last = events.isEmpty() ? "" : events.get(events.size() - 1).name();
        assertThat(tap.cut() || last.equals("end")).isTrue();
        long terminals = events.stream()
                .filter(event -> event.name().equals("end") || event.name().equals("error"))
                .count();
        assertThat(terminals).isEqualTo(tap.cut() ? 0 : 1);
        // It ended before (STR-38), or the reader may have come after the seal, to a replay (STR-35).
        boolean natural = !attached
                || (!tap.cut() && !events.get(events.size() - 1).data().contains("\"canceled\":true"));
        for (int i = 0; i < events.size(); i++) {
            StreamTap.Event event = events.get(i);
            assertThat(event.id()).isEqualTo(i + 1);
            if (!natural && event.name().equals("token")) {
                assertThat(event.endsAt()).as("a token after the 204").isLessThanOrEqualTo(allowed);
            }
        }
    }

    private static String log(List<StreamTap.Event> events) {
        return events.stream()
                .map(event -> event.id() + " " + event.name() + " " + event.data())
                .collect(Collectors.joining("\n"));
    }

    private static String log(TestClient.Stream stream) {
        return stream.events().stream()
                .filter(event -> event.id() > 0)
                .map(event -> event.id() + " " + event.event() + " "
                        + new String(
                                event.data().getBytes(java.nio.charset.StandardCharsets.UTF_8),
                                java.nio.charset.StandardCharsets.ISO_8859_1))
                .collect(Collectors.joining("\n"));
    }

    @Test
    void shouldAnswer404WhenTheTaskIsUnknownAnd204WhenItIsOver() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 1);
                TestClient client = daemon.client()) {
            assertThat(client.post("/v1/tasks/" + UUID.randomUUID() + "/cancel", "")
                            .status())
                    .isEqualTo(404);
            UUID id = UUID.randomUUID();
            client.submit(TestClient.task(id, "mock", "over", 5, ""));
            String log = client.stream(id).toEnd().log();
            assertThat(client.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(204);
            assertThat(client.stream(id).toEnd().log()).isEqualTo(log);
            assertThat(client.get("/v1/tasks/" + id).body()).contains("\"state\":\"completed\"");
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldAbortTheEngineWhenTheOnlyReaderOfAnInteractiveTaskLeaves() {
        try (DaemonHarness daemon = DaemonHarness.llama(engine.port(), 8);
                TestClient client = daemon.client()) {
            long before = EngineDouble.stat(engine.port(), "aborted");
            UUID plain = UUID.randomUUID();
            UUID detached = UUID.randomUUID();
            UUID batch = UUID.randomUUID();
            String prompt = "[[pace=2]]";
            client.submit(EngineDouble.task(plain, prompt, 1, 3000, ""));
            client.submit(EngineDouble.task(detached, prompt, 2, 200, ",\"detached\":true"));
            client.submit(EngineDouble.task(batch, prompt, 3, 200, "").replace("interactive", "batch"));
            for (UUID id : List.of(plain, detached, batch)) {
                try (TestClient reader = daemon.client()) {
                    reader.stream(id).until(event -> event.event().equals("token"));
                }
            }
            daemon.await(() -> client.get("/v1/tasks/" + plain).body().contains("\"state\":\"canceled\""));
            daemon.await(() -> EngineDouble.stat(engine.port(), "aborted") == before + 1);
            assertThat(client.stream(plain).toEnd().last().data()).contains("\"canceled\":true");
            assertThat(EngineDouble.tokens(client.stream(detached).toEnd()))
                    .isEqualTo(EngineDouble.tokens(prompt, 2, 200));
            assertThat(EngineDouble.tokens(client.stream(batch).toEnd()))
                    .isEqualTo(EngineDouble.tokens(prompt, 3, 200));
            daemon.awaitQuiet();
            daemon.await(() -> EngineDouble.idle(engine.port()));
        }
    }
}
