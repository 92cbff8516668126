package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class PortLeasesTest {
    /** Ten ports around one that the system calls free. */
    private static PortLeases tenPorts() throws IOException {
        try (ServerSocket any = new ServerSocket(0)) {
            int first = Math.min(any.getLocalPort() + 1, 65_526);
            return new PortLeases(first, first + 9);
        }
    }

    @Test
    void shouldGiveEachPortOnceAndTheNewestBackLast() throws IOException {
        PortLeases ports = tenPorts();
        int a = ports.lease();
        int b = ports.lease();
        assertThat(b).isNotEqualTo(a);
        ports.release(a);
        assertThat(ports.lease()).isNotIn(a, b);
        assertThat(ports.leased()).isEqualTo(2);
    }

    @Test
    void shouldPassOverAPortThatSomebodyUses() throws IOException {
        PortLeases all = tenPorts();
        int free = all.lease();
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(free));
            assertThat(PortLeases.isFree(free)).isFalse();
            assertThatThrownBy(() -> new PortLeases(free, free).lease())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no port is free from " + free + " to " + free + ": 0 leased to engines, 1");
        }
        assertThat(new PortLeases(free, free).lease()).isEqualTo(free);
    }

    @Test
    void shouldSayWhenAllAreLeased() throws IOException {
        int free = tenPorts().lease();
        PortLeases one = new PortLeases(free, free);
        one.lease();
        assertThatThrownBy(one::lease).hasMessageContaining("1 leased to engines, 0 in use by others");
        one.release(free);
        assertThat(one.lease()).isEqualTo(free);
    }

    @Test
    void shouldRefuseWhatIsNoRange() {
        assertThatThrownBy(() -> new PortLeases(9_000, 8_000)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PortLeases(0, 8_000)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PortLeases(9_000, 70_000)).isInstanceOf(IllegalArgumentException.class);
    }
}
