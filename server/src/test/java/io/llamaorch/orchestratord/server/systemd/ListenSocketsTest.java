package io.llamaorch.orchestratord.server.systemd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The variables, and what is asked of descriptors; with passed sockets: SocketActivationIT. */
@NullUnmarked
class ListenSocketsTest {
    private static final long PID = 42;

    @ParameterizedTest
    @CsvSource({",", "1,", ",42", "1,41", "0,42", "1,x"})
    void shouldTakeNothingThatIsNotForThisProcess(String count, String pid) throws IOException {
        Map<String, String> environment = new HashMap<>();
        if (count != null) {
            environment.put("LISTEN_FDS", count);
        }
        if (pid != null) {
            environment.put("LISTEN_PID", pid);
        }
        assertThat(ListenSockets.passed(environment, PID)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "-1", "65", "99999999999"})
    void shouldRefuseACountThatIsNone(String count) {
        assertThatThrownBy(() -> ListenSockets.passed(Map.of("LISTEN_FDS", count, "LISTEN_PID", "42"), PID))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("LISTEN_FDS is " + count);
    }

    @Test
    void shouldTellATcpSocketThatListensFromOneThatDoesNot() throws IOException {
        Epoll.ensureAvailability();
        Socket tcp = Socket.newSocketStream();
        Socket udp = Socket.newSocketDgram();
        try {
            tcp.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            assertThat(SocketDescriptor.isTcpListener(tcp.intValue())).isFalse();
            tcp.listen(1);
            assertThat(SocketDescriptor.isTcpListener(tcp.intValue())).isTrue();
            assertThat(SocketDescriptor.isTcpListener(udp.intValue())).isFalse();
            assertThat(SocketDescriptor.isTcpListener(1 << 20)).isFalse();
        } finally {
            tcp.close();
            udp.close();
        }
    }

    @Test
    void shouldMakeADescriptorNonBlocking(@TempDir Path folder) throws IOException {
        Epoll.ensureAvailability();
        FileDescriptor blocking = FileDescriptor.from(folder.resolve("file").toFile());
        try {
            assertThat(SocketDescriptor.isNonBlocking(blocking.intValue())).isFalse();
            SocketDescriptor.prepare(blocking.intValue());
            assertThat(SocketDescriptor.isNonBlocking(blocking.intValue())).isTrue();
        } finally {
            blocking.close();
        }
    }
}
