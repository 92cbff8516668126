package io.llamaorch.orchestratord.server.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class MetricsTest {
    /** Name → type and labels, as the contract's table has them. */
    private static final Map<String, List<String>> TABLE = new LinkedHashMap<>();

    static {
        String replica = "engine engine_version pool_id replica_id";
        TABLE.put("tasks_enqueued_total", List.of("counter", replica + " priority"));
        TABLE.put("tasks_started_total", List.of("counter", replica + " priority"));
        TABLE.put("tasks_canceled_total", List.of("counter", replica + " reason"));
        TABLE.put("tasks_rejected_total", List.of("counter", "engine reason"));
        TABLE.put("admission_backpressure_events_total", List.of("counter", "engine policy"));
        TABLE.put("tokens_in_total", List.of("counter", replica));
        TABLE.put("tokens_out_total", List.of("counter", replica));
        TABLE.put("placement_decisions_total", List.of("counter", "outcome pinned fallback"));
        TABLE.put("queue_depth", List.of("gauge", "engine engine_version pool_id priority"));
        TABLE.put("kv_cache_usage_ratio", List.of("gauge", replica));
        TABLE.put("placement_candidates_considered", List.of("gauge", ""));
        TABLE.put("latency_first_token_ms", List.of("histogram", "engine engine_version pool_id priority"));
        TABLE.put("latency_decode_ms", List.of("histogram", "engine engine_version pool_id priority"));
        TABLE.put("tasks_finished_total", List.of("counter", "pool_id outcome"));
        TABLE.put("http_requests_total", List.of("counter", "route method status"));
        TABLE.put("http_request_duration_ms", List.of("histogram", "route"));
        TABLE.put("open_streams", List.of("gauge", ""));
        TABLE.put("pool_ready", List.of("gauge", "pool_id"));
        TABLE.put("active_leases", List.of("gauge", "pool_id replica_id"));
        TABLE.put("metrics_frames_dropped_total", List.of("counter", ""));
        TABLE.put("accept_failures_total", List.of("counter", ""));
        TABLE.put("ring_occupancy", List.of("gauge", ""));
        TABLE.put("event_loop_lag_ms", List.of("gauge", "loop"));
        TABLE.put("event_loop_blocked_total", List.of("counter", "loop"));
        TABLE.put("access_log_lost_total", List.of("counter", ""));
        TABLE.put("scheduler_lag_ms", List.of("gauge", ""));
        TABLE.put("transcript_bytes", List.of("gauge", ""));
        TABLE.put("stream_readers_cut_total", List.of("counter", "reason"));
        TABLE.put("log_events_dropped_total", List.of("counter", ""));
        TABLE.put("metric_label_overflow_total", List.of("counter", "metric label"));
        TABLE.put("drain_events_total", List.of("counter", "pool_id"));
        TABLE.put("gpu_utilization", List.of("gauge", replica + " device"));
        TABLE.put("vram_used_bytes", List.of("gauge", replica + " device"));
        TABLE.put("vram_total_bytes", List.of("gauge", "device"));
        TABLE.put("gpu_temperature_celsius", List.of("gauge", "device"));
        TABLE.put("gpu_power_watts", List.of("gauge", "device"));
        TABLE.put("gpu_xid_errors_total", List.of("counter", "device severity"));
        TABLE.put("gpu_faults_total", List.of("counter", "device"));
    }

    private final Metrics metrics = new Metrics(false);

    private String text() {
        return new String(metrics.render(), UTF_8);
    }

    private void touchAll() {
        PoolSeries pool = metrics.pool(EngineKind.MOCK, "1", "p");
        pool.enqueued(Priority.BATCH);
        pool.firstTokenMs(Priority.BATCH, 120);
        pool.decodeMs(Priority.BATCH, 300);
        pool.finished(TaskOutcome.COMPLETED);
        ReplicaSeries replica = metrics.replica(EngineKind.MOCK, "1", "p", "r0");
        replica.started(Priority.BATCH);
        replica.canceled(CancelReason.CLIENT);
        replica.tokensIn(3);
        replica.tokensOut(5);
        metrics.rejected("mock", RejectReason.ADMISSION_REJECT).inc();
        metrics.backpressure(EngineKind.MOCK, "reject").inc();
        metrics.placement(true, false, false).inc();
        metrics.candidatesConsidered(2);
        metrics.route("/v1/tasks", "POST").answered(202, 0.4);
        metrics.readersCut("stall").inc();
        metrics.framesDropped().inc();
        metrics.drains("p").inc();
        metrics.blocked("0").inc();
        metrics.acceptFailures().inc();
        metrics.xids("GPU-1", "critical").inc();
        metrics.gpuFaults("GPU-1").inc();
        metrics.addSource(sink -> {
            for (GaugeSource.Family family : GaugeSource.Family.values()) {
                String[] labels = family.labels();
                java.util.Arrays.fill(labels, "x");
                sink.gauge(family, 1, labels);
            }
        });
        for (int i = 0; i <= LabelBudget.most("reason"); i++) {
            metrics.readersCut("reason" + i);
        }
    }

    @Test
    void shouldExposeNamesTypesAndLabelsOfTheContract() {
        touchAll();
        String text = text();
        TABLE.forEach((name, kind) -> {
            assertThat(text).contains("# TYPE " + name + " " + kind.get(0) + "\n");
            String series = kind.get(0).equals("histogram") ? name + "_bucket" : name;
            Matcher matcher = Pattern.compile("^" + series + "(?:\\{(.*)\\})? ", Pattern.MULTILINE)
                    .matcher(text);
            assertThat(matcher.find()).as(name).isTrue();
            List<String> labels = new ArrayList<>();
            Matcher label =
                    Pattern.compile("([a-z_]+)=\"[^\"]*\"").matcher(matcher.group(1) == null ? "" : matcher.group(1));
            while (label.find()) {
                if (!label.group(1).equals("le")) {
                    labels.add(label.group(1));
                }
            }
            assertThat(String.join(" ", labels)).as(name).isEqualTo(kind.get(1));
        });
        assertThat(text).doesNotContain("_created");
    }

    @Test
    void shouldWriteEachLineInTheTextFormat() {
        touchAll();
        for (String line : text().lines().toList()) {
            assertThat(line)
                    .matches("# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{([a-z_]+=\"[^\"]*\",?)+\\})? [0-9+.eEInfNa-]+");
        }
        assertThat(text()).endsWith("\n");
    }

    @Test
    void shouldKeepTheContractsBuckets() {
        touchAll();
        assertThat(buckets("latency_first_token_ms"))
                .containsExactly(50d, 100d, 150d, 200d, 300d, 500d, 750d, 1000d, 1500d, 2000d, 3000d);
        assertThat(buckets("latency_decode_ms"))
                .containsExactly(250d, 500d, 1000d, 1500d, 2000d, 3000d, 4000d, 6000d, 8000d, 12000d);
    }

    private Iterable<Double> buckets(String name) {
        TreeSet<Double> found = new TreeSet<>();
        Matcher matcher = Pattern.compile(name + "_bucket\\{.*le=\"([0-9.]+)\"").matcher(text());
        while (matcher.find()) {
            found.add(Double.valueOf(matcher.group(1)));
        }
        return found;
    }

    @Test
    void shouldCountExactlyWhatItWasTold() {
        touchAll();
        assertThat(text())
                .contains("tokens_out_total{engine=\"mock\",engine_version=\"1\",pool_id=\"p\",replica_id=\"r0\"} 5\n")
                .contains("tasks_enqueued_total{engine=\"mock\",engine_version=\"1\",pool_id=\"p\","
                        + "replica_id=\"none\",priority=\"batch\"} 1\n")
                .contains("http_requests_total{route=\"/v1/tasks\",method=\"POST\",status=\"202\"} 1\n");
    }

    @Test
    void shouldFoldTheExcessWhenALabelPassesItsBudget() {
        for (int i = 0; i < 20; i++) {
            metrics.readersCut("r" + i).inc();
        }
        assertThat(text())
                .contains("stream_readers_cut_total{reason=\"r15\"} 1\n")
                .doesNotContain("reason=\"r16\"")
                .contains("stream_readers_cut_total{reason=\"other\"} 4\n")
                .contains("metric_label_overflow_total{metric=\"stream_readers_cut_total\",label=\"reason\"} 4\n");
    }

    @Test
    void shouldEscapeLabelsWhenTheyAreHostile() {
        metrics.readersCut("a\"b\\c\nd").inc();
        assertThat(text()).contains("{reason=\"a\\\"b\\\\c\\nd\"} 1\n");
    }

    @Test
    void shouldStayWithinTheReasonBudgetForEveryErrorCode() {
        for (ErrorCode code : ErrorCode.values()) {
            assertThat(RejectReason.of(code).label()).isNotEmpty();
        }
        assertThat(RejectReason.values()).hasSizeLessThanOrEqualTo(LabelBudget.most("reason"));
        assertThat(CancelReason.values()).hasSizeLessThanOrEqualTo(LabelBudget.most("reason"));
    }

    @Test
    void shouldDropSeriesWhenTheirSourceForgetsThem() {
        boolean[] there = {true};
        metrics.addSource(sink -> {
            if (there[0]) {
                sink.gauge(GaugeSource.Family.POOL_READY, 1, "p");
            }
        });
        assertThat(text()).contains("pool_ready{pool_id=\"p\"} 1\n");
        there[0] = false;
        assertThat(text()).doesNotContain("pool_ready");
    }

    @Test
    void shouldShowTheJvmWhenAsked() {
        assertThat(new String(new Metrics(true).render(), UTF_8))
                .contains("jvm_memory")
                .contains("process_cpu_seconds_total");
    }
}
