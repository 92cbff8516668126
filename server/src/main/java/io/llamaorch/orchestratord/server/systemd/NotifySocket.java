package io.llamaorch.orchestratord.server.systemd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The sending end of a UNIX datagram socket, with one fixed destination.
 *
 * <p>Netty's native socket, used without a channel: a send is one {@code sendto(2)} that never waits, so that it may be made
 * from an event loop, and also when no event loop runs any more. The JDK has no UNIX datagrams, and the first use of
 * {@code java.lang.foreign} would cost the start more than all else here. Any thread.
 */
final class NotifySocket implements AutoCloseable {
    private final Socket socket;
    private final byte[] destination;

    private NotifySocket(Socket socket, byte[] destination) {
        this.socket = socket;
        this.destination = destination;
    }

    /**
     * To the socket at {@code name}.
     *
     * @param name absolute path, or {@code @} and an abstract name
     * @throws IOException with a sentence, where the name is neither, or this host cannot send there
     */
    static NotifySocket to(String name) throws IOException {
        if (!name.startsWith("/") && !name.startsWith("@")) {
            throw new IOException("NOTIFY_SOCKET is neither a path nor an abstract name: " + name);
        }
        if (!Epoll.isAvailable()) {
            throw new IOException("there are no UNIX datagram sockets: " + Epoll.unavailabilityCause());
        }
        byte[] destination = name.getBytes(UTF_8);
        if (destination[0] == '@') {
            destination[0] = 0;
        }
        return new NotifySocket(Socket.newSocketDomainDgram(), destination);
    }

    /** The bytes of {@code message}, for {@link #send}. */
    static ByteBuffer bytes(String message) {
        byte[] bytes = message.getBytes(UTF_8);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    /**
     * Sends one message; its position and limit are read and left alone.
     *
     * @return false where the receiver's queue is full
     */
    boolean send(ByteBuffer message) throws IOException {
        return socket.sendToDomainSocket(message, message.position(), message.limit(), destination) > 0;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    @Override
    public String toString() {
        byte[] name = Arrays.copyOf(destination, destination.length);
        if (name[0] == 0) {
            name[0] = '@';
        }
        return new String(name, UTF_8);
    }
}
