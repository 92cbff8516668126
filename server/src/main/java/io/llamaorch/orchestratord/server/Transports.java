package io.llamaorch.orchestratord.server;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;

/**
 * How sockets are driven: epoll where the platform has it, NIO elsewhere.
 *
 * @param name {@code epoll} or {@code nio}
 * @param handlers of the event loops
 * @param serverChannel kind of the listening channel
 */
record Transports(String name, IoHandlerFactory handlers, Class<? extends ServerChannel> serverChannel) {

    /** The best there is. */
    static Transports auto() {
        return Epoll.isAvailable() ? epoll() : nio();
    }

    /** Linux epoll; fails with the reason where it cannot be had. */
    static Transports epoll() {
        Epoll.ensureAvailability();
        return new Transports("epoll", EpollIoHandler.newFactory(), EpollServerSocketChannel.class);
    }

    /** The JDK's selectors. */
    static Transports nio() {
        return new Transports("nio", NioIoHandler.newFactory(), NioServerSocketChannel.class);
    }
}
