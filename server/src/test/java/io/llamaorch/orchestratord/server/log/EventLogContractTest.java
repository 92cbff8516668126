package io.llamaorch.orchestratord.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.gpu.GpuEvent;
import io.llamaorch.orchestratord.adapters.gpu.GpuSnapshot;
import io.llamaorch.orchestratord.adapters.gpu.XidSeverity;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.Charge;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.Lease;
import io.llamaorch.orchestratord.scheduler.core.PlacementDecision;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.config.Config.LogLevel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Drives every event of the log with all that it can carry: each line is valid, no member of the schema is dead, and the
 * table of events in {@code contracts/observability/log-events.md} names each event and each of its fields.
 */
@NullUnmarked
class EventLogContractTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Path CONTRACTS = Path.of("..", "contracts");
    private static final String ERROR_MESSAGE = "There is no room.";
    /** Events that have no field: a sentence says it all. */
    private static final List<String> WARNINGS = List.of(
            "accept_failed",
            "access_log_failed",
            "config_warning",
            "engine_warning",
            "file_descriptors",
            "orphan_engine",
            "start_failed");

    private static final TaskContext TASK = new TaskContext(
            "c-1",
            "key:ops",
            new UUID(1, 2),
            new UUID(3, 4),
            EngineKind.MOCK,
            Priority.BATCH,
            "v7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    private static final Dispatch DISPATCH = new Dispatch(
            new Lease(0, 0, 0, 0),
            "p",
            "r0",
            "1.0",
            5_000_000,
            true,
            0.5,
            1,
            0,
            0,
            false,
            null,
            new PlacementDecision(
                    "p",
                    "r0",
                    false,
                    false,
                    List.of(new PlacementDecision.Candidate("p", "r0", "feasible")),
                    "only_candidate"));
    private static final StreamSummary SUMMARY =
            new StreamSummary("p", "r0", "1.0", 7, 11, 5, 9, 200, true, "sha256:" + "0".repeat(64));
    private static final ApiError ERROR = ApiError.of(ErrorCode.ADMISSION_REJECT, ERROR_MESSAGE)
            .at("mock", "p")
            .by("reject")
            .retryAfterMs(700);
    private static final String GPU = "GPU-aaaa1111-0000-4000-8000-000000000001";
    private static final String ARTIFACT = "sha256:" + "a".repeat(64);

    /** Every method that logs, by its name, with everything that it takes. */
    private static Map<String, Consumer<EventLog>> calls() {
        Map<String, Consumer<EventLog>> calls = new LinkedHashMap<>();
        calls.put("daemonStarting", log -> log.daemonStarting("1"));
        calls.put("daemonListening", log -> log.daemonListening("127.0.0.1:8080", 300));
        calls.put("daemonDraining", log -> log.daemonDraining("signal", 2, 30_000));
        calls.put("daemonStopped", log -> log.daemonStopped(0, 12_345));
        calls.put("warning", log -> WARNINGS.forEach(event -> log.warning(event, "Look at this.")));
        calls.put("admitted", log -> log.admitted(TASK, new Admission("p", 3, 400, 900, 50, 0.75, 4, null)));
        calls.put(
                "settled",
                log -> log.settled(TASK, new Charge(7, true, 11, 200, 1_500_000, new Allowance(3, 4, 0, null, null))));
        calls.put("placed", log -> log.placed(TASK, DISPATCH));
        calls.put("streamStarted", log -> log.streamStarted(TASK, DISPATCH));
        calls.put("streamEnded", log -> log.streamEnded(TASK, FinishReason.STOP, SUMMARY));
        calls.put("streamFailed", log -> log.streamFailed(TASK, ERROR, SUMMARY));
        calls.put("canceled", log -> log.canceled(TASK, "client", SUMMARY));
        calls.put("rejected", log -> {
            log.rejected(TASK, "c-1", "key:ops", ERROR);
            log.rejected(null, "c-1", "key:ops", ERROR);
        });
        calls.put("evicted", log -> log.evicted(TASK, ERROR));
        calls.put("retried", log -> log.retried(TASK, ERROR));
        calls.put("readerCut", log -> log.readerCut(TASK, "stall", 10));
        calls.put(
                "replicaChanged",
                log -> log.replicaChanged(
                        "p", "r0", ReplicaStatus.State.LOADING, ReplicaStatus.State.DOWN, "1", "refused"));
        calls.put("engineProcess", log -> log.engineProcess("p", "r0", "ended", "exit code 1"));
        calls.put("breakerChanged", log -> log.breakerChanged("p", "r0", ReplicaStatus.State.DOWN, "refused"));
        calls.put("replicaOccupied", log -> log.replicaOccupied("p", "r0", 3));
        calls.put("poolChanged", log -> log.poolChanged("p", "draining", "asked"));
        calls.put("gpuTelemetry", log -> {
            log.gpuTelemetry(new GpuSnapshot(
                    GpuSnapshot.State.UNAVAILABLE, "no driver", null, 0, 0, List.of(), List.of("a limit")));
            log.gpuTelemetry(new GpuSnapshot(GpuSnapshot.State.AVAILABLE, null, "570.1", 0, 0, List.of(), List.of()));
        });
        calls.put(
                "gpuEvent",
                log -> log.gpuEvent(
                        new GpuEvent(GpuEvent.Kind.XID, 3, GPU, OptionalInt.of(79), XidSeverity.CRITICAL), 7));
        calls.put("deviceMaskWrong", log -> log.deviceMaskWrong("p", "r0", "0,9", "\"9\" names no GPU"));
        calls.put(
                "blocked",
                log -> log.blocked("loop-0", 700, Thread.currentThread().getStackTrace()));
        calls.put("unblocked", log -> log.unblocked("loop-0", 900));
        calls.put(
                "levelChanged",
                log -> log.levelChanged("c-1", "key:ops", LogLevel.INFO, LogLevel.DEBUG, 60_000, "asked"));
        calls.put("request", log -> log.request(access()));
        calls.put("ledgerRecovered", log -> log.ledgerRecovered(2, 1, 3, 9, 40));
        calls.put("ledgerRefused", log -> log.ledgerRefused(new IOException("No space left on device")));
        calls.put("ledgerFailed", log -> log.ledgerFailed(new IOException("Input/output error")));
        calls.put("transcriptCorrupt", log -> log.transcriptCorrupt("1b4e28ba-2fa1-11d2-883f-0016d3cca427"));
        calls.put(
                "transcriptDiskFailure",
                log -> log.transcriptDiskFailure("write", new IOException("No space left on device"), false));
        calls.put("artifactStored", log -> log.artifactStored("key:ops", "plan", ARTIFACT, 12));
        calls.put("artifactsCollected", log -> log.artifactsCollected(3));
        calls.put("artifactCorrupt", log -> log.artifactCorrupt(ARTIFACT));
        calls.put("artifactDiskFailure", log -> log.artifactDiskFailure("sync", new IOException("no space")));
        calls.put("defect", log -> log.defect("here", "c-1", new IllegalStateException("no")));
        return calls;
    }

    private static AccessLine access() {
        return new AccessLine("GET", "/v1/pools", 200, 3, 812, true, "127.0.0.1", "key:ops", "c-1", TASK.traceparent());
    }

    private static List<JsonNode> lines() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Logging logging =
                Logging.start(new Config.Log(LogLevel.DEBUG, Config.LogFormat.JSON, 1_024, null), out, false)) {
            calls().values().forEach(call -> call.accept(logging.events()));
        }
        StringBuilder access = new StringBuilder();
        new EventLayout(true).append(access, 0, "INFO", access().message("access"));
        List<JsonNode> lines = new ArrayList<>();
        (out.toString(UTF_8) + access).lines().forEach(line -> lines.add(JSON.readTree(line)));
        return lines;
    }

    @Test
    void shouldDriveEveryMethodThatLogs() {
        Set<String> methods = new TreeSet<>();
        for (Method method : EventLog.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && method.getReturnType() == void.class) {
                methods.add(method.getName());
            }
        }
        assertThat(new TreeSet<>(calls().keySet())).isEqualTo(methods);
    }

    @Test
    void shouldKeepEveryEventToTheSchemaAndLeaveNoMemberOfItUnused() throws IOException {
        JsonNode file = JSON.readTree(Files.readString(CONTRACTS.resolve("schemas/log-line.schema.json")));
        Schema schema = SchemaRegistry.withDefaultDialect(
                        SpecificationVersion.DRAFT_2020_12,
                        builder -> builder.schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .formatAssertionsEnabled(true)
                                .build()))
                .getSchema(file);
        Set<String> unused = new TreeSet<>(file.get("properties").propertyNames());
        unused.remove("logger"); // of a library's line
        for (JsonNode line : lines()) {
            assertThat(schema.validate(line)).as(line.toString()).isEmpty();
            unused.removeAll(line.propertyNames());
        }
        assertThat(unused).isEmpty();
    }

    @Test
    void shouldNameEachEventWithItsFieldsInTheTable() throws IOException {
        Map<String, Set<String>> written = new TreeMap<>();
        for (JsonNode line : lines()) {
            Set<String> fields = written.computeIfAbsent(line.get("event").asString(), event -> new TreeSet<>());
            fields.addAll(line.propertyNames());
            fields.removeAll(Set.of("ts", "level", "event", "human"));
        }
        Map<String, Set<String>> documented = new TreeMap<>();
        Files.readString(CONTRACTS.resolve("observability/log-events.md"))
                .lines()
                .filter(line -> line.startsWith("| `"))
                .forEach(line -> {
                    String[] cells = line.split("\\|", -1);
                    String fields = cells[3].replace("`", "").strip();
                    documented.put(
                            cells[1].replace("`", "").strip(),
                            new TreeSet<>(fields.equals("none") ? List.of() : List.of(fields.split(", ", -1))));
                });
        assertThat(documented).isEqualTo(written);
    }
}
