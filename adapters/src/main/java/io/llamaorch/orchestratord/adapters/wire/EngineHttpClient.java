package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/1.1 client for engines, on the caller's event loop: an epoll channel where the loop is epoll, NIO elsewhere.
 *
 * <p><b>Connections.</b> One a stream, closed after it, unless {@code idleMax} is given. The default is 0 because closing
 * is how a decode is canceled, a connect on one host costs some tens of µs a stream (not a token), and llama-server
 * closes after each streamed answer without saying so (engines.md §1.5: its {@code Keep-Alive} header is no promise). With
 * {@code idleMax} > 0 a connection is kept where the answer was complete, allowed it and brought no further byte; a kept
 * one that turns out to be dead before the first byte of an answer costs one silent retry on a new one.
 *
 * <p><b>Threads.</b> Shared by all loops; what an exchange holds stays on its loop, and so does each loop's idle pool.
 */
public final class EngineHttpClient {
    private final int idleMax;
    private final Map<EventLoop, Map<String, ArrayDeque<EngineConnection>>> idle = new ConcurrentHashMap<>();

    /** A client that keeps no connection. */
    public EngineHttpClient() {
        this(0);
    }

    /**
     * A client that keeps connections where engines allow it.
     *
     * @param idleMax idle connections kept for each loop and engine
     */
    public EngineHttpClient(int idleMax) {
        this.idleMax = idleMax;
    }

    /** Whether requests should ask the engine to keep the connection. */
    public boolean isKeepAlive() {
        return idleMax > 0;
    }

    /** Why {@code url} can't be spoken to, empty where it can. */
    public static String problemOf(URI url) {
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http")) {
            return "engine URL scheme '" + scheme + "' is not http";
        }
        return url.getHost() == null ? "engine URL has no host" : "";
    }

    /**
     * Sends one request. The listener is told on {@code loop}, never from within this method.
     *
     * @param request head and body; released here
     */
    public HttpExchange send(EngineTarget target, ByteBuf request, EventLoop loop, HttpExchange.Listener listener) {
        HttpExchange exchange = new HttpExchange(this, target, request, loop, listener);
        loop.execute(exchange::begin);
        return exchange;
    }

    void connect(HttpExchange exchange, boolean mayReuse) {
        URI url = exchange.target().url();
        String problem = problemOf(url);
        if (!problem.isEmpty()) {
            exchange.onConnectFailed(problem);
            return;
        }
        if (mayReuse && idleMax > 0) {
            EngineConnection kept = takeIdle(exchange);
            if (kept != null) {
                kept.attach(exchange);
                exchange.onConnection(kept);
                exchange.onConnected();
                return;
            }
        }
        int port = url.getPort() < 0 ? 80 : url.getPort();
        HostResolver.resolve(url.getHost(), port, exchange.loop(), (address, failure) -> {
            if (!exchange.isConnecting()) {
                return;
            }
            if (address == null) {
                exchange.onConnectFailed("no address for engine host " + url.getHost());
            } else {
                open(exchange, address);
            }
        });
    }

    private static void open(HttpExchange exchange, InetSocketAddress address) {
        EngineConnection connection = new EngineConnection(exchange);
        exchange.onConnection(connection);
        EventLoop loop = exchange.loop();
        Class<? extends Channel> type = loop instanceof IoEventLoop io && io.isIoType(EpollIoHandler.class)
                ? EpollSocketChannel.class
                : NioSocketChannel.class;
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(type)
                .disableResolver()
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.RECVBUF_ALLOCATOR, LoopReadBuffers.INSTANCE)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
                .handler(connection)
                .connect(address);
        connecting.addListener((ChannelFutureListener) done -> {
            if (done.isSuccess()) {
                exchange.onConnected();
            } else if (exchange.isConnecting()) {
                Throwable cause = done.cause();
                exchange.onConnectFailed("no connection to the engine at " + address.getHostString() + ":"
                        + address.getPort() + ": " + (cause == null ? "canceled" : reason(cause)));
            }
        });
    }

    private static String reason(Throwable cause) {
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        String message = root.getMessage();
        return message == null ? root.getClass().getSimpleName() : message;
    }

    /** Takes back the connection of a complete exchange; on its loop. */
    void keep(EngineTarget target, EventLoop loop, EngineConnection connection) {
        if (idleMax == 0) {
            connection.close();
            return;
        }
        ArrayDeque<EngineConnection> queue =
                idle.computeIfAbsent(loop, l -> new HashMap<>()).computeIfAbsent(key(target), k -> new ArrayDeque<>());
        if (queue.size() >= idleMax) {
            connection.close();
            return;
        }
        connection.detach(() -> queue.remove(connection));
        connection.setReading(true);
        queue.addLast(connection);
    }

    private @Nullable EngineConnection takeIdle(HttpExchange exchange) {
        Map<String, ArrayDeque<EngineConnection>> byTarget = idle.get(exchange.loop());
        ArrayDeque<EngineConnection> queue = byTarget == null ? null : byTarget.get(key(exchange.target()));
        while (queue != null && !queue.isEmpty()) {
            EngineConnection connection = queue.pollLast();
            if (connection.isOpen()) {
                return connection;
            }
        }
        return null;
    }

    private static String key(EngineTarget target) {
        return target.url().getHost() + ":" + target.url().getPort();
    }
}
