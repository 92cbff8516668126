package io.llamaorch.orchestratord.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.auth.ApiKeys;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Malformed bytes, however they are cut: one answer, in order, and nothing behind them runs. */
class RequestGateTest {
    private static final String GET = "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n";
    private static final String POST =
            "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
    private static final String POST_CHUNKED =
            "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String CHUNKED = POST_CHUNKED + "3;x=y\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nT: u\r\n\r\n";

    @Test
    void shouldRefuseEveryMalformedRequestOnceAndClose() {
        List<MalformedRequests.Case> cases = MalformedRequests.all();
        assertThat(cases).hasSizeGreaterThan(120);
        for (MalformedRequests.Case malformed : cases) {
            expectRefusal(malformed, new FrontProbe().send(malformed.bytes()), 0);
        }
    }

    @Test
    void shouldGiveTheSameAnswerWhereverTheBytesAreCut() {
        for (MalformedRequests.Case malformed : MalformedRequests.all()) {
            byte[] bytes = malformed.bytes().getBytes(StandardCharsets.ISO_8859_1);
            for (int cut = 1; cut < bytes.length; cut = nextCut(cut, bytes.length)) {
                FrontProbe probe = new FrontProbe()
                        .send(Arrays.copyOf(bytes, cut))
                        .send(Arrays.copyOfRange(bytes, cut, bytes.length));
                expectRefusal(malformed, probe, 0);
            }
        }
    }

    /** Every byte; within a filler of a megabyte, whose bytes are all the same, not each of them. */
    private static int nextCut(int cut, int length) {
        boolean filler = cut >= 20_000 && cut + 8_192 < length;
        return filler ? cut + 8_191 : cut + 1;
    }

    @Test
    void shouldGiveTheSameAnswerToSingleBytes() {
        for (MalformedRequests.Case malformed : MalformedRequests.all()) {
            byte[] bytes = malformed.bytes().getBytes(StandardCharsets.ISO_8859_1);
            if (bytes.length > 20_000) {
                continue;
            }
            FrontProbe probe = new FrontProbe();
            for (byte b : bytes) {
                probe.send(new byte[] {b});
            }
            expectRefusal(malformed, probe, 0);
        }
    }

    @Test
    void shouldAnswerValidRequestsBeforeTheMalformedOneBehindThem() {
        for (MalformedRequests.Case malformed : MalformedRequests.all()) {
            FrontProbe probe = new FrontProbe().send(GET + POST + CHUNKED + malformed.bytes() + GET);
            expectRefusal(malformed, probe, 3);
        }
    }

    private static void expectRefusal(MalformedRequests.Case malformed, FrontProbe probe, int before) {
        List<Answer> answers = probe.answers();
        assertThat(answers).as("%s", malformed).hasSize(before + 1);
        Answer last = answers.get(before);
        assertThat(last.status()).as("%s: %s", malformed, last).isEqualTo(malformed.status());
        assertThat(last.closes()).as("%s", malformed).isTrue();
        assertThat(last.header("X-Correlation-Id")).isNotEmpty();
        assertThat(last.header("Content-Type")).isEqualTo("application/json");
        assertThat(last.header("x-should-retry")).isEqualTo("false");
        assertThat(last.body()).contains("\"correlation_id\":\"" + last.header("X-Correlation-Id") + "\"");
        assertThat(probe.ran).as("%s", malformed).hasSize(before);
        assertThat(probe.channel.isOpen()).as("%s", malformed).isFalse();
        assertThat(probe.defects).isEmpty();
        probe.close();
    }

    @Test
    void shouldRunValidRequestsWhereverTheyAreCut() {
        byte[] bytes = ("\r\n" + GET + POST + "\r\n\r\n" + CHUNKED + GET).getBytes(StandardCharsets.ISO_8859_1);
        for (int cut = 0; cut <= bytes.length; cut++) {
            FrontProbe probe =
                    new FrontProbe().send(Arrays.copyOf(bytes, cut)).send(Arrays.copyOfRange(bytes, cut, bytes.length));
            assertThat(probe.answers()).extracting(Answer::status).containsExactly(200, 202, 202, 200);
            assertThat(probe.ran).containsExactly("livez", "tasks {\"a\":1}", "tasks {\"a\":1}", "livez");
            probe.close();
        }
    }

    @Test
    void shouldRunValidRequestsOfSingleBytes() {
        FrontProbe probe = new FrontProbe();
        for (byte b : (GET + POST + CHUNKED + GET).getBytes(StandardCharsets.ISO_8859_1)) {
            probe.send(new byte[] {b});
        }
        assertThat(probe.answers()).extracting(Answer::status).containsExactly(200, 202, 202, 200);
        probe.close();
    }

    @Test
    void shouldAcceptUnusualButValidRequests() {
        for (String head : List.of(
                "GET http://h/livez HTTP/1.1\r\nHost: h\r\n",
                "GET HTTP://H:80/livez?x HTTP/1.1\r\nHost: h:80\r\n",
                "GET /livez?a=%00%ff&b=[c] HTTP/1.1\r\nHost: [::1]:80\r\n",
                "GET /%6civez HTTP/1.1\r\nHost: h\r\n",
                "GET /livez HTTP/1.0\r\n",
                "GET /livez HTTP/1.1\r\nHost:h\r\nX:\r\nY: \u00e9\u00ff\r\nZ:\t a \t\r\n",
                "GET /livez HTTP/1.1\r\nHost: h\r\nContent-Length: 000\r\n")) {
            FrontProbe probe = new FrontProbe().send(head + "\r\n");
            assertThat(probe.answers()).as(head).extracting(Answer::status).containsExactly(200);
            probe.close();
        }
    }

    @Test
    void shouldReadPastChunkExtensionsWhereverTheyAreCut() {
        byte[] bytes = (POST_CHUNKED + "3;a;b=c;d=\"\";e=\"f ;\\\"\\\\g\"\r\n{\"a\r\n4;h=i\r\n\":1}\r\n0;j\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        for (int cut = 0; cut <= bytes.length; cut++) {
            FrontProbe probe =
                    new FrontProbe().send(Arrays.copyOf(bytes, cut)).send(Arrays.copyOfRange(bytes, cut, bytes.length));
            assertThat(probe.answers()).extracting(Answer::status).containsExactly(202);
            assertThat(probe.ran).containsExactly("tasks {\"a\":1}");
            probe.close();
        }
    }

    @Test
    void shouldHoldToEachHeadLimit() {
        HttpLimits limits = new HttpLimits(100, 110, 300, 5, 50, 20, 4096, 4096, 1000, 1000, 1000, 1000, 10, 0);
        int fixed = "GET / HTTP/1.1".length();
        expectStatus(limits, "GET /" + "a".repeat(100 - fixed) + " HTTP/1.1\r\nHost: h\r\n\r\n", 404);
        expectStatus(limits, "GET /" + "a".repeat(101 - fixed) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414);
        expectStatus(limits, "GET /livez HTTP/1.1\r\nHost: h\r\nX:" + "a".repeat(108) + "\r\n\r\n", 200);
        expectStatus(limits, "GET /livez HTTP/1.1\r\nHost: h\r\nX:" + "a".repeat(109) + "\r\n\r\n", 431);
        expectStatus(limits, "GET /livez HTTP/1.1\r\nHost: h\r\n" + "X: y\r\n".repeat(4) + "\r\n", 200);
        expectStatus(limits, "GET /livez HTTP/1.1\r\nHost: h\r\n" + "X: y\r\n".repeat(5) + "\r\n", 431);
        String three = "Host: h\r\n" + ("X:" + "a".repeat(96) + "\r\n").repeat(2); // 9 + 200 bytes
        expectStatus(limits, "GET /livez HTTP/1.1\r\n" + three + "Y:" + "b".repeat(87) + "\r\n\r\n", 200);
        expectStatus(limits, "GET /livez HTTP/1.1\r\n" + three + "Y:" + "b".repeat(88) + "\r\n\r\n", 431);
    }

    @Test
    void shouldHoldToTheBodyLimit() {
        HttpLimits limits = new HttpLimits(100, 110, 300, 5, 50, 20, 4096, 4096, 1000, 1000, 1000, 1000, 10, 0);
        String post = "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n";
        expectStatus(limits, post + "Content-Length: 50\r\n\r\n" + "a".repeat(50), 202);
        expectStatus(limits, post + "Content-Length: 51\r\n\r\n" + "a".repeat(51), 413);
        expectStatus(limits, post + "Transfer-Encoding: chunked\r\n\r\n32\r\n" + "a".repeat(50) + "\r\n0\r\n\r\n", 202);
        expectStatus(limits, post + "Transfer-Encoding: chunked\r\n\r\n33\r\n" + "a".repeat(51) + "\r\n0\r\n\r\n", 413);
    }

    private static void expectStatus(HttpLimits limits, String bytes, int status) {
        FrontProbe probe = new FrontProbe(limits, ApiKeys.none()).send(bytes);
        assertThat(probe.answers()).as(bytes).extracting(Answer::status).containsExactly(status);
        probe.close();
    }

    @Test
    void shouldHoldWhatIsPipelinedUntilTheAnswerAndStopReadingPastTheBound() {
        FrontProbe probe = new FrontProbe();
        probe.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n" + GET);
        assertThat(probe.ran).isEmpty();
        assertThat(probe.channel.config().isAutoRead()).isTrue();
        StringBuilder many = new StringBuilder();
        while (many.length() < HttpLimits.DEFAULT.heldBytesMax()) {
            many.append(GET);
        }
        probe.send(many.toString());
        assertThat(probe.channel.config().isAutoRead()).isFalse();
        probe.kept.get(0).respondEmpty(204);
        assertThat(probe.channel.config().isAutoRead()).isTrue();
        List<Answer> answers = probe.answers();
        assertThat(answers.get(0).status()).isEqualTo(204);
        assertThat(answers).hasSize(2 + many.length() / GET.length());
        probe.close();
    }

    @Test
    void shouldAnswer408ToAHeadThatDrips() {
        FrontProbe probe = new FrontProbe().send("GET /livez HTTP/1.1\r\nHo");
        probe.tick(HttpLimits.DEFAULT.headMs());
        assertThat(probe.written()).isEmpty();
        probe.send("st");
        probe.tick(2 * LoopTicks.TICK_MS);
        List<Answer> answers = probe.answers();
        assertThat(answers).extracting(Answer::status).containsExactly(408);
        assertThat(answers.get(0).closes()).isTrue();
        assertThat(probe.channel.isOpen()).isFalse();
        probe.close();
    }

    @Test
    void shouldAnswer408ToABodyThatDrips() {
        FrontProbe probe = new FrontProbe()
                .send("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nX-Correlation-Id: mine\r\nContent-Length: 9\r\n\r\n{");
        probe.tick(HttpLimits.DEFAULT.bodyMs());
        assertThat(probe.written()).isEmpty();
        probe.tick(2 * LoopTicks.TICK_MS);
        List<Answer> answers = probe.answers();
        assertThat(answers).extracting(Answer::status).containsExactly(408);
        assertThat(answers.get(0).header("X-Correlation-Id")).isEqualTo("mine");
        assertThat(probe.ran).isEmpty();
        probe.close();
    }

    @Test
    void shouldCloseAnIdleConnectionSilentlyAndNeverOneThatWaitsForItsAnswer() {
        FrontProbe idle = new FrontProbe().send(GET);
        assertThat(idle.answers()).hasSize(1);
        idle.tick(HttpLimits.DEFAULT.idleMs());
        assertThat(idle.channel.isOpen()).isTrue();
        idle.tick(2 * LoopTicks.TICK_MS);
        assertThat(idle.channel.isOpen()).isFalse();
        assertThat(idle.written()).isEmpty();
        idle.close();

        FrontProbe waiting = new FrontProbe().send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
        waiting.tick(10 * HttpLimits.DEFAULT.idleMs());
        assertThat(waiting.channel.isOpen()).isTrue();
        waiting.kept.get(0).respondEmpty(204);
        assertThat(waiting.answers()).hasSize(1);
        waiting.close();
    }

    @Test
    void shouldEchoTheCorrelationIdThatCameBeforeTheFault() {
        FrontProbe probe =
                new FrontProbe().send("GET /livez HTTP/1.1\r\nHost: h\r\nX-Correlation-Id: abc\r\nX : y\r\n\r\n");
        assertThat(probe.answers().get(0).header("X-Correlation-Id")).isEqualTo("abc");
        probe.close();
    }
}
