package io.llamaorch.orchestratord.server.systemd;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * What is asked and set of a descriptor that another process opened: neither the JDK nor Netty can, so libc is called.
 *
 * <p>The constants are those of Linux's generic ABI (asm-generic/socket.h, fcntl.h), which x86-64 and AArch64 share.
 */
@SuppressWarnings("restricted")
final class SocketDescriptor {
    private static final int SOL_SOCKET = 1;
    private static final int SO_PROTOCOL = 38;
    private static final int SO_ACCEPTCONN = 30;
    private static final int IPPROTO_TCP = 6;
    private static final int F_SETFD = 2;
    private static final int FD_CLOEXEC = 1;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int O_NONBLOCK = 0x800;

    private static final Linker LINKER = Linker.nativeLinker();
    /** {@code int getsockopt(int, int, int, void *, socklen_t *)}. */
    private static final MethodHandle GETSOCKOPT = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("getsockopt"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    /** {@code int fcntl(int, int, ...)}. */
    private static final MethodHandle FCNTL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("fcntl"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
            Linker.Option.firstVariadicArg(2));

    private SocketDescriptor() {}

    /** Whether {@code fd} is a TCP socket, of IPv4 or IPv6, that listens. */
    static boolean isTcpListener(int fd) {
        return option(fd, SO_ACCEPTCONN) == 1 && option(fd, SO_PROTOCOL) == IPPROTO_TCP;
    }

    /** Makes {@code fd} fit for an event loop, which must never wait in accept(2), and keeps it from child processes. */
    static void prepare(int fd) throws IOException {
        int flags = fcntl(fd, F_GETFL, 0);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
            throw new IOException("descriptor " + fd + " could not be made non-blocking");
        }
    }

    /** Whether {@code fd} is non-blocking. */
    static boolean isNonBlocking(int fd) {
        return (fcntl(fd, F_GETFL, 0) & O_NONBLOCK) != 0;
    }

    /** An option of the socket's level, −1 where {@code fd} is no socket. */
    private static int option(int fd, int name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            MemorySegment length = arena.allocateFrom(JAVA_INT, Integer.BYTES);
            int result = (int) GETSOCKOPT.invokeExact(fd, SOL_SOCKET, name, value, length);
            return result < 0 ? -1 : value.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static int fcntl(int fd, int command, int argument) {
        try {
            return (int) FCNTL.invokeExact(fd, command, argument);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static IllegalStateException unexpected(Throwable cause) {
        return new IllegalStateException("a call of libc failed in the JVM", cause);
    }
}
