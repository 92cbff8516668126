package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTls;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
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
 * <p><b>TLS</b> for {@code https} URLs, with the target's trust and the host's name checked ({@code SslHandler} on the
 * JDK's provider). It allocates for each record: the promise of no allocation a token holds for {@code http}.
 *
 * <p><b>Outbound policy.</b> Asked before a name is resolved and again with the address; what it refuses fails as
 * {@link HttpFailure#CONNECT}, with the policy's words.
 *
 * <p><b>Threads.</b> Shared by all loops; what an exchange holds stays on its loop, and so does each loop's idle pool.
 */
public final class EngineHttpClient {
    /** How long a closing connection waits for its last TLS record to leave, ms. */
    private static final int CLOSE_NOTIFY_LIMIT_MS = 100;

    private final OutboundPolicy policy;
    private final ByteBufAllocator allocator;
    private final int idleMax;
    private final Map<EventLoop, Map<String, ArrayDeque<EngineConnection>>> idle = new ConcurrentHashMap<>();

    /**
     * A client that keeps no connection.
     *
     * @param policy where it may connect to
     */
    public EngineHttpClient(OutboundPolicy policy) {
        this(policy, 0, ByteBufAllocator.DEFAULT);
    }

    /**
     * A client that keeps connections where engines allow it.
     *
     * @param policy where it may connect to
     * @param idleMax idle connections kept for each loop and engine
     * @param allocator of requests and carry-over buffers
     */
    public EngineHttpClient(OutboundPolicy policy, int idleMax, ByteBufAllocator allocator) {
        this.policy = policy;
        this.idleMax = idleMax;
        this.allocator = allocator;
    }

    /** Allocator of requests and carry-over buffers. */
    public ByteBufAllocator allocator() {
        return allocator;
    }

    /** Whether requests should ask the engine to keep the connection. */
    public boolean isKeepAlive() {
        return idleMax > 0;
    }

    /** Why {@code target} can't be spoken to, null where it can. */
    public @Nullable String problemOf(EngineTarget target) {
        URI url = target.url();
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            return "engine URL scheme '" + scheme + "' is not http or https";
        }
        return url.getHost() == null ? "engine URL has no host" : policy.refusal(url);
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
        String problem = problemOf(exchange.target());
        if (problem != null) {
            exchange.onConnectFailed(problem);
            return;
        }
        URI url = exchange.target().url();
        if (mayReuse && idleMax > 0) {
            EngineConnection kept = takeIdle(exchange);
            if (kept != null) {
                kept.attach(exchange);
                exchange.onConnection(kept);
                exchange.onConnected();
                return;
            }
        }
        int port = port(exchange.target());
        HostResolver.resolve(url.getHost(), port, exchange.loop(), (address, failure) -> {
            if (!exchange.isConnecting()) {
                return;
            }
            if (address == null) {
                exchange.onConnectFailed("no address for engine host " + url.getHost());
                return;
            }
            String refused = policy.refusal(url.getHost(), address.getAddress());
            if (refused != null) {
                exchange.onConnectFailed(refused);
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
        SslHandler tls = tls(exchange.target());
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(type)
                .disableResolver()
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.RECVBUF_ALLOCATOR, LoopReadBuffers.INSTANCE)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
                .handler(tls == null ? connection : new TlsFirst(tls, connection))
                .connect(address);
        connecting.addListener((ChannelFutureListener) done -> {
            if (!done.isSuccess()) {
                connectFailed(exchange, address, "no connection to", done.cause());
            } else if (tls == null) {
                exchange.onConnected();
            }
        });
        if (tls != null) {
            tls.handshakeFuture().addListener(done -> {
                if (done.isSuccess()) {
                    exchange.onConnected();
                } else {
                    connectFailed(exchange, address, "no TLS with", done.cause());
                }
            });
        }
    }

    private static void connectFailed(
            HttpExchange exchange, InetSocketAddress address, String what, @Nullable Throwable cause) {
        if (exchange.isConnecting()) {
            exchange.onConnectFailed(what + " the engine at " + address.getHostString() + ":" + address.getPort() + ": "
                    + (cause == null ? "canceled" : reason(cause)));
        }
    }

    private static @Nullable SslHandler tls(EngineTarget target) {
        EngineTls trust = target.tls();
        if (trust == null || !isTls(target)) {
            return null;
        }
        SslHandler handler = new SslHandler(trust.client(bareHost(target), port(target)));
        handler.setHandshakeTimeoutMillis(0); // the exchange's limit on connecting holds
        handler.setCloseNotifyFlushTimeoutMillis(CLOSE_NOTIFY_LIMIT_MS);
        return handler;
    }

    private static String bareHost(EngineTarget target) {
        String host = target.url().getHost();
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    private static boolean isTls(EngineTarget target) {
        return "https".equalsIgnoreCase(target.url().getScheme());
    }

    private static int port(EngineTarget target) {
        int port = target.url().getPort();
        return port >= 0 ? port : isTls(target) ? 443 : 80;
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
        return target.url().getScheme() + "://" + target.url().getHost() + ":" + port(target) + " " + target.tls();
    }

    /** Puts TLS before the connection. */
    private static final class TlsFirst extends ChannelInitializer<Channel> {
        private final SslHandler tls;
        private final EngineConnection connection;

        TlsFirst(SslHandler tls, EngineConnection connection) {
            this.tls = tls;
            this.connection = connection;
        }

        @Override
        protected void initChannel(Channel ch) {
            ch.pipeline().addLast(tls, connection);
        }
    }
}
