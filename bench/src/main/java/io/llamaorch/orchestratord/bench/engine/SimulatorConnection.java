package io.llamaorch.orchestratord.bench.engine;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One client of the simulator: a request after the other, answered in order. A request that comes while a stream runs waits
 * for its end; a connection that ends aborts its stream. <b>Owner thread:</b> the loop.
 */
final class SimulatorConnection extends ChannelInboundHandlerAdapter {
    private static final int TOKENS_DEFAULT = 128;
    private static final ByteBuf STREAM_HEAD =
            shared(head("200 OK", "text/event-stream", "Transfer-Encoding: chunked"));
    private static final ByteBuf ADMITTED =
            shared(response("202 Accepted", "{\"id\":\"t0000000001\",\"status\":\"queued\"}"));
    private static final ByteBuf HEALTHY = shared(response("200 OK", "{\"status\":\"ok\"}"));
    private static final String NOT_FOUND = response(
            "404 Not Found", "{\"error\":{\"code\":404,\"message\":\"File Not Found\",\"type\":\"not_found_error\"}}");

    private final FrameTable frames;
    private final Pacer pacer;
    private final SimulatorStats stats;
    private final String props;
    private final RequestReader requests = new RequestReader();
    private @Nullable SimulatedStream stream;
    private @Nullable Channel channel;

    /** @param props body of {@code GET /props} */
    SimulatorConnection(FrameTable frames, Pacer pacer, SimulatorStats stats, String props) {
        this.frames = frames;
        this.pacer = pacer;
        this.stats = stats;
        this.props = response("200 OK", props);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf read = (ByteBuf) message;
        try {
            if (!requests.append(read)) {
                ctx.close();
                return;
            }
        } finally {
            read.release();
        }
        serve();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        SimulatedStream running = stream;
        if (running != null) {
            running.abort();
            stream = null;
            stats.aborted++;
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    /** The stream's last byte was written. */
    void onStreamComplete() {
        stream = null;
        stats.completed++;
        Channel open = channel;
        if (open != null) {
            open.eventLoop().execute(this::serve);
        }
    }

    private void serve() {
        Channel open = channel;
        if (open == null) {
            return;
        }
        try {
            while (stream == null && open.isActive() && requests.ready()) {
                route(open);
                requests.consume();
            }
        } catch (IllegalArgumentException e) {
            open.close();
        }
    }

    private void route(Channel open) {
        if (requests.line("POST /completion")) {
            long asked = requests.number("n_predict");
            int tokens = (int) Math.max(1, Math.min(frames.tokensMax(), asked < 0 ? TOKENS_DEFAULT : asked));
            open.writeAndFlush(STREAM_HEAD.duplicate(), open.voidPromise());
            SimulatedStream started = new SimulatedStream(this, open, frames, tokens);
            stream = started;
            stats.onStarted();
            pacer.add(started);
        } else if (requests.line("POST /v1/tasks")) {
            stats.admitted++;
            open.writeAndFlush(ADMITTED.duplicate(), open.voidPromise());
        } else if (requests.line("GET /health")) {
            open.writeAndFlush(HEALTHY.duplicate(), open.voidPromise());
        } else if (requests.line("GET /props")) {
            write(open, props);
        } else if (requests.line("GET /stats")) {
            write(open, response("200 OK", stats.json()));
        } else {
            write(open, NOT_FOUND);
        }
    }

    private static void write(Channel open, String text) {
        open.writeAndFlush(ByteBufUtil.writeUtf8(open.alloc(), text), open.voidPromise());
    }

    private static String response(String status, String json) {
        int length = json.getBytes(StandardCharsets.UTF_8).length;
        return head(status, "application/json", "Content-Length: " + length) + json;
    }

    private static String head(String status, String type, String framing) {
        return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\n" + framing + "\r\n\r\n";
    }

    private static ByteBuf shared(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return Unpooled.unreleasableBuffer(Unpooled.directBuffer(bytes.length).writeBytes(bytes));
    }
}
