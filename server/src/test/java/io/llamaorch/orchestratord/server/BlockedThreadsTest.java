package io.llamaorch.orchestratord.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BlockedThreadsTest {
    private static final long LIMIT_MS = 400;
    private static final long PERIOD_MS = 100;

    /** A thread that is as late as the test says. */
    private static final class Late implements BlockedThreads.Watched {
        private final String name;
        private long lateMs;

        Late(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public long overdueNs() {
            return TimeUnit.MILLISECONDS.toNanos(lateMs);
        }

        @Override
        public StackTraceElement[] stackTrace() {
            return new StackTraceElement[] {new StackTraceElement("Slow", "read", "Slow.java", 7)};
        }
    }

    private final Late loop = new Late("0");
    private final Late scheduler = new Late("scheduler");
    private final List<String> told = new ArrayList<>();
    private long nowMs;

    private final BlockedThreads watchdog =
            new BlockedThreads(List.of(loop, scheduler), LIMIT_MS, 0, new BlockedThreads.Listener() {
                @Override
                public void blocked(String name, long lateMs, StackTraceElement[] stack) {
                    told.add(name + " blocked " + lateMs + " in " + stack[0].getMethodName());
                }

                @Override
                public void unblocked(String name, long blockedMs) {
                    told.add(name + " works after " + blockedMs);
                }
            });

    private void look(long afterMs) {
        nowMs += afterMs;
        watchdog.look(TimeUnit.MILLISECONDS.toNanos(nowMs));
    }

    @Test
    void shouldTellOnceWhenAThreadBlocksAndOnceWhenItWorksAgain() {
        look(PERIOD_MS);
        loop.lateMs = LIMIT_MS - 1;
        look(PERIOD_MS);
        assertThat(told).isEmpty();
        loop.lateMs = LIMIT_MS;
        look(PERIOD_MS);
        loop.lateMs = LIMIT_MS + 900;
        look(PERIOD_MS);
        assertThat(told).containsExactly("0 blocked 400 in read");
        loop.lateMs = 0;
        look(PERIOD_MS);
        look(PERIOD_MS);
        assertThat(told).containsExactly("0 blocked 400 in read", "0 works after 1300");
    }

    @Test
    void shouldTellEachIncidentOfEachThread() {
        loop.lateMs = LIMIT_MS;
        look(PERIOD_MS);
        loop.lateMs = 0;
        scheduler.lateMs = LIMIT_MS;
        look(PERIOD_MS);
        loop.lateMs = LIMIT_MS;
        look(PERIOD_MS);
        assertThat(told)
                .containsExactly(
                        "0 blocked 400 in read",
                        "0 works after 400",
                        "scheduler blocked 400 in read",
                        "0 blocked 400 in read");
    }

    @Test
    void shouldBlameNobodyWhenTheWholeProcessWasStopped() {
        look(PERIOD_MS);
        loop.lateMs = 5_000;
        scheduler.lateMs = 5_000;
        look(5_000);
        assertThat(told).isEmpty();
        loop.lateMs = 0;
        scheduler.lateMs = 0;
        look(PERIOD_MS);
        assertThat(told).isEmpty();
    }
}
