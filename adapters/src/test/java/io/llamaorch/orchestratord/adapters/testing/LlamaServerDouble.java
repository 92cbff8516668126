package io.llamaorch.orchestratord.adapters.testing;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A llama-server without a model, wire-faithful to engines.md §1 and scriptable in its faults ({@link DoubleScript}).
 *
 * <pre>
 *   main:  [--port=0] [--slots=4] [--ctx=4096] [--loading=1] and any knob of DoubleScript: [--pace=20] [--ttft=100] …
 *          prints "PORT n" on stdout; ends when stdin ends, as it does when the parent dies
 *   POST /__control {"slots":2,"loading":1,"pace":20,"fault":"close@5","api_key":"k","refuse_ms":500}
 *   GET  /__stats   {"running","running_max","deferred","open","requests","completed","aborted","last_abort_epoch_ms",…}
 * </pre>
 */
@SuppressWarnings("FutureReturnValueIgnored")
public final class LlamaServerDouble implements AutoCloseable {
    static final byte[] STREAM_HEAD = String.join(
                    "\r\n",
                    "HTTP/1.1 200 OK",
                    "Keep-Alive: timeout=5, max=100",
                    "Content-Type: text/event-stream",
                    "Server: llama.cpp",
                    "Transfer-Encoding: chunked",
                    "Access-Control-Allow-Origin: ",
                    "",
                    "")
            .getBytes(StandardCharsets.US_ASCII);

    private static final int BACKLOG = 4096;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final DoubleState state = new DoubleState();
    private @Nullable Channel listener;
    private int port;

    private LlamaServerDouble() {}

    /** Starts one in this process on a free port. */
    public static LlamaServerDouble start(Map<String, String> knobs) {
        LlamaServerDouble server = new LlamaServerDouble();
        server.control(knobs);
        server.bind(Integer.parseInt(knobs.getOrDefault("port", "0")));
        return server;
    }

    /** Runs one as a process. */
    public static void main(String[] args) throws IOException {
        Map<String, String> knobs = new java.util.LinkedHashMap<>();
        for (String arg : args) {
            String bare = arg.startsWith("--") ? arg.substring(2) : arg;
            int equals = bare.indexOf('=');
            knobs.put(equals < 0 ? bare : bare.substring(0, equals), equals < 0 ? "1" : bare.substring(equals + 1));
        }
        LlamaServerDouble server = start(knobs);
        System.out.println("PORT " + server.port());
        System.out.flush();
        while (System.in.read() >= 0) {
            // Nothing is said on stdin; its end is the parent's.
        }
        Runtime.getRuntime().halt(0);
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /** Its base URL. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** What {@code GET /__stats} answers. */
    public String stats() {
        try {
            return group.submit(state::statsJson).get();
        } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Sets knobs; on the loop once it listens. */
    void control(Map<String, String> knobs) {
        for (Map.Entry<String, String> knob : knobs.entrySet()) {
            String value = knob.getValue();
            switch (knob.getKey()) {
                case "port" -> {}
                case "slots" -> state.slots = Integer.parseInt(value);
                case "ctx" -> state.ctx = Integer.parseInt(value);
                case "loading" -> state.loading = value.equals("1") || value.equals("true");
                case "api_key" -> state.apiKey = value;
                case "refuse_ms" -> refuse(Long.parseLong(value));
                default -> state.defaults.set(knob.getKey(), value);
            }
        }
    }

    private void refuse(long ms) {
        Channel open = listener;
        if (open != null) {
            listener = null;
            open.close().addListener(done -> group.schedule(() -> bind(port), ms, TimeUnit.MILLISECONDS));
        }
    }

    private void bind(int wanted) {
        var binding = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel ch) {
                        ch.pipeline().addLast(new DoubleConnection(LlamaServerDouble.this, state));
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted));
        if (!group.next().inEventLoop()) {
            binding.syncUninterruptibly();
            port = ((InetSocketAddress) binding.channel().localAddress()).getPort();
        }
        listener = binding.channel();
    }
}
