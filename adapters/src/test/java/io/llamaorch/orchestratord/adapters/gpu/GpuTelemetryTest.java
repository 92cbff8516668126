package io.llamaorch.orchestratord.adapters.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@NullUnmarked
@Timeout(60)
class GpuTelemetryTest {
    private static final String FIRST = "GPU-aaaa1111-0000-4000-8000-000000000001";
    private static final String SECOND = "GPU-aabb2222-0000-4000-8000-000000000002";
    private static final int PERIOD_MS = 1;
    private static final long PERIOD_NS = TimeUnit.MILLISECONDS.toNanos(PERIOD_MS);
    /** For a stop that succeeds: ends as soon as it has. */
    private static final long LONG_MS = 60_000;

    @TempDir
    Path folder;

    private final RecordingListener listener = new RecordingListener();
    private NvmlStub stub;
    private GpuTelemetry telemetry;

    @BeforeEach
    void build() {
        stub = NvmlStub.build(folder);
        telemetry = new GpuTelemetry(settings(stub.library()), listener);
    }

    @AfterEach
    void close() {
        if (stub != null) {
            stub.release();
            telemetry.stop(LONG_MS);
            stub.close();
        }
    }

    private static GpuSettings settings(String library) {
        return new GpuSettings(library, PERIOD_MS, 1, 1);
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(PERIOD_NS);
            assertThat(Thread.interrupted()).as("timed out").isFalse();
        }
    }

    private void startAndWatch() {
        telemetry.start();
        await(() -> telemetry.current().state() == GpuSnapshot.State.AVAILABLE && stub.figure("waits") > 0);
    }

    /** After this a sample was taken that began after the call. */
    private GpuSnapshot next() {
        long nowNs = System.nanoTime();
        await(() -> telemetry.current().sampledAtNs() - nowNs > 0);
        return telemetry.current();
    }

    @Test
    void shouldSampleUntilItIsStopped() {
        assertThat(telemetry.current().state()).isEqualTo(GpuSnapshot.State.STARTING);
        startAndWatch();
        GpuSnapshot snapshot = next();
        assertThat(snapshot.devices()).extracting(GpuDevice::uuid).containsExactly(FIRST, SECOND);
        assertThat(snapshot.device(SECOND)).isSameAs(snapshot.devices().get(1));
        assertThat(snapshot.device("GPU-none")).isNull();
        assertThat(snapshot.driverVersion()).isEqualTo("580.1");
        assertThat(snapshot.reason()).isNull();
        stub.set("utilization_0", 12);
        assertThat(next().devices().get(0).utilization()).hasValue(0.12);

        assertThat(stub.figure("sessions")).isEqualTo(1);
        assertThat(stub.figure("event_sets")).isEqualTo(1);
        assertThat(telemetry.stop(LONG_MS)).isTrue();
        assertThat(stub.figure("sessions")).isZero();
        assertThat(stub.figure("event_sets")).isZero();
        assertThat(listener.states).hasSize(1);
        assertThat(listener.events).isEmpty();
    }

    @Test
    void shouldShowReadingsOnlyWhileTheyAreFresh() {
        startAndWatch();
        GpuSnapshot snapshot = telemetry.current();
        long sampledNs = snapshot.sampledAtNs();
        long staleNs = sampledNs + 3 * PERIOD_NS;
        assertThat(snapshot.ageNs(staleNs)).isEqualTo(3 * PERIOD_NS);
        assertThat(snapshot.fresh(sampledNs)).hasSize(2);
        assertThat(snapshot.fresh(staleNs - 1)).hasSize(2);
        assertThat(snapshot.fresh(staleNs)).isEmpty();
    }

    @Test
    void shouldTellOfEvents() throws Exception {
        startAndWatch();
        stub.event(1, GpuEventWatch.XID, 79);
        assertThat(listener.events.take())
                .isEqualTo(new GpuEvent(GpuEvent.Kind.XID, 1, SECOND, OptionalInt.of(79), XidSeverity.CRITICAL));
        GpuSnapshot after = next();
        assertThat(after.devices().get(1).lastXid()).hasValue(79);
        assertThat(after.devices().get(0).lastXid()).isEmpty();

        stub.event(0, GpuEventWatch.XID, 31);
        stub.event(0, GpuEventWatch.DOUBLE_BIT_ECC, 0);
        stub.event(0, GpuEventWatch.GPU_UNAVAILABLE, 0);
        stub.event(0, GpuEventWatch.RECOVERY_ACTION, 0);
        assertThat(List.of(
                        listener.events.take(), listener.events.take(), listener.events.take(), listener.events.take()))
                .containsExactly(
                        new GpuEvent(GpuEvent.Kind.XID, 0, FIRST, OptionalInt.of(31), XidSeverity.APPLICATION),
                        new GpuEvent(GpuEvent.Kind.DOUBLE_BIT_ECC, 0, FIRST, OptionalInt.empty(), XidSeverity.CRITICAL),
                        new GpuEvent(GpuEvent.Kind.UNAVAILABLE, 0, FIRST, OptionalInt.empty(), XidSeverity.CRITICAL),
                        new GpuEvent(GpuEvent.Kind.RECOVERY_ACTION, 0, FIRST, OptionalInt.empty(), XidSeverity.OTHER));
        assertThat(next().devices().get(0).lastXid()).hasValue(31);
    }

    @Test
    void shouldAskOnlyForEventsThatTheGpuHas() throws Exception {
        stub.set("supported_events", 0x1 | GpuEventWatch.XID);
        startAndWatch();
        assertThat(stub.figure("registered_0")).isEqualTo(GpuEventWatch.XID);
        assertThat(stub.figure("registered_1")).isEqualTo(GpuEventWatch.XID);
        assertThat(next().limits()).isEmpty();
    }

    @Test
    void shouldKeepWaitingThroughTimeoutsAndFailures() throws Exception {
        startAndWatch();
        long before = stub.figure("waits");
        await(() -> stub.figure("waits") > before + 3);
        stub.answer(NvmlFunction.EVENT_SET_WAIT, NvmlStub.ANY, 15);
        long failing = stub.figure("waits");
        await(() -> stub.figure("waits") > failing + 3);
        stub.answer(NvmlFunction.EVENT_SET_WAIT, NvmlStub.ANY, 0);
        stub.event(0, GpuEventWatch.XID, 13);
        assertThat(listener.events.take().xid()).hasValue(13);
    }

    @ParameterizedTest
    @CsvSource({
        "EVENT_SET_CREATE, -1, 3, events are not watched: Not Supported (NVML code 3)",
        "REGISTER_EVENTS, 0, 999, events are not watched: Unknown Error (NVML code 999)",
        "REGISTER_EVENTS, 1, 15, events of GPU 1 are not watched: GPU is lost (NVML code 15)",
        "SUPPORTED_EVENTS, 0, 3, events of GPU 0 are not watched: Not Supported (NVML code 3)",
    })
    void shouldSayWhichEventsItDoesNotWatch(NvmlFunction function, int device, int code, String limit) {
        stub.answer(function, device, code);
        telemetry.start();
        await(() -> !telemetry.current().limits().isEmpty());
        assertThat(telemetry.current().limits()).containsExactly(limit);
        assertThat(telemetry.current().devices()).hasSize(2);
        assertThat(telemetry.stop(LONG_MS)).isTrue();
        assertThat(listener.states.get(listener.states.size() - 1).limits()).containsExactly(limit);
        assertThat(stub.figure("event_sets")).isZero();
        assertThat(stub.figure("sessions")).isZero();
    }

    @Test
    void shouldSayThatNoEventsAreWatchedWhenTheGpusHaveNone() {
        stub.set("supported_events", 0x1);
        telemetry.start();
        await(() -> !telemetry.current().limits().isEmpty());
        assertThat(telemetry.current().limits())
                .containsExactly(
                        "events of GPU 0 are not watched: Not Supported (NVML code 3)",
                        "events of GPU 1 are not watched: Not Supported (NVML code 3)");
    }

    @Test
    void shouldTellOnceThatAGpuIsLost() throws Exception {
        startAndWatch();
        stub.answer(NvmlFunction.POWER, 0, 15);
        GpuEvent lost = new GpuEvent(GpuEvent.Kind.LOST, 0, FIRST, OptionalInt.empty(), XidSeverity.CRITICAL);
        assertThat(listener.events.take()).isEqualTo(lost);
        next();
        assertThat(next().devices()).extracting(GpuDevice::lost).containsExactly(true, false);
        stub.answer(NvmlFunction.POWER, 0, 0);
        next();
        assertThat(next().devices()).extracting(GpuDevice::lost).containsExactly(false, false);
        assertThat(listener.events).isEmpty();
        stub.answer(NvmlFunction.POWER, 0, 16);
        assertThat(listener.events.take()).isEqualTo(lost);
    }

    @Test
    void shouldFindADriverThatComesLater() throws Exception {
        Path later = folder.resolve("later.so");
        GpuTelemetry early = new GpuTelemetry(settings(later.toString()), listener);
        early.start();
        await(() -> early.current().state() == GpuSnapshot.State.UNAVAILABLE);
        GpuSnapshot none = early.current();
        assertThat(none.reason()).startsWith(later + " cannot be loaded");
        assertThat(none.devices()).isEmpty();
        await(() -> early.current().sampledAtNs() != none.sampledAtNs());
        Files.createLink(later, Path.of(stub.library()));
        await(() -> early.current().state() == GpuSnapshot.State.AVAILABLE);
        assertThat(early.stop(LONG_MS)).isTrue();
        assertThat(listener.states)
                .extracting(GpuSnapshot::state)
                .containsExactly(GpuSnapshot.State.UNAVAILABLE, GpuSnapshot.State.AVAILABLE);
    }

    @Test
    void shouldOutliveADriverThatGoesAwayAndComesBack() throws Exception {
        startAndWatch();
        stub.answer(NvmlFunction.UTILIZATION, NvmlStub.ANY, 9);
        await(() -> telemetry.current().state() == GpuSnapshot.State.UNAVAILABLE);
        assertThat(telemetry.current().devices()).isEmpty();
        stub.answer(NvmlFunction.UTILIZATION, NvmlStub.ANY, 0);
        await(() -> telemetry.current().state() == GpuSnapshot.State.AVAILABLE);
        assertThat(telemetry.stop(LONG_MS)).isTrue();
        assertThat(stub.figure("sessions")).isZero();
        assertThat(stub.figure("event_sets")).isZero();
        assertThat(listener.states)
                .extracting(GpuSnapshot::reason)
                .containsExactly(null, "the NVIDIA driver went away: Driver Not Loaded (NVML code 9)", null);
    }

    @Test
    void shouldLeaveAHungDriverBehind() throws Exception {
        startAndWatch();
        stub.answer(NvmlFunction.POWER, 0, NvmlStub.HANG);
        await(() -> stub.figure("hanging") == 1);
        GpuSnapshot last = telemetry.current();
        assertThat(last.fresh(last.sampledAtNs() + 3 * PERIOD_NS)).isEmpty();

        // Events still come.
        stub.event(0, GpuEventWatch.XID, 79);
        assertThat(listener.events.take().xid()).hasValue(79);
        assertThat(telemetry.current()).isSameAs(last);

        assertThat(telemetry.stop(1)).isFalse();
        assertThat(stub.figure("sessions")).isEqualTo(1);
        stub.answer(NvmlFunction.POWER, 0, 0);
        assertThat(telemetry.stop(LONG_MS)).isTrue();
        assertThat(stub.figure("sessions")).isZero();
    }

    @Test
    void shouldGoOnSamplingWhenTheEventWaitHangs() {
        startAndWatch();
        stub.answer(NvmlFunction.EVENT_SET_WAIT, NvmlStub.ANY, NvmlStub.HANG);
        await(() -> stub.figure("hanging") == 1);
        assertThat(next().devices()).hasSize(2);
        stub.answer(NvmlFunction.UTILIZATION, NvmlStub.ANY, 9);
        await(() -> telemetry.current().state() == GpuSnapshot.State.UNAVAILABLE);
        assertThat(telemetry.stop(1)).isFalse();
        stub.answer(NvmlFunction.EVENT_SET_WAIT, NvmlStub.ANY, 10);
        assertThat(telemetry.stop(LONG_MS)).isTrue();
        assertThat(stub.figure("sessions")).isZero();
    }

    @Test
    void shouldNotHoldUpTheStartWhenInitializationHangs() {
        stub.answer(NvmlFunction.INIT, NvmlStub.ANY, NvmlStub.HANG);
        telemetry.start();
        await(() -> stub.figure("hanging") == 1);
        assertThat(telemetry.current().state()).isEqualTo(GpuSnapshot.State.STARTING);
        assertThat(telemetry.current().fresh(System.nanoTime())).isEmpty();
        assertThat(telemetry.stop(0)).isFalse();
        stub.answer(NvmlFunction.INIT, NvmlStub.ANY, 0);
        assertThat(telemetry.stop(LONG_MS)).isTrue();
        assertThat(stub.figure("sessions")).isZero();
    }

    @Test
    void shouldGoOnWhenTheListenerThrows() throws Exception {
        BlockingQueue<Throwable> thrown = new LinkedBlockingQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> thrown.add(e));
        try {
            listener.toThrow = new IllegalStateException("on purpose");
            startAndWatch();
            assertThat(thrown.take()).isSameAs(listener.toThrow);
            stub.event(0, GpuEventWatch.XID, 13);
            stub.event(0, GpuEventWatch.XID, 31);
            assertThat(thrown.take()).isSameAs(listener.toThrow);
            assertThat(thrown.take()).isSameAs(listener.toThrow);
            assertThat(next().devices().get(0).lastXid()).hasValue(31);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    private static final class RecordingListener implements GpuListener {
        final List<GpuSnapshot> states = new CopyOnWriteArrayList<>();
        final BlockingQueue<GpuEvent> events = new LinkedBlockingQueue<>();
        volatile RuntimeException toThrow;

        @Override
        public void onState(GpuSnapshot snapshot) {
            states.add(snapshot);
            if (toThrow != null) {
                throw toThrow;
            }
        }

        @Override
        public void onEvent(GpuEvent event) {
            events.add(event);
            if (toThrow != null) {
                throw toThrow;
            }
        }
    }
}
