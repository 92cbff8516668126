package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.Daemon;
import io.llamaorch.orchestratord.server.ServiceReports;
import io.llamaorch.orchestratord.server.systemd.NotifyReceiver;
import io.llamaorch.orchestratord.server.systemd.ServiceNotifier;
import io.llamaorch.orchestratord.server.task.LoopContext;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a service manager hears: OPS-40 … 44. The manager is a socket that the test opens. */
@NullUnmarked
class ServiceManagerIT {
    private static final String WATCHDOG = "WATCHDOG=1";
    private static final long WATCHDOG_MS = 300;

    @TempDir
    Path folder;

    private static String yaml(int tokensPerSecond) {
        return """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 200000
                    replicas: [{id: r0, url: "mock:?tokens_per_s=%d", slots: 2}]
                """
                .formatted(DaemonHarness.MODEL, tokensPerSecond);
    }

    private Map<String, String> environment() {
        return Map.of(
                "NOTIFY_SOCKET", folder.resolve("notify").toString(),
                "WATCHDOG_USEC", Long.toString(WATCHDOG_MS * 1_000));
    }

    @Test
    void shouldTellOfReadinessLifeAndStop() {
        try (NotifyReceiver manager = new NotifyReceiver(environment().get("NOTIFY_SOCKET"));
                DaemonProcess daemon = DaemonProcess.serve(
                        environment(),
                        folder,
                        yaml(20),
                        "shutdown.lame_duck_ms=0",
                        "shutdown.drain_deadline_ms=45000")) {
            assertThat(manager.await(message -> true)) // nothing before it
                    .startsWith("READY=1\nSTATUS=Serving on 127.0.0.1:" + daemon.port() + ": ");
            for (int i = 0; i < 4; i++) {
                manager.await(WATCHDOG::equals);
            }
            try (TestClient client = daemon.client()) {
                UUID id = UUID.randomUUID();
                client.submit(TestClient.task(id, "mock", "service", 20_000, ""));
                TestClient.Stream stream = client.stream(id);
                stream.until(event -> event.event().equals("token"));
                daemon.signal("TERM");
                String stopping = manager.await(message -> message.startsWith("STOPPING=1\n"));
                assertThat(stopping).contains("\nSTATUS=Draining 127.0.0.1:");
                String extended = stopping.lines()
                        .filter(line -> line.startsWith("EXTEND_TIMEOUT_USEC="))
                        .findFirst()
                        .orElseThrow();
                assertThat(Long.parseLong(extended.substring(extended.indexOf('=') + 1)))
                        .isGreaterThan(45_000_000L);
                manager.await(WATCHDOG::equals); // a drain is not a hang
                daemon.signal("TERM"); // the task would outlast the test
                assertThat(stream.toEnd().last().event()).isEqualTo("error");
            }
            assertThat(daemon.exit()).isZero();
        }
    }

    @Test
    void shouldStopFeedingTheWatchdogWhileALoopHangs() throws InterruptedException {
        assertUnfedWhileHanging((daemon, step) -> {
            int last = daemon.tasks().loops().all().size() - 1;
            daemon.tasks().loops().all().get(last).eventLoop().execute(step);
        });
    }

    @Test
    void shouldStopFeedingTheWatchdogWhileTheSchedulerHangs() throws InterruptedException {
        assertUnfedWhileHanging((daemon, step) ->
                assertThat(daemon.tasks().ring().offerProbe(step)).isTrue());
    }

    private void assertUnfedWhileHanging(BiConsumer<Daemon, Runnable> hang) throws InterruptedException {
        try (NotifyReceiver manager = new NotifyReceiver(environment().get("NOTIFY_SOCKET"));
                DaemonHarness harness = DaemonHarness.mock("", 2, "event_loops=3");
                ServiceNotifier notifier = ServiceNotifier.of(
                        environment(), ProcessHandle.current().pid(), DaemonHarness.events())) {
            ServiceReports reports = harness.daemon().reportTo(notifier);
            manager.await(WATCHDOG::equals);
            CountDownLatch hangs = new CountDownLatch(1);
            CountDownLatch goesOn = new CountDownLatch(1);
            hang.accept(harness.daemon(), () -> {
                hangs.countDown();
                await(goesOn);
            });
            hangs.await();
            settle(harness.daemon());
            drain(manager);
            Thread.sleep(3 * WATCHDOG_MS); // never too short: a daemon that hangs is not fed however long one looks
            assertThat(drain(manager)).doesNotContain(WATCHDOG);
            goesOn.countDown();
            manager.await(WATCHDOG::equals);
            reports.reloading();
            manager.await(message -> message.startsWith("RELOADING=1\nMONOTONIC_USEC="));
            reports.reloaded();
            manager.await(message -> message.startsWith("READY=1\nSTATUS=Serving on "));
        }
    }

    /** The baton may have been on its way home when the hang began: from the scheduler, or on the first loop. */
    private static void settle(Daemon daemon) throws InterruptedException {
        List<LoopContext> loops = daemon.tasks().loops().all();
        CountDownLatch passed = new CountDownLatch(1);
        daemon.tasks().ring().offerProbe(passed::countDown);
        passed.await(WATCHDOG_MS, TimeUnit.MILLISECONDS); // in vain where the scheduler is what hangs
        loops.get(0).eventLoop().submit(() -> {}).sync();
    }

    private static String drain(NotifyReceiver manager) {
        StringBuilder all = new StringBuilder();
        for (String message = manager.poll(); message != null; message = manager.poll()) {
            all.append(message).append('\n');
        }
        return all.toString();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
