package io.llamaorch.orchestratord.server.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** A loop that blocks is counted: specs/operations.md, OPS-60. */
@NullUnmarked
class BlockedLoopIT {
    @Test
    void shouldCountALoopThatBlocksAndNotTheOthers() throws Exception {
        try (DaemonHarness daemon =
                DaemonHarness.mock("tokens_per_s=0", 1, "event_loops=2", "watchdog.blocked_ms=500")) {
            assertThat(metrics(daemon))
                    .contains("event_loop_blocked_total{loop=\"scheduler\"} 0\n", "scheduler_lag_ms ");
            CountDownLatch release = new CountDownLatch(1);
            daemon.daemon().tasks().loops().all().get(1).eventLoop().execute(() -> {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            daemon.await(() -> metrics(daemon).contains("event_loop_blocked_total{loop=\"1\"} 1\n"));
            assertThat(metrics(daemon)).contains("event_loop_blocked_total{loop=\"0\"} 0\n");
            release.countDown();
        }
    }

    private static String metrics(DaemonHarness daemon) {
        return new String(daemon.daemon().metrics().render(), UTF_8);
    }
}
