package io.llamaorch.orchestratord.adapters.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
@Timeout(60)
class NvmlSessionTest {
    private static final long GIB = 1L << 30;
    private static final GpuDevice FIRST = new GpuDevice(
            0,
            "GPU-aaaa1111-0000-4000-8000-000000000001",
            "Example A",
            OptionalDouble.of(0.37),
            new GpuMemory(80 * GIB, 20 * GIB, 59 * GIB),
            OptionalInt.of(45),
            OptionalInt.of(120_500),
            OptionalLong.of(0),
            false,
            OptionalInt.empty());
    private static final GpuDevice SECOND = new GpuDevice(
            1,
            "GPU-aabb2222-0000-4000-8000-000000000002",
            "Example B",
            OptionalDouble.of(1),
            new GpuMemory(24 * GIB, 3 * GIB, 20 * GIB),
            OptionalInt.of(61),
            OptionalInt.of(65_000),
            OptionalLong.of(2),
            false,
            OptionalInt.empty());

    @TempDir
    Path folder;

    private NvmlStub stub;

    @BeforeEach
    void build() {
        stub = NvmlStub.build(folder);
    }

    @AfterEach
    void close() {
        if (stub != null) {
            stub.close();
        }
    }

    private List<GpuDevice> sample() throws NvmlUnavailableException {
        try (NvmlSession session = NvmlSession.open(stub.library())) {
            return session.sample();
        }
    }

    @Test
    void shouldLayOutStructuresAsTheCompilerDoes() {
        Map<String, StructLayout> layouts = Map.of(
                "utilization", NvmlLayouts.UTILIZATION,
                "memory", NvmlLayouts.MEMORY,
                "memory_v2", NvmlLayouts.MEMORY_V2,
                "temperature", NvmlLayouts.TEMPERATURE,
                "event", NvmlLayouts.EVENT);
        layouts.forEach((name, layout) -> {
            assertThat(layout.byteSize()).as(name).isEqualTo(stub.layout(name));
            for (MemoryLayout member : layout.memberLayouts()) {
                member.name().ifPresent(part -> assertThat(layout.byteOffset(PathElement.groupElement(part)))
                        .as(name + "." + part)
                        .isEqualTo(stub.layout(name + "." + part)));
            }
        });
    }

    @Test
    void shouldReadEveryGpu() throws Exception {
        try (NvmlSession session = NvmlSession.open(stub.library())) {
            assertThat(session.driverVersion()).isEqualTo("580.1");
            assertThat(session.unread()).isEmpty();
            assertThat(session.sample()).containsExactly(FIRST, SECOND);
            stub.set("utilization_0", 0);
            assertThat(session.sample().get(0).utilization()).hasValue(0);
        }
        assertThat(stub.figure("sessions")).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 13, 21, 26, 999})
    void shouldLeaveAbsentWhatTheGpuDoesNotGive(int code) throws Exception {
        for (NvmlFunction function : List.of(
                NvmlFunction.UTILIZATION,
                NvmlFunction.MEMORY_V2,
                NvmlFunction.MEMORY,
                NvmlFunction.TEMPERATURE_V,
                NvmlFunction.TEMPERATURE,
                NvmlFunction.POWER,
                NvmlFunction.ECC_ERRORS)) {
            stub.answer(function, 0, code);
        }
        assertThat(sample())
                .containsExactly(
                        new GpuDevice(
                                0,
                                FIRST.uuid(),
                                FIRST.name(),
                                OptionalDouble.empty(),
                                null,
                                OptionalInt.empty(),
                                OptionalInt.empty(),
                                OptionalLong.empty(),
                                false,
                                OptionalInt.empty()),
                        SECOND);
    }

    @Test
    void shouldLeaveUtilizationAbsentWhenItIsNoPercentage() throws Exception {
        stub.set("utilization_0", 101);
        assertThat(sample().get(0).utilization()).isEmpty();
        stub.set("utilization_0", 0xffff_ffffL);
        assertThat(sample().get(0).utilization()).isEmpty();
    }

    @Test
    void shouldUseTheOlderFunctionsWhenTheLibraryLacksTheNewer(@TempDir Path oldFolder) throws Exception {
        try (NvmlStub old = NvmlStub.buildOld(oldFolder);
                NvmlSession session = NvmlSession.open(old.library())) {
            GpuDevice first = session.sample().get(0);
            assertThat(first.memory()).isEqualTo(new GpuMemory(80 * GIB, 21 * GIB, 59 * GIB));
            assertThat(first.temperatureC()).hasValue(45);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {15, 16})
    void shouldAskNothingMoreOfAGpuThatIsLost(int code) throws Exception {
        stub.answer(NvmlFunction.MEMORY_V2, 0, code);
        // Whatever is asked after that would end the session.
        for (NvmlFunction function : List.of(
                NvmlFunction.MEMORY,
                NvmlFunction.TEMPERATURE_V,
                NvmlFunction.TEMPERATURE,
                NvmlFunction.POWER,
                NvmlFunction.ECC_ERRORS)) {
            stub.answer(function, 0, 9);
        }
        List<GpuDevice> devices = sample();
        assertThat(devices.get(0))
                .isEqualTo(new GpuDevice(
                        0,
                        FIRST.uuid(),
                        FIRST.name(),
                        OptionalDouble.empty(),
                        null,
                        OptionalInt.empty(),
                        OptionalInt.empty(),
                        OptionalLong.empty(),
                        true,
                        OptionalInt.empty()));
        assertThat(devices.get(1)).isEqualTo(SECOND);
    }

    @Test
    void shouldPassOverGpusThatItMayNotReadOrCannotName() throws Exception {
        stub.answer(NvmlFunction.DEVICE_BY_INDEX, 0, 4);
        try (NvmlSession session = NvmlSession.open(stub.library())) {
            assertThat(session.sample()).containsExactly(SECOND);
            assertThat(session.unread())
                    .containsExactly("GPU 0 cannot be read: Insufficient Permissions (NVML code 4)");
        }
        stub.answer(NvmlFunction.DEVICE_UUID, 1, 999);
        assertThatThrownBy(() -> NvmlSession.open(stub.library()))
                .isInstanceOf(NvmlUnavailableException.class)
                .hasMessage("GPU 0 cannot be read: Insufficient Permissions (NVML code 4);"
                        + " GPU 1 cannot be read: it has no UUID");
        assertThat(stub.figure("sessions")).isZero();
    }

    @Test
    void shouldReadAGpuWithoutAName() throws Exception {
        stub.answer(NvmlFunction.DEVICE_NAME, 0, 3);
        stub.answer(NvmlFunction.DRIVER_VERSION, NvmlStub.ANY, 3);
        try (NvmlSession session = NvmlSession.open(stub.library())) {
            assertThat(session.driverVersion()).isNull();
            assertThat(session.sample().get(0).name()).isNull();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "9, Driver Not Loaded (NVML code 9)",
        "12, NVML code 12",
        "18, Driver/library version mismatch (NVML code 18)",
        "28, NVML code 28",
    })
    void shouldHaveNoTelemetryWithoutADriver(int code, String text) {
        stub.answer(NvmlFunction.INIT, NvmlStub.ANY, code);
        assertThatThrownBy(() -> NvmlSession.open(stub.library()))
                .isInstanceOf(NvmlUnavailableException.class)
                .hasMessage("NVML cannot be initialized: " + text);
    }

    @Test
    void shouldHaveNoTelemetryWithoutALibrary() {
        assertThatThrownBy(() -> NvmlSession.open("libnvml-that-is-nowhere.so.1"))
                .isInstanceOf(NvmlUnavailableException.class)
                .hasMessage("libnvml-that-is-nowhere.so.1 cannot be loaded: no NVIDIA driver is installed,"
                        + " or this process does not see it");
    }

    @Test
    void shouldHaveNoTelemetryWithoutAGpu() {
        stub.set("count", 0);
        assertThatThrownBy(() -> NvmlSession.open(stub.library()))
                .isInstanceOf(NvmlUnavailableException.class)
                .hasMessage("the host has no GPU");
        stub.answer(NvmlFunction.DEVICE_COUNT, NvmlStub.ANY, 999);
        assertThatThrownBy(() -> NvmlSession.open(stub.library()))
                .isInstanceOf(NvmlUnavailableException.class)
                .hasMessage("NVML does not count GPUs: Unknown Error (NVML code 999)");
        assertThat(stub.figure("sessions")).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 9, 18, 28})
    void shouldEndTheSessionWhenTheDriverGoesAway(int code) throws Exception {
        try (NvmlSession session = NvmlSession.open(stub.library())) {
            stub.answer(NvmlFunction.POWER, 1, code);
            assertThatThrownBy(session::sample)
                    .isInstanceOf(NvmlUnavailableException.class)
                    .hasMessageStartingWith("the NVIDIA driver went away: ")
                    .hasMessageContaining("NVML code " + code);
        }
        assertThat(stub.figure("sessions")).isZero();
    }
}
