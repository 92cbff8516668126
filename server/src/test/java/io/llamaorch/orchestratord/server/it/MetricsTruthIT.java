package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Counters against what clients saw, exactly, over more than 100,000 tokens of tasks that end well, are canceled, lose
 * their clients, or whose engine breaks: specs/metrics-and-logs.md, MET-6 to MET-8.
 */
@NullUnmarked
@Tag("metrics-lint")
class MetricsTruthIT {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int CLIENTS = 6;
    private static final int TASKS_EACH = 80;
    private static final int TOKENS = 400;
    private static final int SLOTS = 8;

    /** How a client treats its task. */
    private enum Kind {
        READ,
        CANCEL,
        LEAVE,
        ENGINE_BREAKS,
        ENGINE_REFUSES,
        INVALID;

        static Kind of(int number) {
            return switch (number % 16) {
                case 3 -> CANCEL;
                case 6 -> LEAVE;
                case 9 -> ENGINE_BREAKS;
                case 12 -> ENGINE_REFUSES;
                case 15 -> INVALID;
                default -> READ;
            };
        }
    }

    private record Submitted(UUID id, Kind kind) {}

    private final Map<String, Integer> requests = new ConcurrentHashMap<>();

    private void asked(String route, int status) {
        requests.merge(route + " " + status, 1, Integer::sum);
    }

    /** One client's tasks, one after the other. */
    private List<Submitted> drive(DaemonHarness daemon, int client) {
        List<Submitted> submitted = new ArrayList<>();
        try (TestClient http = daemon.client()) {
            for (int i = 0; i < TASKS_EACH; i++) {
                Kind kind = Kind.of(i);
                UUID id = UUID.randomUUID();
                String prompt =
                        switch (kind) {
                            case CANCEL, LEAVE -> "slow [[pace=3]]";
                            case ENGINE_BREAKS -> "breaks [[fault=close@" + (i % 7 + client) + "]]";
                            case ENGINE_REFUSES -> "refuses [[fault=http500@0]]";
                            case READ, INVALID -> "fine";
                        };
                int tokens = kind == Kind.INVALID ? 0 : TOKENS;
                int status = http.post("/v1/tasks", EngineDouble.task(id, prompt, i, tokens, ""))
                        .status();
                asked("/v1/tasks", status);
                assertThat(status).isEqualTo(kind == Kind.INVALID ? 400 : 202);
                if (kind == Kind.INVALID) {
                    continue;
                }
                submitted.add(new Submitted(id, kind));
                asked("/v1/tasks/{id}/stream", 200);
                try (StreamTap tap = new StreamTap(daemon.port(), id, 0, "")) {
                    if (kind == Kind.LEAVE || kind == Kind.CANCEL) {
                        while (tap.poll().events().stream()
                                .noneMatch(event -> event.name().equals("token"))) {
                            Thread.onSpinWait();
                        }
                    }
                    if (kind == Kind.CANCEL) {
                        int canceled =
                                http.post("/v1/tasks/" + id + "/cancel", "{}").status();
                        assertThat(canceled).isEqualTo(204);
                        asked("/v1/tasks/{id}/cancel", canceled);
                    }
                    if (kind != Kind.LEAVE) {
                        assertThat(tap.toEnd().complete()).isTrue();
                    }
                }
            }
        }
        return submitted;
    }

    @Test
    void shouldCountExactlyWhatClientsSaw() throws Exception {
        try (LlamaServerDoubleProcess engine = LlamaServerDoubleProcess.start("--slots=" + SLOTS);
                DaemonHarness daemon = DaemonHarness.llama(
                        engine.port(), SLOTS, "event_loops=2", "pools.0.health.breaker.failures=1000");
                TestClient http = daemon.client()) {
            List<Submitted> submitted = new ArrayList<>();
            ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
            try {
                List<Future<List<Submitted>>> running = new ArrayList<>();
                for (int c = 0; c < CLIENTS; c++) {
                    int client = c;
                    Callable<List<Submitted>> drive = () -> drive(daemon, client);
                    running.add(clients.submit(drive));
                }
                for (Future<List<Submitted>> one : running) {
                    submitted.addAll(one.get());
                }
            } finally {
                clients.shutdown();
            }
            daemon.awaitQuiet();

            Map<String, Long> seen = new TreeMap<>();
            for (Submitted task : submitted) {
                count(seen, daemon, http, task);
            }
            assertThat(seen.get("tokens")).isGreaterThanOrEqualTo(100_000);
            assertThat(seen).containsKeys("finished completed", "finished canceled", "finished failed");
            assertThat(seen).containsKeys("canceled client", "canceled disconnect");

            Samples samples = new Samples(http.get("/metrics").body());
            int invalid = requests.get("/v1/tasks 400");
            assertThat(samples.sum("tokens_out_total", ""))
                    .isEqualTo(seen.get("tokens").doubleValue());
            assertThat(samples.sum("tokens_in_total", ""))
                    .isEqualTo(seen.get("tokens in").doubleValue());
            assertThat(samples.sum("tasks_enqueued_total", "")).isEqualTo(submitted.size());
            assertThat(samples.sum("tasks_started_total", ""))
                    .isEqualTo(seen.get("had a slot").doubleValue());
            for (String outcome : List.of("completed", "canceled", "failed")) {
                assertThat(samples.sum("tasks_finished_total", "outcome=\"" + outcome + '"'))
                        .as(outcome)
                        .isEqualTo(seen.get("finished " + outcome).doubleValue());
            }
            assertThat(samples.sum("tasks_finished_total", "")).isEqualTo(submitted.size());
            for (String reason : List.of("client", "disconnect")) {
                assertThat(samples.sum("tasks_canceled_total", "reason=\"" + reason + '"'))
                        .as(reason)
                        .isEqualTo(seen.get("canceled " + reason).doubleValue());
            }
            assertThat(samples.sum("tasks_rejected_total", "reason=\"invalid_params\""))
                    .isEqualTo(invalid);
            assertThat(samples.sum("tasks_rejected_total", "")).isEqualTo(invalid);
            assertThat(samples.sum("latency_first_token_ms_count", ""))
                    .isEqualTo(seen.get("with a first token").doubleValue());
            assertThat(samples.sum("latency_decode_ms_count", ""))
                    .isEqualTo(seen.get("with a first token").doubleValue());
            requests.forEach((request, times) -> {
                String[] words = request.split(" ", -1);
                String labels = "route=\"" + words[0] + "\",method=\"" + (words[0].endsWith("stream") ? "GET" : "POST")
                        + "\",status=\"" + words[1] + '"';
                assertThat(samples.sum("http_requests_total", labels))
                        .as(request)
                        .isEqualTo(times.doubleValue());
            });
            for (String gauge : List.of("open_streams", "active_leases", "queue_depth", "ring_occupancy")) {
                assertThat(samples.sum(gauge, "")).as(gauge).isZero();
            }
            assertThat(samples.sum("retained_tasks", "")).isEqualTo(submitted.size());
        }
    }

    /** Reads a task's whole stream again, and its state, and adds up what they say. */
    private void count(Map<String, Long> seen, DaemonHarness daemon, TestClient http, Submitted task) {
        List<StreamTap.Event> events;
        try (StreamTap replay = new StreamTap(daemon.port(), task.id(), 0, "")) {
            events = replay.toEnd().events();
        }
        asked("/v1/tasks/{id}/stream", 200);
        JsonNode state = JSON.readTree(http.get("/v1/tasks/" + task.id()).body());
        StreamTap.Event last = events.get(events.size() - 1);
        long tokens =
                events.stream().filter(event -> event.name().equals("token")).count();
        assertThat(state.get("tokens_out").asLong()).isEqualTo(tokens);
        add(seen, "tokens", tokens);
        add(seen, "tokens in", state.has("tokens_in") ? state.get("tokens_in").asLong() : 0);
        add(seen, "had a slot", state.has("replica_id") ? 1 : 0);
        add(seen, "with a first token", state.has("first_token_ms") ? 1 : 0);
        boolean canceled = last.data().contains("\"canceled\":true");
        String outcome = last.name().equals("error") ? "failed" : canceled ? "canceled" : "completed";
        add(seen, "finished " + outcome, 1);
        if (canceled) {
            add(seen, "canceled " + (task.kind() == Kind.CANCEL ? "client" : "disconnect"), 1);
        }
    }

    private static void add(Map<String, Long> seen, String what, long count) {
        seen.merge(what, count, Long::sum);
    }

    /** A scrape. */
    private record Samples(String text) {
        /** The sum of all series of a name whose labels hold {@code labels}. */
        double sum(String name, String labels) {
            return text.lines()
                    .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
                    .filter(line -> line.contains(labels))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        }
    }
}
