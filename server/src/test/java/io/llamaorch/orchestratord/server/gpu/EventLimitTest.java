package io.llamaorch.orchestratord.server.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EventLimitTest {
    private static final long START = Long.MAX_VALUE - 3;

    private final EventLimit limit = new EventLimit();

    @Test
    void shouldLetSoManyOfAKindThroughAndThenSayHowManyItLeftOut() {
        for (int i = 0; i < EventLimit.LINES; i++) {
            assertThat(limit.admit("a", START + i)).isZero();
        }
        for (int i = 0; i < 500; i++) {
            assertThat(limit.admit("a", START + EventLimit.WINDOW_NS - 1)).isEqualTo(EventLimit.NO);
        }
        assertThat(limit.admit("b", START + EventLimit.WINDOW_NS - 1)).isZero();
        assertThat(limit.admit("a", START + EventLimit.WINDOW_NS)).isEqualTo(500);
        assertThat(limit.admit("a", START + EventLimit.WINDOW_NS)).isZero();
    }
}
