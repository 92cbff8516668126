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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * An engine without a model: what all doubles have in common. Its one loop owns everything.
 *
 * <pre>
 *   process:  [--port=0] [--slots=4] and any knob of the engine's double or of DoubleScript: [--pace=20] …
 *             prints "PORT n" on stdout; ends when stdin ends, as it does when the parent dies
 *   POST /__control {"slots":2,"pace":20,"fault":"close@5"}
 *   GET  /__stats   {"running","running_max","open","requests","completed","aborted","last_abort_epoch_ms",…}
 * </pre>
 */
public abstract class EngineDouble implements AutoCloseable {
    private static final int BACKLOG = 4096;

    final DoubleState state = new DoubleState();
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private int port;

    /** Answers one request; on the loop. */
    abstract void route(EngineDoubleConnection client, String what, byte[] body) throws IOException;

    /** Sets a knob that is not {@link DoubleScript}'s; false where this double has no such. */
    abstract boolean knob(String name, String value);

    /** Listens, with these knobs. */
    void start(Map<String, String> knobs) {
        control(knobs);
        port = listen(Integer.parseInt(knobs.getOrDefault("port", "0")));
    }

    /** Knobs given as {@code --name=value} or {@code name=value}. */
    static Map<String, String> knobsOf(String... args) {
        Map<String, String> knobs = new LinkedHashMap<>();
        for (String arg : args) {
            String bare = arg.startsWith("--") ? arg.substring(2) : arg;
            int equals = bare.indexOf('=');
            knobs.put(equals < 0 ? bare : bare.substring(0, equals), equals < 0 ? "1" : bare.substring(equals + 1));
        }
        return knobs;
    }

    /** Runs as a process until stdin ends. */
    static void run(EngineDouble engine, String[] args) throws IOException {
        engine.start(knobsOf(args));
        System.out.println("PORT " + engine.port());
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
        return onLoop(state::statsJson);
    }

    /** Sets knobs while it runs. */
    public void set(String... knobs) {
        onLoop(() -> {
            control(knobsOf(knobs));
            return "";
        });
    }

    private String onLoop(java.util.concurrent.Callable<String> task) {
        try {
            return group.submit(task).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    void control(Map<String, String> knobs) {
        knobs.forEach((name, value) -> {
            if (name.equals("slots")) {
                state.slots = Integer.parseInt(value);
            } else if (!name.equals("port") && !knob(name, value)) {
                state.defaults.set(name, value);
            }
        });
    }

    /** Opens another port with the same routes. */
    int listen(int wanted) {
        Channel channel = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel ch) {
                        ch.pipeline().addLast(new EngineDoubleConnection(EngineDouble.this));
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted))
                .syncUninterruptibly()
                .channel();
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }
}
