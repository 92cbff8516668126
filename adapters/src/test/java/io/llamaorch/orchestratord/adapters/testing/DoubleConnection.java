package io.llamaorch.orchestratord.adapters.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One client of a double: reads a request, hands it to the dialect. One request a connection. */
@SuppressWarnings("FutureReturnValueIgnored")
final class DoubleConnection extends ChannelInboundHandlerAdapter {
    private final EngineDouble server;
    private final DoubleState state;
    private final ByteBuf in = Unpooled.buffer(512);
    private @Nullable DoubleStream stream;
    private boolean answered;

    DoubleConnection(EngineDouble server, DoubleState state) {
        this.server = server;
        this.state = state;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        state.open++;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        state.open--;
        in.release();
        if (stream != null) {
            stream.disconnected();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf buf = (ByteBuf) msg;
        if (!answered) {
            in.writeBytes(buf);
        }
        buf.release();
        if (answered) {
            return;
        }
        String text = in.toString(StandardCharsets.ISO_8859_1);
        int headEnd = text.indexOf("\r\n\r\n");
        if (headEnd < 0) {
            return;
        }
        String head = text.substring(0, headEnd + 2);
        int length = 0;
        for (String line : head.split("\r\n", -1)) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        if (in.readableBytes() < headEnd + 4 + length) {
            return;
        }
        answered = true;
        state.requests++;
        byte[] body = new byte[length];
        in.getBytes(in.readerIndex() + headEnd + 4, body);
        String[] line = head.substring(0, head.indexOf("\r\n")).split(" ", -1);
        int mark = line[1].indexOf('?');
        String path = mark < 0 ? line[1] : line[1].substring(0, mark);
        String query = mark < 0 ? "" : line[1].substring(mark + 1);
        Received received = new Received(ctx, line[0] + " " + path, query, head, body);
        try {
            route(received);
        } catch (IOException | IllegalArgumentException e) {
            String message = DoubleJson.escape(String.valueOf(e.getMessage()));
            received.reply(400, server.dialect().error(400, "invalid_request_error", message));
        }
    }

    private void route(Received request) throws IOException {
        switch (request.what) {
            case "GET /__stats" -> request.reply(200, state.statsJson());
            case "GET /__last" -> request.reply(200, state.lastBody);
            case "POST /__control" -> {
                server.control(DoubleJson.members(request.body));
                request.reply(200, "{}");
            }
            default -> {
                if (request.body.length > 0) {
                    state.lastBody = new String(request.body, StandardCharsets.UTF_8);
                }
                if (!state.stallProbes || !request.what.startsWith("GET ")) {
                    server.dialect().route(request);
                }
            }
        }
    }

    private final class Received implements DoubleExchange {
        private final ChannelHandlerContext ctx;
        private final String what;
        private final String query;
        private final String head;
        private final byte[] body;

        Received(ChannelHandlerContext ctx, String what, String query, String head, byte[] body) {
            this.ctx = ctx;
            this.what = what;
            this.query = query;
            this.head = head;
            this.body = body;
        }

        @Override
        public String what() {
            return what;
        }

        @Override
        public String query() {
            return query;
        }

        @Override
        public String head() {
            return head;
        }

        @Override
        public byte[] body() {
            return body;
        }

        @Override
        public DoubleState state() {
            return state;
        }

        @Override
        public void reply(int status, String json) {
            reply(status, "application/json", json);
        }

        @Override
        public void reply(int status, String type, String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            String start = "HTTP/1.1 " + status + " Status\r\nConnection: close\r\nContent-Type: " + type
                    + "\r\nContent-Length: " + bytes.length + "\r\n\r\n";
            ctx.writeAndFlush(Unpooled.wrappedBuffer(start.getBytes(StandardCharsets.US_ASCII), bytes))
                    .addListener(ChannelFutureListener.CLOSE);
        }

        @Override
        public void stream(DoubleScript script, String prompt, long seed, int limit) {
            DoubleStream started =
                    new DoubleStream(server.dialect(), state, ctx.channel(), script, prompt, seed, limit);
            stream = started;
            state.enter(started);
        }
    }
}
