package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.HttpResponseParser.Result;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpResponseParserTest {
    private static final String CHUNKED =
            """
            HTTP/1.1 100 Continue

            HTTP/1.1 200 OK
            Keep-Alive: timeout=5, max=100
            Content-Type: text/event-stream
            Transfer-Encoding: chunked

            5;ext="a;b"
            hello
            00A
             wide worl
            1
            d
            0
            Trailer: x

            """
                    .replace("\n", "\r\n");

    private static final class Seen implements HttpResponseParser.Listener {
        final StringBuilder body = new StringBuilder();
        int heads;

        @Override
        public void onHead() {
            heads++;
        }

        @Override
        public void onBody(ByteBuf buf, int offset, int length) {
            assertThat(length).isPositive();
            body.append(buf.toString(offset, length, StandardCharsets.ISO_8859_1));
        }
    }

    private static Result feed(HttpResponseParser parser, String text, int cut) {
        ByteBuf a = Unpooled.copiedBuffer(text.substring(0, cut), StandardCharsets.ISO_8859_1);
        ByteBuf b = Unpooled.copiedBuffer(text.substring(cut), StandardCharsets.ISO_8859_1);
        parser.parse(a);
        Result result = parser.parse(b);
        a.release();
        b.release();
        return result;
    }

    @Test
    void shouldReadTheSameWhereverTheBytesAreCut() {
        for (int cut = 0; cut <= CHUNKED.length(); cut++) {
            Seen seen = new Seen();
            HttpResponseParser parser = new HttpResponseParser(seen);
            assertThat(feed(parser, CHUNKED, cut)).as("cut at %d", cut).isEqualTo(Result.COMPLETE);
            assertThat(seen.body.toString()).isEqualTo("hello wide world");
            assertThat(seen.heads).isEqualTo(1);
            assertThat(parser.status()).isEqualTo(200);
            assertThat(parser.isEventStream()).isTrue();
            assertThat(parser.isReusable()).isTrue();
        }
    }

    @Test
    void shouldSayTruncatedWhenTheEndComesWithoutTheLastChunk() {
        int last = CHUNKED.indexOf("\r\n0\r\n") + 2;
        for (int end = 1; end < CHUNKED.length(); end++) {
            HttpResponseParser parser = new HttpResponseParser(new Seen());
            Result result = feed(parser, CHUNKED.substring(0, end), end / 2);
            assertThat(result).isEqualTo(Result.NEEDS_MORE);
            assertThat(parser.eof()).as("end %d of %d", end, last).isEqualTo(Result.BROKEN);
        }
    }

    @Test
    void shouldEndWithTheConnectionWhenNothingElseFramesTheBody() {
        Seen seen = new Seen();
        HttpResponseParser parser = new HttpResponseParser(seen);
        assertThat(feed(parser, "HTTP/1.0 200 OK\nContent-Type: a/b\n\nabc", 30))
                .isEqualTo(Result.NEEDS_MORE);
        assertThat(parser.eof()).isEqualTo(Result.COMPLETE);
        assertThat(seen.body.toString()).isEqualTo("abc");
        assertThat(parser.isReusable()).isFalse();
    }

    @Test
    void shouldLeaveWhatFollowsWhenTheBodyHasALength() {
        Seen seen = new Seen();
        HttpResponseParser parser = new HttpResponseParser(seen);
        ByteBuf in = Unpooled.copiedBuffer(
                "HTTP/1.1 500 E\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 204 N\r\n\r\n", StandardCharsets.ISO_8859_1);
        assertThat(parser.parse(in)).isEqualTo(Result.COMPLETE);
        assertThat(in.readableBytes()).isEqualTo(18);
        parser.reset();
        assertThat(parser.parse(in)).isEqualTo(Result.COMPLETE);
        assertThat(parser.status()).isEqualTo(204);
        in.release();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/2 200 OK\r\n\r\n",
                "HTTP/1.1 2000 OK\r\n\r\n",
                "HTTP/1.1 099 OK\r\n\r\n",
                "ICY 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
                "HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nName : 1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: \u0001\r\n\r\n",
                "HTTP/1.1 101 Switch\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nab",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
            })
    void shouldRefuseWhenTheBytesAreNotHttp(String text) {
        for (int cut = 0; cut <= text.length(); cut++) {
            HttpResponseParser parser = new HttpResponseParser(new Seen());
            assertThat(feed(parser, text, cut)).isEqualTo(Result.BROKEN);
            assertThat(parser.problem()).isNotEmpty();
        }
    }

    @Test
    void shouldRefuseWhenLinesPassTheirLimits() {
        String head = "HTTP/1.1 200 OK\r\n";
        for (String text : List.of(
                head + "A: " + "x".repeat(9000) + "\r\n\r\n",
                head + "A: b\r\n".repeat(101) + "\r\n",
                "HTTP/1.1 100 C\r\n\r\n".repeat(17),
                head + "Transfer-Encoding: chunked\r\n\r\n1;" + "x".repeat(2000) + "\r\n",
                head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + "A: b\r\n".repeat(101) + "\r\n")) {
            HttpResponseParser parser = new HttpResponseParser(new Seen());
            assertThat(feed(parser, text, text.length() / 2)).isEqualTo(Result.BROKEN);
        }
    }

    @Test
    void shouldNeverThrowWhenBytesAreMutated() {
        long seed = 20260101;
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            char[] chars = CHUNKED.toCharArray();
            for (int k = random.nextInt(4); k >= 0; k--) {
                chars[random.nextInt(chars.length)] = (char) random.nextInt(256);
            }
            String text = new String(chars);
            Seen seen = new Seen();
            HttpResponseParser parser = new HttpResponseParser(seen);
            Result result = feed(parser, text, random.nextInt(text.length()));
            parser.eof();
            assertThat(seen.body.length()).as("seed %d round %d", seed, round).isLessThan(CHUNKED.length());
            assertThat(result).isNotNull();
        }
    }

    @Test
    void shouldStopBetweenChunksWhenSuspended() {
        StringBuilder body = new StringBuilder();
        HttpResponseParser[] self = new HttpResponseParser[1];
        self[0] = new HttpResponseParser(new HttpResponseParser.Listener() {
            @Override
            public void onHead() {}

            @Override
            public void onBody(ByteBuf buf, int offset, int length) {
                body.append(buf.toString(offset, length, StandardCharsets.ISO_8859_1))
                        .append('|');
                self[0].suspend();
            }
        });
        ByteBuf in = Unpooled.copiedBuffer(CHUNKED, StandardCharsets.ISO_8859_1);
        assertThat(self[0].parse(in)).isEqualTo(Result.SUSPENDED);
        assertThat(body.toString()).isEqualTo("hello|");
        assertThat(self[0].parse(in)).isEqualTo(Result.SUSPENDED);
        assertThat(self[0].parse(in)).isEqualTo(Result.SUSPENDED);
        assertThat(self[0].parse(in)).isEqualTo(Result.COMPLETE);
        assertThat(body.toString()).isEqualTo("hello| wide worl|d|");
        in.release();
    }
}
