package io.llamaorch.orchestratord.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LoopLagTest {
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldShowWhatALoopDoesWhileItIsBlockedAndThatItWorksAfterwards() throws Exception {
        CountDownLatch found = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        AtomicReference<List<StackTraceElement>> stack = new AtomicReference<>(List.of());
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        LoopLag lag = new LoopLag(3, group.next());
        try (BlockedThreads watchdog =
                new BlockedThreads(List.of(lag), 50, System.nanoTime(), new BlockedThreads.Listener() {
                    @Override
                    public void blocked(String name, long lateMs, StackTraceElement[] now) {
                        assertThat(name).isEqualTo("3");
                        stack.set(Arrays.asList(now));
                        found.countDown();
                    }

                    @Override
                    public void unblocked(String name, long blockedMs) {
                        over.countDown();
                    }
                })) {
            watchdog.start();
            group.next().execute(() -> blockUntil(found));
            over.await();
            assertThat(stack.get()).extracting(StackTraceElement::getMethodName).contains("blockUntil");
            assertThat(lag.overdueMs()).isNotNegative();
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    private static void blockUntil(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
