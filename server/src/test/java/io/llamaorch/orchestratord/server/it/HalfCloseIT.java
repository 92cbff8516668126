package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that end their side for writing: a plain request is answered, a reader of a stream has left (HTTP-33). */
@NullUnmarked
@SuppressWarnings("try") // a reader leaves in the midst of a test
class HalfCloseIT {

    private static String post(String body) {
        return "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void shouldAnswerEveryWholeRequestThenCloseAndLetTheTaskRun(String transport) {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 2, "event_loops=2", "transport=" + transport);
                TestClient client = daemon.client()) {
            RawClient raw = new RawClient(daemon.port());
            for (int round = 0; round < 20; round++) {
                UUID id = UUID.randomUUID();
                String task = TestClient.task(id, "mock", "x", 5, "");
                assertThat(raw.talkHalfClosed(post(task) + get("/v1/tasks/" + id) + get("/livez") + "GET /li"))
                        .extracting(RawClient.Answer::status)
                        .containsExactly(202, 200, 200);
                assertThat(raw.talkHalfClosed(post(task)))
                        .extracting(answer -> answer.header("Idempotent-Replay"))
                        .containsExactly("true");
                daemon.await(() -> client.get("/v1/tasks/" + id).body().contains("\"state\":\"completed\""));
                assertThat(client.stream(id).toEnd().of("token")).hasSize(5);
            }
            daemon.awaitQuiet();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void shouldCancelByTheUsualRulesOnceSomebodyHasReadAndLeft(String transport) {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=50", 2, "transport=" + transport);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            assertThat(new RawClient(daemon.port()).talkHalfClosed(post(TestClient.task(id, "mock", "x", 100_000, ""))))
                    .extracting(RawClient.Answer::status)
                    .containsExactly(202);
            client.stream(id).until(event -> event.event().equals("token"));
            client.close();
            daemon.await(() -> client.get("/v1/tasks/" + id).body().contains("\"state\":\"canceled\""));
            daemon.awaitQuiet();
        }
    }

    @ParameterizedTest
    @CsvSource({"auto,half", "auto,whole", "nio,half", "nio,whole"})
    void shouldTakeTheEndOfAReadersSideForItsLeaving(String transport, String close) throws IOException {
        try (DaemonHarness daemon =
                        DaemonHarness.mock("tokens_per_s=50", 2, "event_loops=2", "transport=" + transport);
                TestClient client = daemon.client()) {
            for (int round = 0; round < 4; round++) { // on either loop
                UUID id = UUID.randomUUID();
                client.submit(TestClient.task(id, "mock", "x", 100_000, ""));
                try (TestClient reader = daemon.client()) {
                    TestClient.Stream stream = reader.stream(id);
                    stream.until(event -> event.event().equals("token"));
                    if (close.equals("half")) {
                        reader.connected().shutdownOutput();
                        stream.until(event -> false);
                        assertThat(stream.complete()).isFalse();
                    }
                }
                daemon.await(() -> client.get("/v1/tasks/" + id).body().contains("\"state\":\"canceled\""));
            }
            daemon.awaitQuiet();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void shouldAnswerTheSubmitAndTakeThePipelinedReaderForOneThatLeft(String transport) {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=50", 2, "transport=" + transport);
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            String all = new RawClient(daemon.port())
                    .bytesHalfClosed(post(TestClient.task(id, "mock", "x", 100_000, ""))
                            + get("/v1/tasks/" + id + "/stream")
                            + get("/livez"));
            assertThat(all).startsWith("HTTP/1.1 202 ").doesNotContain("\nok", "event: end");
            daemon.await(() -> client.get("/v1/tasks/" + id).body().contains("\"state\":\"canceled\""));
            daemon.awaitQuiet();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "nio"})
    void shouldLetGoOfAConnectionThatIsResetAfterItHalfClosed(String transport) throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=50", 2, "transport=" + transport)) {
            for (String request : List.of(
                    "", "GET /li", get("/livez"), post(TestClient.task(UUID.randomUUID(), "mock", "x", 2, "")))) {
                try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), daemon.port())) {
                    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                    socket.shutdownOutput();
                    socket.setSoLinger(true, 0);
                }
            }
            daemon.await(() -> daemon.daemon().connections() == 0);
            daemon.awaitQuiet();
        }
    }
}
