package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.http.MalformedRequests;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Keys, owners and hostile bytes, against the whole daemon over sockets. Secrets in logs: {@link LogIT}. */
@NullUnmarked
@Tag("security")
class SecurityIT {
    private static DaemonHarness keyed;
    private static DaemonHarness open;

    @BeforeAll
    static void start() {
        keyed = Keys.daemon("tokens_per_s=200", 4);
        open = DaemonHarness.mock("tokens_per_s=0", 4, "http.head_timeout_ms=2000", "http.body_timeout_ms=2000");
    }

    @AfterAll
    static void stop() {
        keyed.close();
        open.close();
    }

    private static TestClient as(String key) {
        return keyed.client().with("X-API-Key", key);
    }

    @Test
    void shouldRefuseByKeyBeforeTheBodyIsAskedFor() {
        RawClient raw = new RawClient(keyed.port());
        String head = "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 900000000000\r\nExpect: 100-continue\r\n";
        assertThat(raw.talk(head + "\r\n")).extracting(RawClient.Answer::status).containsExactly(401);
        assertThat(raw.talk(head + "X-API-Key: nobody\r\n\r\n"))
                .extracting(RawClient.Answer::status)
                .containsExactly(403);
        assertThat(raw.talk(head + "Authorization: Bearer nobody\r\n\r\n"))
                .extracting(RawClient.Answer::status)
                .containsExactly(403);
        assertThat(raw.talk(head + "Authorization: Bearer " + Keys.ANN + "\r\nX-API-Key: " + Keys.BOB + "\r\n\r\n"))
                .extracting(RawClient.Answer::status)
                .containsExactly(400);
        assertThat(raw.talk(head + "X-API-Key: " + Keys.ANN + "\r\nX-API-Key: " + Keys.BOB + "\r\n\r\n"))
                .singleElement()
                .satisfies(answer -> {
                    assertThat(answer.status()).isEqualTo(400);
                    assertThat(answer.body()).contains("INVALID_PARAMS").doesNotContain(Keys.ANN, Keys.BOB);
                });
        assertThat(raw.talk(head + "X-API-Key: " + Keys.ANN + "\r\n\r\n"))
                .extracting(RawClient.Answer::status)
                .containsExactly(413);
        assertThat(raw.talk("GET /v1/pools HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer "
                        + Keys.ANN + "\r\nX-API-Key: " + Keys.ANN + "\r\n\r\n"))
                .extracting(RawClient.Answer::status)
                .containsExactly(200);
    }

    @Test
    void shouldHideATaskFromOtherKeysAndShowItToControl() {
        UUID id = UUID.randomUUID();
        String task = TestClient.task(id, "mock", "mine", 2000, ",\"detached\":true");
        try (TestClient ann = as(Keys.ANN);
                TestClient bob = as(Keys.BOB);
                TestClient ops = as(Keys.OPS)) {
            ann.submit(task);
            assertThat(bob.get("/v1/tasks/" + id).status()).isEqualTo(404);
            assertThat(bob.get("/v1/tasks/" + id + "/stream").status()).isEqualTo(404);
            assertThat(bob.exchange("HEAD", "/v1/tasks/" + id + "/stream", null).status())
                    .isEqualTo(404);
            assertThat(bob.post("/v1/tasks/" + id + "/cancel", "{}").status()).isEqualTo(404);
            String asNobodys = bob.get("/v1/tasks/" + UUID.randomUUID()).body().replaceAll("correlation_id.*", "");
            assertThat(bob.get("/v1/tasks/" + id).body()).startsWith(asNobodys);
            assertThat(bob.post("/v1/tasks", task).status()).isEqualTo(409);
            assertThat(ann.get("/v1/tasks/" + id).body()).contains("\"state\":\"running\"");
            assertThat(ops.get("/v1/tasks/" + id).status()).isEqualTo(200);
            assertThat(ops.post("/v1/tasks/" + id + "/cancel", "{}").status()).isEqualTo(204);
            assertThat(ann.stream(id).toEnd().last().data()).contains("\"canceled\":true");
            assertThat(ops.stream(id).toEnd().complete()).isTrue();
        }
    }

    @Test
    void shouldRefuseHostileBodiesWithTheirPlace() {
        List<String> bodies = new ArrayList<>();
        bodies.add("[".repeat(500_000));
        bodies.add("{\"prompt\":".repeat(50_000));
        bodies.add("{\"a\":".repeat(2000) + "1" + "}".repeat(2000));
        bodies.add("");
        bodies.add("null");
        bodies.add("\u00ef\u00bb\u00bf{}");
        for (String number : List.of(
                "1e999999999",
                "9".repeat(100_000),
                "-9223372036854775809",
                "9223372036854775808",
                "1.5",
                "0x10",
                "NaN",
                "\"3\"",
                "01",
                "1e3")) {
            bodies.add(task("\"max_tokens\":3", "\"max_tokens\":" + number));
            bodies.add(task("\"deadline_ms\":60000", "\"deadline_ms\":" + number));
        }
        bodies.add(task("\"x\"", "\"" + "\u00c0\u00af" + "\""));
        bodies.add(task("\"x\"", "\"" + "\u00ed\u00a0\u0080" + "\""));
        bodies.add(task("\"x\"", "\"" + "\u00ff" + "\""));
        bodies.add(task("\"x\"", "\"\\ud800\""));
        bodies.add(task("\"x\"", "\"a\nb\""));
        bodies.add(task("\"prompt\":\"x\"", "\"prompt\":\"x\",\"prompt\":\"y\""));
        bodies.add(task("\"prompt\":\"x\"", "\"prompt\":null"));
        bodies.add(task("\"prompt\":\"x\"", "\"prompt\":\"x\",\"" + "k".repeat(500_000) + "\":1"));
        bodies.add(task("}", "}{}"));
        bodies.add(task("hf:test/model.gguf", "hf:" + "m".repeat(2000)));
        RawClient raw = new RawClient(open.port());
        for (String body : bodies) {
            String head = "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + body.length()
                    + "\r\n\r\n";
            List<RawClient.Answer> answers = raw.talk(head + body);
            String shown = body.substring(0, Math.min(300, body.length()));
            assertThat(answers).as(shown).extracting(RawClient.Answer::status).containsExactly(400);
            assertThat(answers.get(0).header("X-Correlation-Id")).as(shown).isNotNull();
            assertThat(answers.get(0).body())
                    .as(shown)
                    .containsAnyOf("\"code\":\"INVALID_PARAMS\"", "\"code\":\"DEADLINE_UNMET\"")
                    .hasSizeLessThan(2000);
        }
        String large = task("\"x\"", "\"" + "x".repeat(190_000) + "\"");
        assertThat(raw.talk("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: "
                        + large.length() + "\r\n\r\n" + large))
                .extracting(RawClient.Answer::status)
                .containsExactly(202);
    }

    private static String task(String what, String by) {
        return TestClient.task(UUID.randomUUID(), "mock", "x", 3, ",\"detached\":true")
                .replace(what, by);
    }

    @Test
    void shouldRefuseEveryMalformedRequestWithACorrelationIdAndNothingBehindIt() {
        RawClient raw = new RawClient(open.port());
        List<String> wrong = new ArrayList<>();
        for (MalformedRequests.Case malformed : MalformedRequests.all()) {
            List<RawClient.Answer> answers = raw.malformed(malformed.bytes());
            if (answers.size() != 1
                    || answers.get(0).status() != malformed.status()
                    || answers.get(0).header("X-Correlation-Id") == null) {
                wrong.add(malformed + " -> " + answers);
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldCutOffAClientThatDrips() throws IOException {
        for (String prefix : List.of(
                "GET /livez HTTP/1.1\r\nHost: h\r\nX: ",
                "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")) {
            try (TestClient client = open.client()) {
                Socket socket = client.connected();
                OutputStream out = socket.getOutputStream();
                InputStream in = socket.getInputStream();
                out.write(prefix.getBytes(StandardCharsets.US_ASCII));
                int sent = 0;
                while (in.available() == 0) {
                    if (sent < 4000) { // then it falls silent
                        out.write('a');
                        sent++;
                    }
                    Thread.onSpinWait();
                }
                assertThat(new String(in.readNBytes(12), StandardCharsets.US_ASCII))
                        .isEqualTo("HTTP/1.1 408");
            }
        }
    }
}
