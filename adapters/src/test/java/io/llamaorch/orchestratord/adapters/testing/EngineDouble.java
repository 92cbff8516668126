package io.llamaorch.orchestratord.adapters.testing;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * An engine without a model, wire-faithful to engines.md ({@link DoubleDialect}) and scriptable in its faults
 * ({@link DoubleScript}).
 *
 * <pre>
 *   main:  [--engine=llamacpp|vllm|sglang|ollama|openai|tgi|triton] [--port=0] [--slots=4] [--ctx=4096] [--loading=1] and any knob of DoubleScript: [--pace=20] [--ttft=100] …
 *          prints "PORT n" on stdout; ends when stdin ends, as it does when the parent dies
 *          --model=NAME: as an engine that is given its model, and goes on without stdin; NAME that ends in "bad": exits
 *          with status 1; in "never": does not get ready
 *   POST /__control {"slots":2,"loading":1,"pace":20,"fault":"close@5","api_key":"k","refuse_ms":500,"stall_probes":1,"models":"a,b"}
 *   GET  /__last    the last body posted
 *   GET  /__stats   {"running","running_max","deferred","open","requests","completed","aborted","last_abort_epoch_ms",…}
 * </pre>
 */
@SuppressWarnings("FutureReturnValueIgnored")
public final class EngineDouble implements AutoCloseable {
    private static final int BACKLOG = 4096;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final DoubleState state = new DoubleState();
    private final DoubleDialect dialect;
    private final @Nullable SSLContext tls;
    private @Nullable Channel listener;
    private int port;

    private EngineDouble(DoubleDialect dialect, @Nullable SSLContext tls) {
        this.dialect = dialect;
        this.tls = tls;
    }

    /** Starts one in this process on a free port; of the knob {@code engine}, llama-server without it. */
    public static EngineDouble start(Map<String, String> knobs) {
        return start(dialect(knobs.getOrDefault("engine", "llamacpp")), knobs);
    }

    /** Starts one of a dialect of its own. */
    public static EngineDouble start(DoubleDialect dialect, Map<String, String> knobs) {
        return start(dialect, null, knobs);
    }

    /** Starts a llama-server behind TLS. */
    public static EngineDouble startTls(SSLContext tls, Map<String, String> knobs) {
        return start(new LlamaDialect(), tls, knobs);
    }

    private static EngineDouble start(DoubleDialect dialect, @Nullable SSLContext tls, Map<String, String> knobs) {
        EngineDouble server = new EngineDouble(dialect, tls);
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
        String model = knobs.remove("model");
        if (model != null && model.endsWith("bad")) {
            System.err.println("error loading model: no such file: " + model);
            Runtime.getRuntime().halt(1);
        }
        if (model != null && model.endsWith("never")) {
            knobs.put("loading", "1");
        }
        EngineDouble server = start(knobs);
        System.out.println("PORT " + server.port());
        System.out.flush();
        if (model != null) {
            return; // its event loop goes on
        }
        while (System.in.read() >= 0) {
            // Nothing is said on stdin; its end is the parent's.
        }
        Runtime.getRuntime().halt(0);
    }

    private static DoubleDialect dialect(String name) {
        for (OpenAiDialect each : OpenAiDialect.values()) {
            if (each.engine().equals(name)) {
                return each;
            }
        }
        return switch (name) {
            case "llamacpp" -> new LlamaDialect();
            case "tgi" -> new TgiDialect();
            case "triton" -> new TritonDialect();
            default -> throw new IllegalArgumentException("no double of " + name);
        };
    }

    DoubleDialect dialect() {
        return dialect;
    }

    /** The last body posted. */
    public String lastBody() {
        return onLoop(() -> state.lastBody);
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /** Its base URL. */
    public URI url() {
        return URI.create((tls == null ? "http" : "https") + "://127.0.0.1:" + port);
    }

    /** What {@code GET /__stats} answers. */
    public String stats() {
        return onLoop(state::statsJson);
    }

    /** Sets knobs while it runs. */
    public void set(String knob, String value) {
        onLoop(() -> {
            control(Map.of(knob, value));
            return "";
        });
    }

    private String onLoop(Callable<String> what) {
        try {
            return group.submit(what).get();
        } catch (InterruptedException | ExecutionException e) {
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
                case "port", "engine" -> {}
                case "fail_all" -> List.copyOf(state.active).forEach(stream -> stream.failNow(value));
                case "stall_probes" -> state.stallProbes = value.equals("1");
                case "models" -> {
                    for (String model : value.split(",", -1)) {
                        state.models.put(model, "unloaded");
                    }
                }
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
                        if (tls != null) {
                            SSLEngine engine = tls.createSSLEngine();
                            engine.setUseClientMode(false);
                            ch.pipeline().addLast(new SslHandler(engine));
                        }
                        ch.pipeline().addLast(new DoubleConnection(EngineDouble.this, state));
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
