package io.llamaorch.orchestratord.adapters.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One client of a double: reads a request, has it routed. One request a connection. */
@SuppressWarnings("FutureReturnValueIgnored")
final class EngineDoubleConnection extends ChannelInboundHandlerAdapter {
    private final EngineDouble engine;
    private final ByteBuf in = Unpooled.buffer(512);
    private @Nullable SocketChannel channel;
    private @Nullable EngineDoubleStream stream;
    private boolean answered;

    EngineDoubleConnection(EngineDouble engine) {
        this.engine = engine;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = (SocketChannel) ctx.channel();
        engine.state.open++;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        engine.state.open--;
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
        String text = in.toString(StandardCharsets.ISO_8859_1);
        int headEnd = text.indexOf("\r\n\r\n");
        if (answered || headEnd < 0) {
            return;
        }
        int length = 0;
        String[] lines = text.substring(0, headEnd).split("\r\n", -1);
        for (String line : lines) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        if (in.readableBytes() < headEnd + 4 + length) {
            return;
        }
        answered = true;
        engine.state.requests++;
        byte[] body = new byte[length];
        in.getBytes(in.readerIndex() + headEnd + 4, body);
        String[] line = lines[0].split(" ", -1);
        try {
            route(line[0] + " " + line[1], body);
        } catch (IOException | IllegalArgumentException e) {
            reply(400, "text/plain", String.valueOf(e.getMessage()));
        }
    }

    private void route(String what, byte[] body) throws IOException {
        switch (what) {
            case "GET /__stats" -> reply(200, "application/json", engine.state.statsJson());
            case "POST /__control" -> {
                engine.control(DoubleJson.members(body));
                reply(200, "application/json", "{}");
            }
            default -> engine.route(this, what, body);
        }
    }

    Channel channel() {
        SocketChannel open = channel;
        if (open == null) {
            throw new IllegalStateException("not connected");
        }
        return open;
    }

    /** Answers with an event stream, told of the client's leaving. */
    void stream(EngineDoubleStream started) {
        stream = started;
        started.begin();
    }

    void reply(int status, String type, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 " + status + " Status\r\nConnection: close\r\nContent-Type: " + type
                + "\r\nContent-Length: " + bytes.length + "\r\n\r\n";
        channel()
                .writeAndFlush(Unpooled.wrappedBuffer(head.getBytes(StandardCharsets.US_ASCII), bytes))
                .addListener(ChannelFutureListener.CLOSE);
    }
}
