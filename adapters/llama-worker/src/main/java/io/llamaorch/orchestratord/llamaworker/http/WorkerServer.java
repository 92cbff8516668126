package io.llamaorch.orchestratord.llamaworker.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.IdleStateHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The listening socket and its connections. Answers 503 until {@link #serve}. */
public final class WorkerServer implements AutoCloseable {
    /** Longest body, bytes: a prompt of some hundred thousand tokens. */
    static final int BODY_MAX_BYTES = 4 << 20;
    /** A connection that asks for nothing is closed, s. */
    static final int IDLE_S = 60;

    /** Also bounds the requests that are being read: a connection has one at a time. */
    private static final int CONNECTIONS_MAX = 512;

    private static final int BACKLOG = 128;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final AtomicReference<@Nullable Serving> serving = new AtomicReference<>();
    private final ThreadPoolExecutor preparer = new ThreadPoolExecutor(
            1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(CONNECTIONS_MAX), WorkerServer::preparing);
    private final Channel channel;
    private int connections;

    /**
     * Listens.
     *
     * @param port 0 for any
     * @throws ListenException where the address is in use or not of this machine
     */
    public WorkerServer(InetAddress host, int port) throws ListenException {
        var bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new Connections())
                .bind(host, port)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close(group);
            throw new ListenException("cannot listen on " + host.getHostAddress() + ":" + port + ": "
                    + bound.cause().getMessage());
        }
        channel = bound.channel();
    }

    private static Thread preparing(Runnable work) {
        Thread thread = new Thread(work, "prepare-0");
        thread.setDaemon(true);
        return thread;
    }

    /** Port that it listens on. */
    public int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    /** The model is loaded: from now on requests are answered. */
    public void serve(Serving what) {
        serving.set(what);
    }

    /** Closes the socket and all connections. */
    @Override
    public void close() {
        preparer.shutdownNow();
        close(group);
    }

    private static void close(MultiThreadIoEventLoopGroup group) {
        group.shutdownGracefully(0, 200, TimeUnit.MILLISECONDS).awaitUninterruptibly(500);
    }

    /** Sets connections up, and counts them. On the one loop. */
    private final class Connections extends ChannelInitializer<SocketChannel> {
        @Override
        protected void initChannel(SocketChannel connection) {
            if (connections >= CONNECTIONS_MAX) {
                connection.close();
                return;
            }
            connections++;
            connection.closeFuture().addListener(closed -> connections--);
            connection
                    .pipeline()
                    .addLast(new IdleStateHandler(IDLE_S, 0, 0))
                    .addLast(new HttpServerCodec())
                    .addLast(new HttpObjectAggregator(BODY_MAX_BYTES))
                    .addLast(new WorkerHandler(serving::get, preparer));
        }

        @Override
        public boolean isSharable() {
            return true;
        }
    }
}
