package io.llamaorch.orchestratord.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Routes, methods, keys, bodies, answers and streams of one connection. */
@SuppressWarnings("FutureReturnValueIgnored")
class HttpConnectionTest {
    private static final ApiKeys KEYS = new ApiKeys(
            List.of(
                    new ApiKeys.Key("ops", FrontProbe.KEY_SHA256, Scope.DATA.bit()),
                    new ApiKeys.Key("metrics", "00".repeat(32), Scope.METRICS.bit())),
            false);

    private static Answer one(FrontProbe probe, String request) {
        List<Answer> answers = probe.send(request).answers();
        assertThat(answers).as(request).hasSize(1);
        return answers.get(0);
    }

    private static String get(String path, String lines) {
        return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n";
    }

    @Test
    void shouldAnswer404ToPathsThatAreNotExactlyThere() {
        FrontProbe probe = new FrontProbe();
        for (String path : List.of(
                "/",
                "//livez",
                "/livez/",
                "/./livez",
                "/x/../livez",
                "/%2e%2e/livez",
                "/v1/tasks/",
                "/v1/tasks/..",
                "/v1/tasks/%2e%2e",
                "/v1/tasks/a%2fb",
                "/v1/tasks/a%5cb",
                "/v1/tasks/a/b",
                "/v1//tasks",
                "/v1/tasks//stream",
                "/%zz",
                "/livez%",
                "/livez%2",
                "/%c0%afx",
                "/v1/tasks/%00",
                "/v1/tasks/%ff",
                "/LIVEZ",
                "/v1/replicasets")) {
            assertThat(one(probe, get(path, "")).status()).as(path).isEqualTo(404);
        }
        assertThat(probe.ran).isEmpty();
        assertThat(one(probe, get("/v1/tasks/%61%c3%a9?q=1", "")).status()).isEqualTo(200);
        assertThat(probe.ran).containsExactly("task aé");
        probe.close();
    }

    @Test
    void shouldNameTheMethodsOfAPath() {
        FrontProbe probe = new FrontProbe();
        Answer wrong = one(probe, "DELETE /v1/tasks HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(wrong.status()).isEqualTo(405);
        assertThat(wrong.header("Allow")).isEqualTo("OPTIONS, POST");
        Answer options = one(probe, "OPTIONS /v1/tasks/x HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(options.status()).isEqualTo(204);
        assertThat(options.header("Allow")).isEqualTo("GET, HEAD, OPTIONS");
        assertThat(one(probe, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").header("Allow"))
                .contains("GET, HEAD");
        assertThat(one(probe, "BREW /livez HTTP/1.1\r\nHost: h\r\n\r\n").status())
                .isEqualTo(501);
        assertThat(probe.channel.isOpen()).isTrue();
        assertThat(probe.ran).isEmpty();
        probe.close();
    }

    @Test
    void shouldAnswerHeadLikeGetWithoutABody() {
        FrontProbe probe = new FrontProbe();
        String head = probe.send("HEAD /livez HTTP/1.1\r\nHost: h\r\n\r\n").written();
        assertThat(head)
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("Content-Length: 3\r\n")
                .endsWith("\r\n\r\n");
        String missing = probe.send("HEAD /nope HTTP/1.1\r\nHost: h\r\n\r\n").written();
        assertThat(missing).startsWith("HTTP/1.1 404 ").endsWith("\r\n\r\n");
        probe.close();
    }

    @Test
    void shouldAskForAKeyBeforeTheBodyIsRead() {
        String[][] cases = {
            {"", "401"},
            {"X-API-Key: sesame\r\n", "202"},
            {"Authorization: Bearer sesame\r\n", "202"},
            {"authorization: bearer sesame\r\n", "202"},
            {"X-API-Key: sesame\r\nAuthorization: Bearer sesame\r\n", "202"},
            {"X-API-Key: sesame\r\nAuthorization: Bearer other\r\n", "400"},
            {"X-API-Key: sesame\r\nX-API-Key: other\r\n", "400"},
            {"X-API-Key: other\r\nX-API-Key: sesame\r\n", "400"},
            {"X-API-Key: sesame\r\nX-API-Key: sesame\r\n", "202"},
            {"X-API-Key: sesame\r\nX-API-Key: \r\n", "400"},
            {"Authorization: Bearer sesame\r\nAuthorization: Bearer other\r\n", "400"},
            {"Authorization: Basic x\r\nAuthorization: Bearer sesame\r\n", "400"},
            {"Authorization: Bearer sesame\r\nAuthorization: Bearer sesame\r\nX-API-Key: sesame\r\n", "202"},
            {"Authorization: Bearer sesame\r\nx-api-key: sesame\r\nX-API-KEY: other\r\n", "400"},
            {"X-API-Key: Sesame\r\n", "403"},
            {"X-API-Key: \r\n", "401"},
            {"Authorization: Basic sesame\r\n", "401"},
            {"X-API-Key: " + "x".repeat(600) + "\r\n", "403"},
        };
        for (String[] each : cases) {
            FrontProbe probe = new FrontProbe(HttpLimits.DEFAULT, KEYS);
            Answer answer =
                    one(probe, "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n" + each[0] + "\r\n{}");
            assertThat(Integer.toString(answer.status())).as(each[0]).isEqualTo(each[1]);
            if (answer.status() == 401) {
                assertThat(answer.header("WWW-Authenticate")).isEqualTo("Bearer realm=\"orchestratord\"");
            }
            assertThat(answer.head() + answer.body()).doesNotContain("esame");
            if (answer.status() == 400) {
                assertThat(answer.closes()).isTrue();
                assertThat(answer.body()).contains("INVALID_PARAMS", "X-API-Key", "Authorization");
            } else {
                assertThat(one(probe, get("/livez", "")).status()).isEqualTo(200);
            }
            probe.close();
        }
    }

    @Test
    void shouldRefuseKeysThatDifferEvenWhereNoneIsConfigured() {
        String differing = "X-API-Key: a\r\nAuthorization: Bearer b\r\n";
        FrontProbe probe = new FrontProbe();
        assertThat(one(probe, get("/livez", differing)).status()).isEqualTo(200);
        assertThat(one(probe, get("/v1/tasks/x", differing)).status()).isEqualTo(400);
        assertThat(probe.ran).containsExactly("livez");
        probe.close();
    }

    @Test
    void shouldCloseWhereARefusedBodyCannotBeDropped() {
        for (String lines : List.of(
                "Transfer-Encoding: chunked", "Content-Length: 65537", "Content-Length: 2\r\nExpect: 100-continue")) {
            FrontProbe probe = new FrontProbe(HttpLimits.DEFAULT, KEYS);
            Answer answer = one(probe, "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n\r\n");
            assertThat(answer.status()).isEqualTo(401);
            assertThat(answer.closes()).isTrue();
            probe.close();
        }
    }

    @Test
    void shouldSendContinueOnlyToWhoMaySendABody() {
        FrontProbe probe = new FrontProbe();
        probe.send("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n");
        assertThat(probe.written()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
        assertThat(one(probe, "{}").status()).isEqualTo(202);
        assertThat(one(probe, "GET /livez HTTP/1.0\r\nExpect: magic\r\n\r\n").status())
                .isEqualTo(200);
        probe.close();
    }

    @Test
    void shouldRefuseOtherMediaTypesAndMissingLengths() {
        FrontProbe probe = new FrontProbe();
        String post = "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n";
        for (String type : List.of("application/json", "Application/JSON ; charset=UTF-8", "application/json;x=y")) {
            assertThat(one(probe, post + "Content-Length: 2\r\nContent-Type: " + type + "\r\n\r\n{}")
                            .status())
                    .isEqualTo(202);
        }
        for (String type : List.of(
                "text/plain", "application/jsonx", "application/json; charset=latin1", "application/x-ndjson")) {
            assertThat(one(probe, post + "Content-Length: 2\r\nContent-Type: " + type + "\r\n\r\n{}")
                            .status())
                    .isEqualTo(415);
        }
        assertThat(one(probe, post + "Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}")
                        .status())
                .isEqualTo(415);
        assertThat(one(probe, post + "\r\n").status()).isEqualTo(411);
        assertThat(one(probe, "POST /v1/tasks/x/cancel HTTP/1.1\r\nHost: h\r\n\r\n")
                        .status())
                .isEqualTo(204);
        probe.close();
    }

    @Test
    void shouldReadAcceptForStreams() {
        for (String accept :
                List.of("application/json", "text/event-stream;q=0", "text/event-stream;q=0.000, */*", "text/html")) {
            FrontProbe probe = new FrontProbe();
            assertThat(one(probe, get("/v1/tasks/x/stream", "Accept: " + accept + "\r\n"))
                            .status())
                    .isEqualTo(406);
            probe.close();
        }
        for (String accept :
                List.of("*/*", "text/*;q=0.1", "text/html, text/event-stream", "text/event-stream;q=0.001")) {
            FrontProbe probe = new FrontProbe();
            assertThat(probe.send(get("/v1/tasks/x/stream", "Accept: " + accept + "\r\n"))
                            .written())
                    .startsWith("HTTP/1.1 200");
            probe.close();
        }
    }

    @Test
    void shouldStreamAndThenGoOnWithWhatWasPipelined() {
        FrontProbe probe = new FrontProbe().send(get("/v1/tasks/x/stream", "") + get("/livez", ""));
        String head = probe.written();
        assertThat(head).contains("Transfer-Encoding: chunked\r\n").doesNotContain("Content-Length");
        Exchange exchange = probe.kept.get(0);
        probe.channel.write(ByteBufUtil.writeAscii(probe.channel.alloc(), "0\r\n\r\n"));
        exchange.streamDone(true);
        assertThat(probe.written()).startsWith("0\r\n\r\nHTTP/1.1 200 OK");
        assertThatThrownBy(() -> exchange.respondEmpty(204)).isInstanceOf(IllegalStateException.class);
        probe.close();
    }

    @Test
    void shouldEndAStreamWithTheConnectionInHttp10() {
        FrontProbe probe = new FrontProbe().send("GET /v1/tasks/x/stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assertThat(probe.written()).contains("Connection: close\r\n").doesNotContain("chunked");
        probe.kept.get(0).streamDone(true);
        assertThat(probe.channel.isOpen()).isFalse();
        probe.close();
    }

    @Test
    void shouldTellWhoWaitsThatTheClientLeft() {
        FrontProbe probe = new FrontProbe().send(get("/later", ""));
        boolean[] told = new boolean[1];
        probe.kept.get(0).onClose(() -> told[0] = true);
        probe.channel.close();
        assertThat(told[0]).isTrue();
        assertThat(probe.kept.get(0).ended()).isTrue();
        probe.kept.get(0).respondEmpty(204);
        assertThat(probe.written()).isEmpty();
        probe.close();
    }

    @Test
    void shouldAnswerWhatCameWholeAndCloseWhenTheClientHalfCloses() {
        FrontProbe probe = new FrontProbe().send(get("/later", "") + get("/livez", "") + "GET /livez HTT");
        probe.halfClose();
        assertThat(probe.written()).isEmpty();
        assertThat(probe.channel.isOpen()).isTrue();
        probe.kept.get(0).respondEmpty(204);
        assertThat(probe.answers()).extracting(Answer::status).containsExactly(204, 200);
        assertThat(probe.channel.isOpen()).isFalse();
        probe.close();
    }

    @Test
    void shouldSayCloseInTheLastAnswerWhenTheClientHasHalfClosed() {
        FrontProbe probe = new FrontProbe().send(get("/later", "").repeat(2));
        probe.halfClose();
        probe.kept.get(0).respondEmpty(204);
        assertThat(probe.answers().get(0).closes()).isFalse();
        probe.kept.get(1).respondEmpty(204);
        assertThat(probe.answers().get(0).closes()).isTrue();
        assertThat(probe.channel.isOpen()).isFalse();
        probe.close();
    }

    @Test
    void shouldCloseAtOnceWhenTheClientHalfClosesAndNothingIsPending() {
        for (String bytes : List.of(
                "",
                "GET /livez HTTP/1.1\r\n",
                "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{",
                "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}")) {
            FrontProbe probe = new FrontProbe().send(bytes);
            probe.halfClose();
            assertThat(probe.written()).as(bytes).isEmpty();
            assertThat(probe.channel.isOpen()).as(bytes).isFalse();
            assertThat(probe.ran).as(bytes).isEmpty();
            probe.close();
        }
    }

    @Test
    void shouldTakeAHalfCloseForALeaveOfWhoReadsAStream() {
        FrontProbe running = new FrontProbe().send(get("/v1/tasks/x/stream", ""));
        boolean[] told = new boolean[1];
        running.kept.get(0).onClose(() -> told[0] = true);
        running.halfClose();
        assertThat(told[0]).isTrue();
        assertThat(running.channel.isOpen()).isFalse();
        running.close();

        FrontProbe behind =
                new FrontProbe().send(get("/later", "") + get("/v1/tasks/x/stream", "") + get("/livez", ""));
        behind.halfClose();
        behind.kept.get(0).respondEmpty(204);
        assertThat(behind.ran).containsExactly("stream x");
        assertThat(behind.kept.get(1).ended()).isTrue();
        assertThat(behind.channel.isOpen()).isFalse();
        behind.close();
    }

    @Test
    void shouldEndALingeringCloseWhenTheClientHasSentAll() {
        FrontProbe probe =
                new FrontProbe().send("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n{");
        assertThat(probe.answers()).extracting(Answer::status).containsExactly(413);
        probe.halfClose();
        assertThat(probe.channel.isOpen()).isFalse();
        probe.close();
    }

    @Test
    void shouldAnswer500ToADefectAndGoOn() {
        FrontProbe probe = new FrontProbe();
        Answer answer = one(probe, get("/defect", ""));
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.body()).doesNotContain("purpose");
        assertThat(probe.defects).hasSize(1);
        assertThat(one(probe, get("/livez", "")).status()).isEqualTo(200);
        probe.close();
    }

    @Test
    void shouldEchoSaneCorrelationIdsAndReplaceOthers() {
        FrontProbe probe = new FrontProbe();
        assertThat(one(probe, get("/livez", "X-Correlation-Id: a\"b~1\r\n")).header("X-Correlation-Id"))
                .isEqualTo("a\"b~1");
        assertThat(one(probe, get("/livez", "x-request-id: r1\r\n")).header("X-Correlation-Id"))
                .isEqualTo("r1");
        for (String bad : List.of("", "a b", "\u00e9", "x".repeat(129))) {
            assertThat(one(probe, get("/livez", "X-Correlation-Id: " + bad + "\r\n"))
                            .header("X-Correlation-Id"))
                    .matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
        }
        probe.close();
    }

    @Test
    void shouldKeepOrCloseTheConnectionAsAsked() {
        FrontProbe old = new FrontProbe();
        assertThat(one(old, "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                        .header("Connection"))
                .isEqualTo("keep-alive");
        assertThat(one(old, "GET /livez HTTP/1.0\r\n\r\n").closes()).isTrue();
        assertThat(old.channel.isOpen()).isFalse();
        old.close();
        FrontProbe asked = new FrontProbe();
        assertThat(one(asked, get("/livez", "Connection: x, Close\r\n") + get("/livez", ""))
                        .closes())
                .isTrue();
        assertThat(asked.ran).hasSize(1);
        asked.close();
    }

    @Test
    void shouldSurviveMutationsOfValidRequests() {
        long seed = 20261123;
        Random random = new Random(seed);
        String[] parts = {
            "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
            "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;e\r\n\":1}\r\n0\r\n\r\n",
            "DELETE /v1/tasks/x HTTP/1.1\r\nHost: h\r\nX-Correlation-Id: c\r\n\r\n",
        };
        String tokens = "\r\n\t :,;/%*0x\0\u0080chunked";
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder();
            int requests = 1 + random.nextInt(3);
            for (int i = 0; i < requests; i++) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                int at = random.nextInt(text.length());
                char c = random.nextBoolean()
                        ? tokens.charAt(random.nextInt(tokens.length()))
                        : (char) random.nextInt(256);
                switch (random.nextInt(4)) {
                    case 0 -> text.setCharAt(at, c);
                    case 1 -> text.insert(at, c);
                    case 2 -> text.deleteCharAt(at);
                    default -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(40))));
                }
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
            FrontProbe probe = new FrontProbe();
            probe.send(bytes);
            List<Answer> answers = probe.answers();
            for (Answer answer : answers) {
                assertThat(answer.header("X-Correlation-Id")).isNotEmpty();
                boolean refused = answer.status() == 501 || answer.status() == 505;
                assertThat(answer.status() < 500 || refused)
                        .as("seed %d round %d: %s", seed, round, answer)
                        .isTrue();
            }
            assertThat(probe.defects).as("seed %d round %d", seed, round).isEmpty();
            assertThat(probe.ran.size()).as("seed %d round %d", seed, round).isLessThanOrEqualTo(answers.size());
            FrontProbe cut = new FrontProbe();
            int middle = random.nextInt(bytes.length + 1);
            cut.send(Arrays.copyOf(bytes, middle)).send(Arrays.copyOfRange(bytes, middle, bytes.length));
            assertThat(cut.answers())
                    .as("seed %d round %d cut %d", seed, round, middle)
                    .extracting(Answer::status)
                    .containsExactlyElementsOf(
                            answers.stream().map(Answer::status).toList());
            assertThat(cut.ran).isEqualTo(probe.ran);
            cut.close();
            probe.close();
        }
    }
}
