package io.llamaorch.orchestratord.server.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.pool.ReplicaView.BreakerState;
import org.junit.jupiter.api.Test;

final class CircuitBreakerTest {
    private final CircuitBreaker breaker = new CircuitBreaker(3, 100, 400);

    private void fail(int times, long nowMs) {
        for (int i = 0; i < times; i++) {
            breaker.onFailure(nowMs, 1);
        }
    }

    @Test
    void shouldOpenAfterFailuresInARowAndOnlyThen() {
        fail(2, 0);
        breaker.onSuccess();
        fail(2, 0);
        assertThat(breaker.state()).isEqualTo(BreakerState.CLOSED);

        fail(1, 0);
        assertThat(breaker.state()).isEqualTo(BreakerState.OPEN);
    }

    @Test
    void shouldOpenThoughEachTaskDecodedATokenFirst() {
        for (int i = 0; i < 3; i++) {
            breaker.onFirstToken();
            fail(1, 0);
        }

        assertThat(breaker.state()).isEqualTo(BreakerState.OPEN);
    }

    @Test
    void shouldLetOneTaskTryWhenTheWaitIsOverAndWaitTwiceAsLongAfterItsFailure() {
        fail(3, 0);
        assertThat(breaker.advance(99)).isFalse();
        assertThat(breaker.advance(100)).isTrue();
        assertThat(breaker.state()).isEqualTo(BreakerState.HALF_OPEN);

        fail(1, 100);
        assertThat(breaker.opensUntilMs()).isEqualTo(300);
        breaker.advance(300);
        fail(1, 300);
        breaker.advance(700);
        fail(1, 700);
        assertThat(breaker.opensUntilMs()).isEqualTo(1_100); // the longest
    }

    @Test
    void shouldTrustAFirstTokenLessThanAGoodEnd() {
        fail(3, 0);
        breaker.advance(100);
        breaker.onFirstToken();
        assertThat(breaker.state()).isEqualTo(BreakerState.CLOSED);

        fail(1, 100);
        assertThat(breaker.state()).isEqualTo(BreakerState.OPEN);
        breaker.advance(300);
        breaker.onSuccess();
        fail(2, 300);
        assertThat(breaker.state()).isEqualTo(BreakerState.CLOSED);
    }

    @Test
    void shouldJitterTheUpperHalfOfAWait() {
        for (int i = 0; i < 3; i++) {
            breaker.onFailure(1_000, 0);
        }

        assertThat(breaker.opensUntilMs()).isEqualTo(1_050);
    }
}
