package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code /metrics} against {@code ci/metrics.lint.json}, and its figures against what clients saw. */
@NullUnmarked
@Tag("metrics-lint")
class MetricsIT {
    private static final Pattern SAMPLE = Pattern.compile("([a-z_]+)(?:\\{(.*)})? (\\S+)");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

    private record Sample(String name, Map<String, String> labels, double value) {}

    private static JsonNode lint() throws IOException {
        return new JsonMapper()
                .readTree(Path.of("..", "ci", "metrics.lint.json").toFile());
    }

    private static Map<String, String> types(String text) {
        Map<String, String> types = new LinkedHashMap<>();
        text.lines().filter(line -> line.startsWith("# TYPE ")).forEach(line -> {
            String[] words = line.split(" ", -1);
            assertThat(types.put(words[2], words[3])).as(line).isNull();
        });
        return types;
    }

    private static List<Sample> samples(String text) {
        List<Sample> samples = new ArrayList<>();
        text.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            Matcher sample = SAMPLE.matcher(line);
            assertThat(sample.matches()).as(line).isTrue();
            Map<String, String> labels = new LinkedHashMap<>();
            if (sample.group(2) != null) {
                Matcher label = LABEL.matcher(sample.group(2));
                while (label.find()) {
                    labels.put(label.group(1), label.group(2));
                }
            }
            samples.add(new Sample(sample.group(1), labels, Double.parseDouble(sample.group(3))));
        });
        return samples;
    }

    private static double sum(List<Sample> samples, String name, String... labels) {
        double sum = 0;
        for (Sample sample : samples) {
            boolean wanted = sample.name().equals(name);
            for (int i = 0; i < labels.length; i += 2) {
                wanted &= labels[i + 1].equals(sample.labels().get(labels[i]));
            }
            sum += wanted ? sample.value() : 0;
        }
        return sum;
    }

    private static String family(String sample) {
        return sample.replaceAll("_(bucket|sum|count)$", "");
    }

    private static void assertLintClean(String text) throws IOException {
        JsonNode lint = lint();
        Map<String, JsonNode> declared = new TreeMap<>();
        lint.get("metrics").forEach(metric -> declared.put(metric.get("name").asString(), metric));
        List<String> external = new ArrayList<>();
        lint.get("external_prefixes").forEach(prefix -> external.add(prefix.asString()));
        Map<String, String> types = types(text);
        List<String> problems = new ArrayList<>();
        declared.forEach((name, metric) -> {
            if (metric.get("required").asBoolean() && !types.containsKey(name)) {
                problems.add("missing: " + name);
            }
        });
        types.forEach((name, type) -> {
            JsonNode metric = declared.get(name);
            if (metric == null) {
                if (external.stream().noneMatch(name::startsWith)) {
                    problems.add("undeclared: " + name);
                }
            } else if (!metric.get("type").asString().equals(type)) {
                problems.add(name + " is a " + type);
            }
        });
        Map<String, Set<String>> buckets = new TreeMap<>();
        Map<String, Set<String>> values = new TreeMap<>();
        for (Sample sample : samples(text)) {
            boolean histogram = "histogram".equals(types.get(family(sample.name())));
            String name = histogram ? family(sample.name()) : sample.name();
            JsonNode metric = declared.get(name);
            if (metric == null) {
                continue;
            }
            Set<String> labels = new TreeSet<>(sample.labels().keySet());
            if (histogram && labels.remove("le")) {
                buckets.computeIfAbsent(name, key -> new HashSet<>())
                        .add(sample.labels().get("le"));
            }
            Set<String> due = new TreeSet<>();
            metric.get("labels").forEach(label -> due.add(label.asString()));
            if (!labels.equals(due)) {
                problems.add(name + " has labels " + labels + " where " + due + " are due");
            }
            for (String label : labels) {
                values.computeIfAbsent(name + " " + label, key -> new HashSet<>())
                        .add(sample.labels().get(label));
            }
        }
        buckets.forEach((name, found) -> {
            Set<Double> due = new TreeSet<>(List.of(Double.POSITIVE_INFINITY));
            declared.get(name).get("buckets").forEach(bucket -> due.add(bucket.asDouble()));
            Set<Double> given = new TreeSet<>();
            found.forEach(le -> given.add(le.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(le)));
            if (!given.equals(due)) {
                problems.add(name + " has buckets " + given + " where " + due + " are due");
            }
        });
        values.forEach((series, found) -> {
            JsonNode budget = lint.get("label_budgets").get(series.substring(series.indexOf(' ') + 1));
            if (budget == null || found.size() > budget.asInt() + 1) { // one more: "other"
                problems.add(series + " has " + found.size() + " values where " + budget + " are allowed");
            }
        });
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldBeCleanAndBoundedUnderHostileInput() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 2);
                TestClient client = daemon.client()) {
            assertLintClean(client.get("/metrics").body());
            for (int i = 0; i < 300; i++) {
                client.with("X-Correlation-Id", "hostile" + i);
                client.get("/hostile" + i);
                client.get("/v1/tasks/hostile" + i);
                client.get("/v1/pools/hostile" + i + "/health");
                client.exchange("HOSTILE" + i, "/v1/tasks", null);
                String task = TestClient.task(UUID.randomUUID(), "mock", "x", 2, ",\"detached\":true");
                client.post("/v1/tasks", task.replace("\"mock\"", "\"hostile" + i + "\""));
                client.post("/v1/tasks", task.replace("test/model", "hostile/" + i));
                client.post("/v1/tasks", task.replace("\"interactive\"", "\"hostile" + i + "\""));
            }
            String text = client.get("/metrics").body();
            assertLintClean(text);
            assertThat(text.toLowerCase(java.util.Locale.ROOT)).doesNotContain("hostile");
        }
    }

    @Test
    void shouldCountWhatClientsSaw() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=400", 2, "pools.0.queue.capacity=8");
                TestClient client = daemon.client()) {
            Map<String, Integer> http = new HashMap<>();
            long tokens = 0;
            int admitted = 0;
            int rejected = 0;
            int invalid = 0;
            Map<String, Integer> ends = new HashMap<>();
            for (int round = 0; round < 3; round++) {
                List<UUID> ids = new ArrayList<>();
                for (int i = 0; i < 14; i++) {
                    UUID id = UUID.randomUUID();
                    Answer answer = client.post(
                            "/v1/tasks",
                            TestClient.task(id, "mock", "count me", 20 + 10 * i, ",\"detached\":true,\"seed\":" + i));
                    http.merge("/v1/tasks " + answer.status(), 1, Integer::sum);
                    if (answer.status() == 202) {
                        admitted++;
                        ids.add(id);
                    } else {
                        assertThat(answer.status()).isEqualTo(429);
                        rejected++;
                    }
                }
                Answer bad = client.post("/v1/tasks", "{}");
                http.merge("/v1/tasks " + bad.status(), 1, Integer::sum);
                invalid++;
                for (int i = 0; i < ids.size(); i++) {
                    if (i % 3 == 1) {
                        Answer canceled = client.post("/v1/tasks/" + ids.get(i) + "/cancel", "{}");
                        http.merge("/v1/tasks/{id}/cancel " + canceled.status(), 1, Integer::sum);
                    }
                }
                for (UUID id : ids) {
                    TestClient.Stream stream = client.stream(id).toEnd();
                    http.merge("/v1/tasks/{id}/stream 200", 1, Integer::sum);
                    tokens += stream.of("token").size();
                    boolean canceled = stream.last().data().contains("\"canceled\":true");
                    ends.merge(canceled ? "canceled" : "completed", 1, Integer::sum);
                }
            }
            client.get("/nowhere");
            daemon.awaitQuiet();
            double all = admitted;
            daemon.await(() -> retained(daemon) == all); // once its transcript is on disk
            List<Sample> samples = samples(client.get("/metrics").body());
            assertThat(sum(samples, "tokens_out_total")).isEqualTo((double) tokens);
            assertThat(sum(samples, "tasks_enqueued_total")).isEqualTo(admitted);
            assertThat(sum(samples, "tasks_finished_total")).isEqualTo(admitted);
            assertThat(sum(samples, "tasks_finished_total", "outcome", "canceled"))
                    .isEqualTo(ends.getOrDefault("canceled", 0).doubleValue());
            assertThat(sum(samples, "tasks_finished_total", "outcome", "completed"))
                    .isEqualTo(ends.getOrDefault("completed", 0).doubleValue());
            assertThat(sum(samples, "tasks_canceled_total", "reason", "client"))
                    .isEqualTo(ends.getOrDefault("canceled", 0).doubleValue());
            assertThat(sum(samples, "tasks_rejected_total", "reason", "admission_reject"))
                    .isEqualTo(rejected);
            assertThat(sum(samples, "tasks_rejected_total")).isEqualTo(rejected + invalid);
            assertThat(sum(samples, "admission_backpressure_events_total", "policy", "reject"))
                    .isEqualTo(rejected);
            assertThat(sum(samples, "latency_decode_ms_count")).isEqualTo(sum(samples, "latency_first_token_ms_count"));
            http.forEach((key, count) -> {
                String[] words = key.split(" ", -1);
                assertThat(sum(samples, "http_requests_total", "route", words[0], "status", words[1]))
                        .as(key)
                        .isEqualTo(count.doubleValue());
            });
            assertThat(sum(samples, "http_requests_total", "route", "unrouted", "status", "404"))
                    .isEqualTo(1);
            for (String gauge : List.of("open_streams", "active_leases", "queue_depth", "ring_occupancy")) {
                assertThat(sum(samples, gauge)).as(gauge).isZero();
            }
            assertThat(sum(samples, "http_connections")).isEqualTo(1);
            assertThat(sum(samples, "retained_tasks")).isEqualTo(admitted);
        }
    }

    private static int retained(DaemonHarness daemon) {
        return daemon.daemon().tasks().loops().all().stream()
                .mapToInt(loop -> loop.streams().retainedTasks())
                .sum();
    }
}
