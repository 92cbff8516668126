package io.llamaorch.orchestratord.adapters.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class XidSeverityTest {
    private static int[] all(XidSeverity severity) {
        return IntStream.range(0, 1000)
                .filter(xid -> XidSeverity.of(xid) == severity)
                .toArray();
    }

    @Test
    void shouldSortXids() {
        assertThat(all(XidSeverity.CRITICAL)).containsExactly(48, 63, 64, 74, 79, 94, 95);
        assertThat(all(XidSeverity.APPLICATION)).containsExactly(13, 31, 43, 45);
        assertThat(XidSeverity.of(999)).isEqualTo(XidSeverity.OTHER);
    }
}
