package io.llamaorch.orchestratord.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LoggingTest {
    private static final String HOSTILE = "q\" b\\ n\n r\r t\t z\0 e\u001b[31m d\u007f c\u0085 l\u2028 s\ud800 é 😀";
    private static final TaskContext TASK = new TaskContext(
            "c-1", "key:ops", new UUID(1, 2), new UUID(3, 4), EngineKind.MOCK, Priority.BATCH, null, null);
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
    private static final StreamSummary SUMMARY = new StreamSummary("p", "r0", "1.0", 7, 11, 5, 9, 200, true, null);

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Logging start(Config.LogFormat format, OutputStream to) {
        return Logging.start(new Config.Log(Config.LogLevel.INFO, format, 1_024, null), to, false);
    }

    private List<String> lines() {
        return out.toString(UTF_8).lines().toList();
    }

    private static Map<String, String> parse(String line) throws IOException {
        Map<String, String> fields = new LinkedHashMap<>();
        try (JsonParser json = new JsonFactory()
                .enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature())
                .createParser(line)) {
            assertThat(json.nextToken()).isEqualTo(JsonToken.START_OBJECT);
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                fields.put(name, json.getText());
            }
            assertThat(json.currentToken()).isEqualTo(JsonToken.END_OBJECT);
            assertThat(json.nextToken()).isNull();
        }
        return fields;
    }

    private static void logAll(EventLog log) {
        ApiError error =
                ApiError.of(ErrorCode.ADMISSION_REJECT, HOSTILE).at("mock", "p").by("reject");
        log.daemonStarting("1");
        log.daemonListening("127.0.0.1:8080", 300);
        log.admitted(TASK, new Admission("p", 3, 400, 900, 50, 0.75, 4, null));
        log.placed(TASK, DISPATCH);
        log.streamStarted(TASK, DISPATCH);
        log.streamEnded(TASK, FinishReason.STOP, SUMMARY);
        log.streamFailed(TASK, error, SUMMARY);
        log.canceled(TASK, "client", SUMMARY);
        log.rejected(TASK, "c-1", "key:ops", error);
        log.rejected(null, HOSTILE, HOSTILE, error);
        log.evicted(TASK, error);
        log.readerCut(TASK, "stall", 10);
        log.replicaChanged("p", "r0", ReplicaStatus.State.LOADING, ReplicaStatus.State.DOWN, "", HOSTILE);
        log.replicaChanged("p", "r0", ReplicaStatus.State.DOWN, ReplicaStatus.State.READY, "1", null);
        log.breakerChanged("p", "r0", ReplicaStatus.State.DOWN, HOSTILE);
        log.replicaOccupied("p", "r0", 3);
        log.retried(TASK, error);
        log.poolChanged("p", "draining", "asked");
        log.blocked("loop-0", 700, Thread.currentThread().getStackTrace());
        log.unblocked("loop-0", 900);
        log.defect("here", null, new IllegalStateException(HOSTILE));
        log.warning("config", HOSTILE);
        log.daemonDraining("SIGTERM", 2, 30_000);
        log.daemonStopped(0, 12_345);
        log.settled(TASK, new Charge(7, true, 11, 200, 1_500_000, new Allowance(3, -1, 0, null, null)));
    }

    @Test
    void shouldWriteOneJsonObjectALineWhateverTheValues() throws IOException {
        try (Logging logging = start(Config.LogFormat.JSON, out)) {
            logAll(logging.events());
        }
        assertThat(lines()).hasSize(25);
        List<String> events = new ArrayList<>();
        for (String line : lines()) {
            Map<String, String> fields = parse(line);
            assertThat(new ArrayList<>(fields.keySet()).subList(0, 4)).containsExactly("ts", "level", "event", "human");
            assertThat(fields.get("ts")).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
            assertThat(line).doesNotContain("\u001b", "\u007f", "\u0085", "\u2028", "\0");
            events.add(String.valueOf(fields.get("event")));
        }
        assertThat(events)
                .contains(
                        "admission", "placement", "stream_start", "stream_end", "cancel", "reject", "pool_transition");
        assertThat(parse(lines().get(9)).get("identity")).isEqualTo(HOSTILE);
    }

    @Test
    void shouldUseTheContractsFieldNames() throws IOException {
        try (Logging logging = start(Config.LogFormat.JSON, out)) {
            logAll(logging.events());
        }
        assertThat(parse(lines().get(2)))
                .containsEntry("correlation_id", "c-1")
                .containsEntry("identity", "key:ops")
                .containsEntry("job_id", new UUID(1, 2).toString())
                .containsEntry("session_id", new UUID(3, 4).toString())
                .containsEntry("engine", "mock")
                .containsEntry("pool_id", "p")
                .containsEntry("queue_position", "3")
                .containsEntry("predicted_start_ms", "400");
        assertThat(parse(lines().get(3)))
                .containsEntry("replica_id", "r0")
                .containsEntry("queue_time_ms", "5")
                .containsEntry("decision_by", "only_candidate")
                .containsEntry("decision_candidates", "p/r0=feasible");
        assertThat(parse(lines().get(5)))
                .containsEntry("engine_version", "1.0")
                .containsEntry("tokens_in", "7")
                .containsEntry("tokens_out", "11")
                .containsEntry("decode_time_ms", "200")
                .containsEntry("kv_warmth", "true");
        assertThat(parse(lines().get(24)))
                .containsEntry("event", "settle")
                .containsEntry("tokens_estimated", "true")
                .containsEntry("cost", "0.0015")
                .containsEntry("tokens_budget_remaining", "3")
                .containsEntry("cost_budget_remaining", "0")
                .doesNotContainKey("time_budget_remaining_ms");
        for (String line : lines()) {
            assertThat(String.valueOf(parse(line).get("human")))
                    .doesNotContain(TASK.jobId().toString(), "r0");
        }
    }

    @Test
    void shouldTellOfGpusInFieldsOfTheSchemaAndKeepTheirIdsOutOfTheSentence() throws IOException {
        String uuid = "GPU-aaaa1111-0000-4000-8000-000000000001";
        try (Logging logging = start(Config.LogFormat.JSON, out)) {
            EventLog log = logging.events();
            log.gpuEvent(new GpuEvent(GpuEvent.Kind.XID, 3, uuid, OptionalInt.of(79), XidSeverity.CRITICAL), 7);
            log.gpuEvent(
                    new GpuEvent(GpuEvent.Kind.RECOVERY_ACTION, 3, uuid, OptionalInt.empty(), XidSeverity.OTHER), 0);
            log.deviceMaskWrong("p", "r0", "0,9", "\"9\" names no GPU");
            log.gpuTelemetry(new GpuSnapshot(
                    GpuSnapshot.State.UNAVAILABLE, "no driver", null, 0, 0, List.of(), List.of("a limit", "another")));
        }
        assertThat(parse(lines().get(0)))
                .containsEntry("level", "ERROR")
                .containsEntry("event", "gpu_event")
                .containsEntry("human", "GPU 3 failed (Xid 79).")
                .containsEntry("device", uuid)
                .containsEntry("device_index", "3")
                .containsEntry("xid", "79")
                .containsEntry("kind", "xid")
                .containsEntry("severity", "critical")
                .containsEntry("suppressed", "7");
        assertThat(parse(lines().get(1)))
                .containsEntry("level", "WARN")
                .containsEntry("kind", "recovery_action")
                .doesNotContainKeys("xid", "suppressed");
        assertThat(parse(lines().get(3)))
                .containsEntry("level", "INFO")
                .containsEntry("reason", "no driver")
                .containsEntry("limits", "a limit; another")
                .doesNotContainKeys("devices", "driver_version");
        String schema;
        try (InputStream in =
                Objects.requireNonNull(LoggingTest.class.getResourceAsStream("/schemas/log-line.schema.json"))) {
            schema = new String(in.readAllBytes(), UTF_8);
        }
        for (String line : lines()) {
            Map<String, String> fields = parse(line);
            assertThat(fields.get("human")).doesNotContain(uuid, "r0");
            assertThat(fields.keySet()).allSatisfy(name -> assertThat(schema).contains("\n    \"" + name + "\": {"));
        }
    }

    @Test
    void shouldKeepEachEventOnOneLineWhenTextIsAsked() {
        try (Logging logging = start(Config.LogFormat.TEXT, out)) {
            logAll(logging.events());
        }
        assertThat(lines()).hasSize(25);
        assertThat(lines().get(2)).contains(" INFO A task was queued behind 3.  [admission correlation_id=\"c-1\"");
        assertThat(out.toString(UTF_8)).doesNotContain("\u001b");
    }

    @Test
    void shouldFollowTheLevelWhenItChangesAtRunTime() {
        try (Logging logging = start(Config.LogFormat.JSON, out)) {
            logging.setLevel(Config.LogLevel.ERROR);
            logging.events().daemonStarting("1");
            logging.setLevel(Config.LogLevel.INFO);
            logging.events().daemonStarting("2");
        }
        assertThat(lines()).singleElement().asString().contains("\"version\":\"2\"");
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldDropAndCountAndNotBlockWhenTheOutputIsStuck() {
        CountDownLatch stuck = new CountDownLatch(1);
        OutputStream pipe = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                try {
                    stuck.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                out.write(bytes, from, length);
            }
        };
        long events = 300_000;
        long dropped;
        try (Logging logging = start(Config.LogFormat.JSON, pipe)) {
            long before = logging.dropped();
            for (int i = 0; i < events; i++) {
                logging.events().daemonStarting("1");
            }
            dropped = logging.dropped() - before;
            assertThat(dropped).isPositive();
            stuck.countDown();
        }
        assertThat(lines()).hasSize((int) (events - dropped));
    }

    @Test
    void shouldCountWhenTheOutputIsGone() {
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("gone");
            }
        };
        assertThatCode(() -> {
                    long before;
                    Logging logging = start(Config.LogFormat.JSON, closed);
                    try (logging) {
                        before = logging.dropped();
                        logging.events().daemonStarting("1");
                    }
                    assertThat(logging.dropped()).isGreaterThan(before);
                })
                .doesNotThrowAnyException();
    }
}
