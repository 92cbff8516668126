package io.llamaorch.orchestratord.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.json.ByteSink;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The front over real sockets: what a client reads, to the last byte and the end of the connection. */
class HttpFrontIT {
    private static EventLoopGroup group;
    private static Channel server;

    @BeforeAll
    static void start() throws InterruptedException {
        Router router = new Router(List.of(
                Route.get(
                        "/livez",
                        Scope.NONE,
                        exchange -> exchange.respond(200, ContentType.of("text/plain"), new ByteSink(8).ascii("ok\n"))),
                Route.post("/v1/tasks", Scope.DATA, BodyPolicy.JSON, exchange -> exchange.context()
                        .executor()
                        .execute(() -> exchange.respond(
                                202, exchange.json().beginObject().endObject())))));
        boolean epoll = Epoll.isAvailable();
        group = new MultiThreadIoEventLoopGroup(1, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        server = new ServerBootstrap()
                .group(group)
                .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .childHandler(new HttpFront(HttpLimits.DEFAULT, router, ApiKeys.none(), HttpEvents.NONE))
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sync()
                .channel();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        server.close().sync();
        group.shutdownGracefully().sync();
    }

    /** Sends all, ignoring that the server may stop reading, and reads to the end of the connection. */
    private static List<Answer> talk(byte[] bytes) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(30_000);
            socket.connect(server.localAddress());
            OutputStream out = socket.getOutputStream();
            out.write(bytes);
            out.flush();
            return Answer.parse(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1));
        }
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void shouldAnswerPipelinedRequestsInOrderAndCloseWhenAsked() throws IOException {
        String post = "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
        String get = "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n";
        String last = "GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        List<Answer> answers = talk(latin1((post + get).repeat(500) + last));
        assertThat(answers).hasSize(1001);
        for (int i = 0; i < 1000; i++) {
            assertThat(answers.get(i).status()).isEqualTo(i % 2 == 0 ? 202 : 200);
        }
    }

    @Test
    void shouldLetTheClientReadWhyItsBodyWasRefused() throws IOException {
        String head = "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 1900000\r\n\r\n";
        for (int round = 0; round < 20; round++) {
            List<Answer> answers = talk(latin1(head + "a".repeat(900_000)));
            assertThat(answers).extracting(Answer::status).containsExactly(413);
        }
    }

    @Test
    void shouldRefuseEveryMalformedRequestOverSockets() throws IOException {
        for (MalformedRequests.Case malformed : MalformedRequests.all()) {
            if (malformed.bytes().startsWith("GET /livez") && malformed.bytes().length() < 20_000) {
                List<Answer> answers = talk(latin1(malformed.bytes()));
                assertThat(answers)
                        .as("%s", malformed)
                        .extracting(Answer::status)
                        .containsExactly(malformed.status());
            }
        }
    }
}
