package io.llamaorch.orchestratord.server.systemd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainDatagramSocketAddress;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** The service manager's end: a UNIX datagram socket that the test opens. */
@NullUnmarked
public final class NotifyReceiver implements AutoCloseable {
    private static final long PATIENCE_S = 60;

    private final Socket socket;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(4096);

    /** At a path, or at an abstract name after {@code @}. */
    public NotifyReceiver(String name) {
        Epoll.ensureAvailability();
        socket = Socket.newSocketDomainDgram();
        try {
            socket.bind(new DomainSocketAddress(name.startsWith("@") ? "\0" + name.substring(1) : name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What came next, or null where nothing is there. */
    public @Nullable String poll() {
        try {
            buffer.clear();
            DomainDatagramSocketAddress from = socket.recvFromDomainSocket(buffer, 0, buffer.capacity());
            if (from == null) {
                return null;
            }
            byte[] bytes = new byte[from.receivedAmount()];
            buffer.get(0, bytes);
            return new String(bytes, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next message that is as wanted; others before it are dropped. */
    public String await(Predicate<String> wanted) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (System.nanoTime() - deadlineNs < 0) {
            String message = poll();
            if (message == null) {
                pause();
            } else if (wanted.test(message)) {
                return message;
            }
        }
        throw new AssertionError("no such message in " + PATIENCE_S + " s");
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(2);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
