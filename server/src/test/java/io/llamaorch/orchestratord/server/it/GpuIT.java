package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.gpu.NvmlStub;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import io.llamaorch.orchestratord.server.pool.ReplicaView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** The host's GPUs, by NVML's double: specs/gpu.md, GPU-50 and on. */
@NullUnmarked
final class GpuIT {
    /** 80 GiB, of which 20 are used: 37 %, 45 °C, 120.5 W. */
    private static final String LARGE = "GPU-aaaa1111-0000-4000-8000-000000000001";
    /** 24 GiB, of which 3 are used: 100 %, 61 °C, 65 W. */
    private static final String SMALL = "GPU-aabb2222-0000-4000-8000-000000000002";

    private static final int LOST = 15;
    private static final Pattern SERIES =
            Pattern.compile("^((?:gpu_|vram_)[a-z_]+)(\\{.*})? (\\S+)$", Pattern.MULTILINE);

    private static LlamaServerDoubleProcess first;
    private static LlamaServerDoubleProcess second;

    @TempDir
    Path folder;

    private NvmlStub stub;
    private DaemonHarness daemon;

    @BeforeAll
    static void startEngines() throws IOException {
        first = LlamaServerDoubleProcess.start("--slots=2");
        second = LlamaServerDoubleProcess.start("--slots=2");
    }

    @AfterAll
    static void stopEngines() {
        first.close();
        second.close();
        LeakRecorder.assertNone();
    }

    @AfterEach
    void stop() {
        if (stub != null) {
            stub.release();
        }
        if (daemon != null) {
            daemon.awaitQuiet();
            daemon.close();
        }
        if (stub != null) {
            stub.close();
        }
    }

    /** Two replicas; what only one of them could be preferred for is left to the masks. */
    private void start(String library, String mask0, String mask1, String... sets) {
        daemon = DaemonHarness.start(
                """
                listen: 127.0.0.1:0
                gpu: {period_ms: 100, library: "%s"}
                pools:
                  - id: default
                    engine: llamacpp
                    model: %s
                    ctx: 4096
                    health: {period_ms: 100}
                    replicas:
                      - {id: r0, url: "http://127.0.0.1:%d", slots: 2, device_mask: "%s"}
                      - {id: r1, url: "http://127.0.0.1:%d", slots: 2, device_mask: "%s"}
                """
                        .formatted(library, DaemonHarness.MODEL, first.port(), mask0, second.port(), mask1),
                loop -> loop,
                sets);
        daemon.await(() -> state(0) == ReplicaStatus.State.READY && state(1) == ReplicaStatus.State.READY);
    }

    private void startWithGpus(String mask0, String mask1, String... sets) {
        stub = NvmlStub.build(folder);
        start(stub.library(), mask0, mask1, sets);
    }

    private ReplicaView view(int replica) {
        return daemon.daemon().tasks().watches().view(0, replica);
    }

    private ReplicaStatus.State state(int replica) {
        return view(replica).state();
    }

    /** Series of GPUs, without the engine's own labels. */
    private static Map<String, Double> series(TestClient client) {
        Map<String, Double> found = new TreeMap<>();
        Matcher line = SERIES.matcher(client.get("/metrics").body());
        while (line.find()) {
            String labels = line.group(2).replaceAll("engine=\"llamacpp\",engine_version=\"[^\"]+\",", "");
            found.put(line.group(1) + labels, Double.valueOf(line.group(3)));
        }
        return found;
    }

    private static String of(String family, String replica, String device) {
        return family + "{pool_id=\"default\",replica_id=\"" + replica + "\",device=\"" + device + "\"}";
    }

    private static String of(String family, String device) {
        return family + "{device=\"" + device + "\"}";
    }

    private static String health(TestClient client) {
        return client.get("/v1/pools/default/health").body();
    }

    /** The replica that a task of a new session is placed on. */
    private static String placed(TestClient client, int number) {
        UUID id = UUID.randomUUID();
        client.submit(EngineDouble.task(id, "place", number, 2, ""));
        TestClient.Stream stream = client.stream(id).toEnd();
        assertThat(stream.last().event()).isEqualTo("end");
        Matcher replica = Pattern.compile("\"replica_id\":\"(r[01])\"")
                .matcher(stream.of("started").get(0).data());
        assertThat(replica.find()).isTrue();
        return replica.group(1);
    }

    @Test
    void shouldShowWhatGpusTellAndTakeItAwayWhenTheDriverHangs() {
        startWithGpus("0,1", SMALL.substring(0, 10));
        try (TestClient client = daemon.client()) {
            daemon.await(() -> !series(client).isEmpty());
            double gib = 1L << 30;
            Map<String, Double> expected = new TreeMap<>();
            expected.put(of("gpu_utilization", "r0", LARGE), 0.37);
            expected.put(of("gpu_utilization", "r0", SMALL), 1.0);
            expected.put(of("gpu_utilization", "r1", SMALL), 1.0);
            expected.put(of("vram_used_bytes", "r0", LARGE), 20 * gib);
            expected.put(of("vram_used_bytes", "r0", SMALL), 3 * gib);
            expected.put(of("vram_used_bytes", "r1", SMALL), 3 * gib);
            expected.put(of("vram_total_bytes", LARGE), 80 * gib);
            expected.put(of("vram_total_bytes", SMALL), 24 * gib);
            expected.put(of("gpu_temperature_celsius", LARGE), 45.0);
            expected.put(of("gpu_temperature_celsius", SMALL), 61.0);
            expected.put(of("gpu_power_watts", LARGE), 120.5);
            expected.put(of("gpu_power_watts", SMALL), 65.0);
            daemon.await(() -> series(client).equals(expected));
            String small = "{\"device\":\"" + SMALL + "\",\"utilization\":1.0,\"vram_used_bytes\":3221225472,"
                    + "\"vram_total_bytes\":25769803776,\"temperature_c\":61}";
            daemon.await(() -> health(client).contains("\"devices\":[" + small + "]"));
            assertThat(health(client)).contains("\"devices\":[{\"device\":\"" + LARGE);

            stub.answer("nvmlDeviceGetPowerUsage", 0, NvmlStub.HANG);
            daemon.await(() -> series(client).isEmpty());
            assertThat(health(client)).doesNotContain("devices");
            stub.release();
            daemon.await(() -> series(client).equals(expected));
        }
    }

    @Test
    void shouldShowNoReadingWhereThereIsNone() {
        startWithGpus("0", "7");
        stub.answer("nvmlDeviceGetUtilizationRates", 0, 3);
        stub.answer("nvmlDeviceGetTemperature", 0, 3);
        stub.answer("nvmlDeviceGetTemperatureV", 0, 3);
        stub.answer("nvmlDeviceGetPowerUsage", NvmlStub.ANY, 3);
        try (TestClient client = daemon.client()) {
            daemon.await(() -> series(client)
                    .keySet()
                    .equals(Map.of(
                                    of("vram_used_bytes", "r0", LARGE), 0,
                                    of("vram_total_bytes", LARGE), 0,
                                    of("vram_total_bytes", SMALL), 0,
                                    of("gpu_temperature_celsius", SMALL), 0)
                            .keySet()));
            assertThat(health(client)).contains("\"devices\":[{\"device\":\"" + LARGE + "\",\"vram_used_bytes\":");
        }
    }

    @Test
    void shouldServeWithoutADriverAndPretendNothing() {
        start(folder.resolve("none.so").toString(), "0", "1");
        try (TestClient client = daemon.client()) {
            assertThat(placed(client, 1)).isEqualTo("r0");
            assertThat(series(client)).isEmpty();
            assertThat(health(client)).doesNotContain("devices");
        }
    }

    @Test
    void shouldNotLookForADriverWhereItIsTurnedOff() {
        startWithGpus("0", "1", "gpu.enabled=false");
        try (TestClient client = daemon.client()) {
            assertThat(placed(client, 1)).isEqualTo("r0");
            assertThat(series(client)).isEmpty();
        }
        assertThat(stub.figure("sessions")).isZero();
    }

    @Test
    void shouldPlaceWhereMoreMemoryIsFreeAsLongAsThatIsKnown() {
        startWithGpus("1", "0");
        try (TestClient client = daemon.client()) {
            daemon.await(() -> placed(client, 1).equals("r1"));
            stub.answer("nvmlDeviceGetMemoryInfo_v2", 0, 3);
            stub.answer("nvmlDeviceGetMemoryInfo", 0, 3);
            daemon.await(() -> placed(client, 2).equals("r0"));
        }
    }

    @Test
    void shouldCountTheGpuWithTheLeastFreeMemoryOfAReplica() {
        startWithGpus("0,1", "0");
        try (TestClient client = daemon.client()) {
            daemon.await(() -> placed(client, 1).equals("r1"));
        }
    }

    @Test
    void shouldTakeAReplicaOutWhoseGpuFailsUntilItsEngineIsStartedAnew() {
        startWithGpus("0", "1");
        try (TestClient client = daemon.client()) {
            daemon.await(() -> stub.figure("waits") > 0 && health(client).contains(SMALL));
            for (int i = 0; i < 30; i++) {
                stub.xid(0, 79);
            }
            daemon.await(() -> state(0) == ReplicaStatus.State.DOWN);
            assertThat(view(0).lastError()).isEqualTo("GPU 0 (" + LARGE + "): Xid 79");
            assertThat(state(1)).isEqualTo(ReplicaStatus.State.READY);
            daemon.await(() -> health(client).contains("\"state\":\"down\""));
            assertThat(health(client)).contains("r0: GPU 0 (" + LARGE + "): Xid 79");
            for (int i = 0; i < 3; i++) {
                assertThat(placed(client, i)).isEqualTo("r1");
            }
            String counted = "gpu_xid_errors_total{device=\"" + LARGE + "\",severity=\"critical\"}";
            daemon.await(() -> Double.valueOf(30).equals(series(client).get(counted)));
            assertThat(series(client)).containsEntry(of("gpu_faults_total", LARGE), 1.0);

            daemon.daemon().gpus().onEngineStarted(0, 0);
            daemon.await(() -> state(0) == ReplicaStatus.State.READY);
            stub.xid(0, 79);
            daemon.await(() -> state(0) == ReplicaStatus.State.DOWN);
        }
    }

    @Test
    void shouldConcludeNothingFromAnErrorOfAProgram() {
        startWithGpus("0", "1");
        try (TestClient client = daemon.client()) {
            daemon.await(() -> stub.figure("waits") > 0 && health(client).contains(SMALL));
            stub.xid(1, 31);
            String counted = "gpu_xid_errors_total{device=\"" + SMALL + "\",severity=\"application\"}";
            daemon.await(() -> series(client).containsKey(counted));
            stub.xid(0, 48); // a later one that is critical: when it has arrived, the first one has had its effect
            daemon.await(() -> state(0) == ReplicaStatus.State.DOWN);
            assertThat(state(1)).isEqualTo(ReplicaStatus.State.READY);
            assertThat(series(client)).doesNotContainKey(of("gpu_faults_total", SMALL));
        }
    }

    @Test
    void shouldCountOnAReplicaAgainWhenItsLostGpuIsWell() {
        startWithGpus("0", "0,1", "gpu.fault_clear_ms=1");
        try (TestClient client = daemon.client()) {
            daemon.await(() -> health(client).contains(SMALL));
            stub.answer("nvmlDeviceGetUtilizationRates", 1, LOST);
            daemon.await(() -> state(1) == ReplicaStatus.State.DOWN);
            assertThat(view(1).lastError()).isEqualTo("GPU 1 (" + SMALL + "): lost, off the bus or to be reset");
            daemon.await(() -> health(client).contains("{\"device\":\"" + SMALL + "\",\"lost\":true}"));
            assertThat(state(0)).isEqualTo(ReplicaStatus.State.READY);
            assertThat(placed(client, 1)).isEqualTo("r0");
            stub.release();
            daemon.await(() -> state(1) == ReplicaStatus.State.READY);
        }
    }

    @Test
    void shouldLogWhatItFoundAndEachProblemOfAMaskOnce() throws IOException {
        stub = NvmlStub.build(folder);
        Path home = Files.createDirectory(folder.resolve("home"));
        List<String> lines;
        try (DaemonProcess process = DaemonProcess.serve(
                        home,
                        Keys.yaml(0, "tokens_per_s=40", 1),
                        "gpu.period_ms=100",
                        "gpu.library=" + stub.library(),
                        "pools.0.replicas.0.device_mask=0,9",
                        "shutdown.lame_duck_ms=0");
                TestClient client = process.client().with("X-API-Key", Keys.ANN)) {
            process.awaitLine(line -> line.contains("\"device_mask\""));
            UUID id = UUID.randomUUID();
            client.submit(TestClient.task(id, "mock", "for a few more looks", 20, ""));
            client.stream(id).toEnd();
            assertThat(client.get("/metrics").body())
                    .contains("vram_total_bytes{")
                    .doesNotContain("vram_used_bytes{");
            process.signal("TERM");
            assertThat(process.exit()).isZero();
            lines = process.lines();
        }
        assertThat(lines)
                .filteredOn(line -> line.contains("\"gpu_telemetry\""))
                .singleElement(InstanceOfAssertFactories.STRING)
                .contains(
                        "\"level\":\"INFO\"",
                        "\"state\":\"available\"",
                        "\"driver_version\":\"580.1\"",
                        "\"devices\":2")
                .satisfies(line -> assertValid(line));
        assertThat(lines)
                .filteredOn(line -> line.contains("\"event\":\"device_mask\""))
                .singleElement(InstanceOfAssertFactories.STRING)
                .contains("\"level\":\"WARN\"", "\"device_mask\":\"0,9\"", "names no GPU")
                .satisfies(line -> assertValid(line));
    }

    private static void assertValid(String line) throws IOException {
        assertThat(LogIT.schema().validate(new JsonMapper().readTree(line)))
                .as(line)
                .isEmpty();
    }
}
