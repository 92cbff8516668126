package io.llamaorch.orchestratord.server.systemd;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.Logging;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@NullUnmarked
class ServiceNotifierTest {
    private static final Logging LOGGING =
            Logging.start(new Config.Log(Config.LogLevel.OFF, Config.LogFormat.JSON, 1024, null));

    @TempDir
    Path folder;

    @AfterAll
    static void close() {
        LOGGING.close();
    }

    private static ServiceNotifier notifier(Map<String, String> environment) {
        return ServiceNotifier.of(environment, 42, LOGGING.events());
    }

    @Test
    void shouldSendEachTurnToThePathThatIsNamed() {
        String path = folder.resolve("notify").toString();
        try (NotifyReceiver manager = new NotifyReceiver(path);
                ServiceNotifier notifier = notifier(Map.of("NOTIFY_SOCKET", path))) {
            notifier.ready("Serving.");
            assertThat(manager.poll()).isEqualTo("READY=1\nSTATUS=Serving.");
            notifier.status("Two\nlines.");
            assertThat(manager.poll()).isEqualTo("STATUS=Two lines.");
            notifier.alive();
            notifier.alive();
            assertThat(manager.poll()).isEqualTo("WATCHDOG=1");
            assertThat(manager.poll()).isEqualTo("WATCHDOG=1");
            notifier.stopping("Draining.", 1_500);
            assertThat(manager.poll()).isEqualTo("STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000\nSTATUS=Draining.");
            assertThat(manager.poll()).isNull();
        }
    }

    @Test
    void shouldSendToAnAbstractName() {
        String name = "@orchestratord-test-" + ProcessHandle.current().pid();
        try (NotifyReceiver manager = new NotifyReceiver(name);
                ServiceNotifier notifier = notifier(Map.of("NOTIFY_SOCKET", name))) {
            notifier.ready("Serving.");
            assertThat(manager.poll()).startsWith("READY=1\n");
        }
    }

    @Test
    void shouldStampReloadsWithTheMonotonicClock() throws Throwable {
        String path = folder.resolve("notify").toString();
        try (NotifyReceiver manager = new NotifyReceiver(path);
                ServiceNotifier notifier = notifier(Map.of("NOTIFY_SOCKET", path))) {
            long beforeUs = monotonicUs();
            notifier.reloading("Reloading.");
            long afterUs = monotonicUs();
            List<String> lines = manager.poll().lines().toList();
            assertThat(lines.get(0)).isEqualTo("RELOADING=1");
            assertThat(Long.parseLong(lines.get(1).substring("MONOTONIC_USEC=".length())))
                    .isBetween(beforeUs, afterUs);
        }
    }

    /** By libc, as the service manager reads it. */
    @SuppressWarnings("restricted")
    private static long monotonicUs() throws Throwable {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(16, 8);
            int result = (int) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("clock_gettime"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS))
                    .invokeExact(1, time);
            assertThat(result).isZero();
            return time.get(JAVA_LONG, 0) * 1_000_000 + time.get(JAVA_LONG, 8) / 1_000;
        }
    }

    @Test
    void shouldSayNothingAndStopNothingWhereNobodyListens() {
        try (ServiceNotifier none = notifier(Map.of());
                ServiceNotifier gone =
                        notifier(Map.of("NOTIFY_SOCKET", folder.resolve("gone").toString(), "WATCHDOG_USEC", "1000"));
                ServiceNotifier strange = notifier(Map.of("NOTIFY_SOCKET", "vsock:2:1234"))) {
            assertThat(none.present()).isFalse();
            assertThat(gone.present()).isTrue();
            assertThat(strange.present()).isFalse();
            for (ServiceNotifier each : new ServiceNotifier[] {none, gone, strange}) {
                each.ready("Serving.");
                each.alive();
                each.stopping("Draining.", 1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"30000000,,30000000000", "30000000,42,30000000000", "30000000,43,0", "x,,0", "-1,,0", ",,0"})
    void shouldExpectAWatchdogOnlyForThisProcess(String usec, String pid, long ns) {
        Map<String, String> environment = new HashMap<>(Map.of("NOTIFY_SOCKET", "@x"));
        if (usec != null) {
            environment.put("WATCHDOG_USEC", usec);
        }
        if (pid != null) {
            environment.put("WATCHDOG_PID", pid);
        }
        try (ServiceNotifier notifier = notifier(environment)) {
            assertThat(notifier.watchdogNs()).isEqualTo(ns);
        }
    }
}
