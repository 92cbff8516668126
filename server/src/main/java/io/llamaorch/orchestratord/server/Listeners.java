package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.adapters.wire.LoopReadBuffers;
import io.llamaorch.orchestratord.server.config.ListenAddress;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/** Opens the sockets that are served: the one that is configured, or those that a service manager has bound. */
final class Listeners {
    private static final int BACKLOG = 4096;

    private final EventLoopGroup group;
    private final ChannelHandler front;
    private final Transports transports;
    private final EventLog log;

    /** Those of one daemon; {@code front}: the handler of what is accepted. */
    Listeners(EventLoopGroup group, ChannelHandler front, Transports transports, EventLog log) {
        this.group = group;
        this.front = front;
        this.transports = transports;
        this.log = log;
    }

    /**
     * Serves {@code passed}, or binds {@code configured} where that is empty. From its return on connections are taken.
     *
     * @throws Daemon.StartFailure when one can't be served; those that were opened are closed with the group
     */
    List<Channel> open(ListenAddress configured, List<Integer> passed) throws Daemon.StartFailure {
        if (passed.isEmpty()) {
            ServerBootstrap bootstrap = bootstrap().channel(transports.serverChannel());
            try {
                return List.of(channel(() -> bootstrap.bind(configured.toSocketAddress())));
            } catch (Exception e) { // Netty throws the checked cause unannounced
                throw new Daemon.StartFailure(
                        "Cannot listen on " + configured + ": " + e.getMessage()
                                + "; is another process there, or the address not of this host? (key: listen)",
                        e);
            }
        }
        if (transports.serverChannel() != EpollServerSocketChannel.class) {
            throw new Daemon.StartFailure(
                    "Cannot serve the sockets of the service manager with transport " + transports.name()
                            + ": they need epoll (key: transport)",
                    null);
        }
        List<Channel> channels = new ArrayList<>();
        for (int fd : passed) {
            channels.add(serve(fd, configured));
        }
        if (channels.stream().noneMatch(channel -> same(configured, channel))) {
            log.warning(
                    "listen_ignored",
                    "The service manager passed " + listening(configured, channels) + ", which is served; listen, "
                            + configured + ", is not.");
        }
        return List.copyOf(channels);
    }

    private Channel serve(int fd, ListenAddress configured) throws Daemon.StartFailure {
        ServerBootstrap bootstrap = bootstrap().channelFactory(() -> new EpollServerSocketChannel(fd));
        Channel channel;
        try {
            channel = channel(bootstrap::register); // bound by who passed it
        } catch (Exception e) {
            throw new Daemon.StartFailure(
                    "Cannot serve descriptor " + fd + " of the service manager: " + e.getMessage(), e);
        }
        InetSocketAddress address = (InetSocketAddress) channel.localAddress();
        if (configured.isLoopback() && !address.getAddress().isLoopbackAddress()) {
            throw new Daemon.StartFailure(
                    "The service manager passed " + text(address) + ", which other machines can reach, and listen is "
                            + configured + ": set listen to the same address, so that what it needs is checked",
                    null);
        }
        return channel;
    }

    private ServerBootstrap bootstrap() {
        return new ServerBootstrap()
                .group(group)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, LoopReadBuffers.INSTANCE)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childHandler(front);
    }

    private static Channel channel(Callable<ChannelFuture> opening) throws Exception {
        return opening.call().syncUninterruptibly().channel();
    }

    /** Where {@code channels} listen, as people and tools read it; a name stays one, port 0 becomes what was found. */
    static String listening(ListenAddress configured, List<Channel> channels) {
        return channels.stream()
                .map(channel -> {
                    InetSocketAddress address = (InetSocketAddress) channel.localAddress();
                    return same(configured, channel)
                            ? new ListenAddress(configured.host(), address.getPort()).toString()
                            : text(address);
                })
                .collect(Collectors.joining(", "));
    }

    private static boolean same(ListenAddress configured, Channel channel) {
        InetSocketAddress wanted = configured.toSocketAddress();
        InetSocketAddress is = (InetSocketAddress) channel.localAddress();
        if (wanted.isUnresolved()) {
            return false;
        }
        boolean host = wanted.getAddress().isAnyLocalAddress()
                ? is.getAddress().isAnyLocalAddress()
                : wanted.getAddress().equals(is.getAddress());
        return host && (wanted.getPort() == 0 || wanted.getPort() == is.getPort());
    }

    private static String text(InetSocketAddress address) {
        return new ListenAddress(address.getAddress().getHostAddress(), address.getPort()).toString();
    }
}
