package io.llamaorch.orchestratord.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@link ResponseScanner}, {@link EventScanner} and {@link StreamCheck}, together as a connection uses them. */
class ScannerTest {
    private static final String STREAM =
            """
            : queued position=0 eta_ms=0

            id: 1
            event: started
            data: {"queue_position":0}

            id: 2
            event: token
            data: {"t":" \\"i\\":7","i":0}

            id: 3
            event: metrics
            data: {"tokens_out":1}

            id: 4
            event: token
            data: {"t":"@12345","i":1}

            id: 5
            event: end
            data: {"tokens_out":2}

            """;

    @Test
    void shouldSeeTheSameEventsWhereverTheBytesAreCut() {
        byte[] response = bytes(chunked(STREAM, 23));
        List<String> whole = new Probe(Dialect.DAEMON).feed(response).seen;
        assertThat(whole)
                .containsExactly(
                        "head 200",
                        "STARTED 1 -1 0",
                        "TOKEN 2 0 0",
                        "METRICS 3 -1 0",
                        "TOKEN 4 1 12345",
                        "END 5 -1 0",
                        "complete true");
        for (int cut = 1; cut < response.length; cut++) {
            Probe probe = new Probe(Dialect.DAEMON);
            probe.feed(response, 0, cut).feed(response, cut, response.length);
            assertThat(probe.seen).as("cut at %d", cut).isEqualTo(whole);
        }
        Probe single = new Probe(Dialect.DAEMON);
        for (int at = 0; at < response.length; at++) {
            single.feed(response, at, at + 1);
        }
        assertThat(single.seen).isEqualTo(whole);
    }

    @Test
    void shouldCutChunksAnywhere() {
        List<String> whole = new Probe(Dialect.DAEMON).feed(bytes(chunked(STREAM, 10_000))).seen;
        for (int size = 1; size < 60; size++) {
            assertThat(new Probe(Dialect.DAEMON).feed(bytes(chunked(STREAM, size))).seen)
                    .isEqualTo(whole);
        }
    }

    @Test
    void shouldReadCarriageReturnsAtTheEndsOfLines() {
        Probe probe = new Probe(Dialect.DAEMON).feed(bytes(chunked(STREAM.replace("\n", "\r\n"), 7)));
        assertThat(probe.seen).contains("TOKEN 4 1 12345", "END 5 -1 0").doesNotContain("fault");
    }

    @Test
    void shouldReadLlamaFrames() {
        String stream =
                """
                data: {"index":0,"content":" tok","stop":false}

                data: {"index":0,"content":" \\"stop\\":true","stop":false}

                data: {"content":"","stop":true}

                """;
        assertThat(new Probe(Dialect.LLAMACPP).feed(bytes(chunked(stream, 11))).seen)
                .containsExactly("head 200", "TOKEN -1 -1 0", "TOKEN -1 -1 0", "END -1 -1 0", "complete true");
    }

    @Test
    void shouldReadChatChunks() {
        String stream =
                """
                data: {"choices":[{"delta":{"role":"assistant","content":null}}]}

                data: {"choices":[{"delta":{"content":"@77"}}]}

                data: [DONE]

                """;
        assertThat(new Probe(Dialect.OPENAI).feed(bytes(chunked(stream, 11))).seen)
                .containsExactly("head 200", "OTHER -1 -1 0", "TOKEN -1 -1 77", "END -1 -1 0", "complete true");
    }

    @Test
    void shouldReadAnswersOfKnownLengthAfterAnother() {
        String answer = String.join(
                "\r\n",
                List.of(
                        "HTTP/1.1 202 Accepted",
                        "Content-Length: 2",
                        "",
                        "{}HTTP/1.1 100 Continue",
                        "",
                        "HTTP/1.1 204 No Content",
                        "Connection: close",
                        "",
                        ""));
        Probe probe = new Probe(Dialect.DAEMON);
        probe.answers = 2;
        assertThat(probe.feed(bytes(answer)).seen)
                .containsExactly("head 202", "complete true", "head 204", "complete false");
    }

    @Test
    void shouldRefuseWhatIsNotHttp() {
        for (String answer : List.of(
                "HTTP/1.0 200 OK\r\n",
                "HTTP/1.1 2x0 OK\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n",
                "HTTP/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12345678\r\n")) {
            assertThat(new Probe(Dialect.DAEMON).feed(bytes(answer)).seen)
                    .as(answer)
                    .endsWith("fault MALFORMED_HTTP");
        }
        String twice = "HTTP/1.1 204 No Content\r\n\r\n".repeat(2);
        assertThat(new Probe(Dialect.DAEMON).feed(bytes(twice)).seen).endsWith("fault UNSOLICITED_BYTES");
    }

    @Test
    void shouldFindNothingWrongWithARightStream() {
        assertThat(faults(STREAM)).isEmpty();
    }

    @Test
    void shouldNoticeWrongIds() {
        assertThat(faults(STREAM.replace("id: 4", "id: 5"))).startsWith(Fault.ID_GAP);
        assertThat(faults(STREAM.replace("id: 4\n", ""))).startsWith(Fault.ID_GAP);
        assertThat(faults(STREAM.replace("id: 4", "id: 3"))).startsWith(Fault.ID_GAP);
        assertThat(faults(STREAM.replace("id: 4", "id: 4x"))).startsWith(Fault.ID_GAP);
        assertThat(faults(STREAM.replace("id: 1", "id: 0"))).startsWith(Fault.ID_GAP);
    }

    @Test
    void shouldNoticeWrongTokenIndices() {
        assertThat(faults(STREAM.replace("\"i\":1", "\"i\":2"))).containsExactly(Fault.INDEX_GAP);
        assertThat(faults(STREAM.replace("\"i\":1", "\"i\":0"))).containsExactly(Fault.INDEX_GAP);
        assertThat(faults(STREAM.replace(",\"i\":1", ""))).containsExactly(Fault.INDEX_GAP);
    }

    @Test
    void shouldNoticeAMissingOrSecondEnd() {
        String withoutEnd = STREAM.substring(0, STREAM.indexOf("id: 5"));
        assertThat(faults(withoutEnd)).containsExactly(Fault.NO_TERMINAL);
        assertThat(faults(STREAM + "id: 6\nevent: end\ndata: {}\n\n")).containsExactly(Fault.EVENT_AFTER_TERMINAL);
        assertThat(faults(STREAM + "id: 6\nevent: token\ndata: {\"t\":\"\",\"i\":2}\n\n"))
                .containsExactly(Fault.EVENT_AFTER_TERMINAL);
    }

    @Test
    void shouldNoticeTokensBeforeStarted() {
        String withoutStarted = STREAM.substring(STREAM.indexOf("id: 2")).replace("id: ", "id: x");
        assertThat(faults(withoutStarted)).isNotEmpty();
        assertThat(faults("id: 1\nevent: token\ndata: {\"t\":\"\",\"i\":0}\n\nid: 2\nevent: end\ndata: {}\n\n"))
                .startsWith(Fault.NOT_STARTED);
        assertThat(faults(STREAM.replace("metrics", "started"))).containsExactly(Fault.NOT_STARTED);
    }

    @Test
    void shouldNoticeUnknownEventsAndErrors() {
        assertThat(faults(STREAM.replace("metrics", "metric"))).containsExactly(Fault.MALFORMED_EVENT);
        assertThat(faults(STREAM.replace("data: {\"tokens_out\":1}", "data: {\ndata: }")))
                .containsExactly(Fault.MALFORMED_EVENT);
        assertThat(faults(STREAM.replace("event: end", "event: error"))).containsExactly(Fault.ERROR_EVENT);
    }

    @Test
    void shouldNoticeAWrongNumberOfTokens() {
        Probe probe = new Probe(Dialect.DAEMON);
        probe.check = new StreamCheck(Dialect.DAEMON, 3);
        assertThat(probe.feed(bytes(chunked(STREAM, 50))).faults).containsExactly(Fault.TOKEN_COUNT);
    }

    private static List<Fault> faults(String stream) {
        return new Probe(Dialect.DAEMON).feed(bytes(chunked(stream, 40))).faults;
    }

    private static String chunked(String body, int size) {
        StringBuilder text = new StringBuilder(String.join(
                "\r\n",
                List.of(
                        "HTTP/1.1 200 OK",
                        "content-type: text/event-stream",
                        "TRANSFER-Encoding: chunked",
                        "Connection: keep-alive",
                        "",
                        "")));
        for (int at = 0; at < body.length(); at += size) {
            String piece = body.substring(at, Math.min(body.length(), at + size));
            text.append(Integer.toHexString(piece.length()))
                    .append(at == 0 ? ";ext=1" : "")
                    .append("\r\n")
                    .append(piece)
                    .append("\r\n");
        }
        return text.append("0\r\n\r\n").toString();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Writes down what the scanners tell. */
    private static final class Probe implements ResponseScanner.Listener, EventScanner.Listener {
        final List<String> seen = new ArrayList<>();
        final List<Fault> faults = new ArrayList<>();
        StreamCheck check;
        int answers = 1;
        private final ResponseScanner responses = new ResponseScanner(this);
        private final EventScanner events;

        Probe(Dialect dialect) {
            events = new EventScanner(dialect, true, this);
            check = new StreamCheck(dialect, 0);
            responses.expect();
        }

        Probe feed(byte[] bytes) {
            return feed(bytes, 0, bytes.length);
        }

        /** Through a fresh array, so that nothing can be read beyond the piece. */
        Probe feed(byte[] bytes, int from, int to) {
            byte[] piece = java.util.Arrays.copyOfRange(bytes, from, to);
            responses.scan(piece, 0, piece.length);
            return this;
        }

        @Override
        public void onHead(int status) {
            seen.add("head " + status);
        }

        @Override
        public void onBody(byte[] bytes, int from, int to) {
            events.scan(bytes, from, to);
        }

        @Override
        public void onComplete(boolean keepAlive) {
            seen.add("complete " + keepAlive);
            Fault fault = check.onEndOfBody();
            if (fault != null) {
                faults.add(fault);
            }
            if (--answers > 0) {
                responses.expect();
            }
        }

        @Override
        public void onFault(Fault fault) {
            seen.add("fault " + fault);
        }

        @Override
        public void onEvent(EventKind kind, long id, long index, long stampNs) {
            seen.add(kind + " " + id + " " + index + " " + stampNs);
            Fault fault = check.onEvent(kind, id, index);
            if (fault != null) {
                faults.add(fault);
            }
        }
    }
}
