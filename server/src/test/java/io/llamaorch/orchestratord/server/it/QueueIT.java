package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Queues, their policies, positions, deadlines and idempotency, as clients see them. */
@Tag("queue")
@NullUnmarked
class QueueIT {
    private static final String SLOW = "tokens_per_s=50";
    private static final String DETACHED = ",\"detached\":true";

    @AfterAll
    static void stop() {
        LeakRecorder.assertNone();
    }

    private static UUID submit(TestClient client, String priority, int tokens) {
        UUID id = UUID.randomUUID();
        client.submit(task(id, priority, tokens));
        return id;
    }

    private static String task(UUID id, String priority, int tokens) {
        return TestClient.task(id, "mock", "q", tokens, DETACHED).replace("interactive", priority);
    }

    private static void cancel(TestClient client, List<UUID> ids) {
        for (UUID id : ids) {
            assertThat(client.post("/v1/tasks/" + id + "/cancel", "").status()).isEqualTo(204);
        }
    }

    private static void checkRefusal(Answer answer, String code, String policy) {
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.body()).contains("\"code\":\"" + code + "\"", "\"policy_label\":\"" + policy + "\"");
        long backoffMs = Long.parseLong(answer.header("X-Backoff-Ms"));
        assertThat(backoffMs).isPositive();
        assertThat(answer.body()).contains("\"retry_after_ms\":" + backoffMs);
        assertThat(answer.header("Retry-After")).isEqualTo(Long.toString(Math.max(1, (backoffMs + 999) / 1000)));
    }

    @Test
    void shouldRefuseWithFiguresWhenTheQueueIsFullAndThePolicyIsReject() {
        try (DaemonHarness daemon = DaemonHarness.mock(SLOW, 1, "pools.0.queue.capacity=2");
                TestClient client = daemon.client()) {
            List<UUID> in = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                in.add(submit(client, "interactive", 100_000));
            }
            UUID refused = UUID.randomUUID();
            checkRefusal(client.post("/v1/tasks", task(refused, "interactive", 10)), "ADMISSION_REJECT", "reject");
            assertThat(client.get("/v1/tasks/" + refused).status()).isEqualTo(404);
            cancel(client, in);
            client.submit(task(refused, "interactive", 1)); // the id stayed free
            assertThat(client.stream(refused).toEnd().of("end")).hasSize(1);
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldDropTheOldestBatchTaskWhenThePolicyIsDropLru() {
        try (DaemonHarness daemon =
                        DaemonHarness.mock(SLOW, 1, "pools.0.queue.capacity=2", "pools.0.queue.full_policy=drop-lru");
                TestClient client = daemon.client()) {
            UUID running = submit(client, "interactive", 100_000);
            UUID oldest = submit(client, "batch", 10);
            UUID second = submit(client, "batch", 10);
            UUID third = submit(client, "batch", 10);
            assertThat(client.stream(oldest).toEnd().last().data())
                    .contains("\"code\":\"QUEUE_FULL_DROP_LRU\"", "\"retriable\":true");
            cancel(client, List.of(second, third));
            List<UUID> more = List.of(submit(client, "interactive", 10), submit(client, "interactive", 10));
            checkRefusal(
                    client.post("/v1/tasks", task(UUID.randomUUID(), "interactive", 10)),
                    "QUEUE_FULL_DROP_LRU",
                    "drop-lru");
            cancel(client, more);
            cancel(client, List.of(running));
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldKeepPositionsExactWhenTasksInTheMiddleAreCanceled() {
        try (DaemonHarness daemon = DaemonHarness.mock(SLOW, 1);
                TestClient client = daemon.client()) {
            UUID running = submit(client, "interactive", 100_000);
            List<UUID> queued = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                queued.add(submit(client, "interactive", 1));
            }
            for (int at = 15; at >= 0; at -= 3) {
                cancel(client, List.of(queued.remove(at)));
            }
            for (int i = 0; i < queued.size(); i++) {
                assertThat(client.get("/v1/tasks/" + queued.get(i)).body())
                        .contains("\"state\":\"queued\"", "\"queue_position\":" + i + ",");
            }
            cancel(client, List.of(running));
            Instant started = Instant.EPOCH;
            for (UUID id : queued) { // first in, first out
                client.stream(id).toEnd();
                String body = client.get("/v1/tasks/" + id).body();
                int from = body.indexOf("\"started_at\":\"") + 14;
                Instant at = Instant.parse(body.substring(from, from + 24));
                assertThat(at).isAfterOrEqualTo(started.minusMillis(1)); // each counts from its own rounded admission
                started = at;
            }
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldEndWithTheRightErrorWhenADeadlinePasses() {
        try (DaemonHarness daemon = DaemonHarness.mock(SLOW, 1);
                TestClient client = daemon.client()) {
            UUID running = UUID.randomUUID();
            UUID queued = UUID.randomUUID();
            client.submit(task(running, "interactive", 100_000).replace(":60000", ":700"));
            client.submit(task(queued, "interactive", 10).replace(":60000", ":300"));
            assertThat(client.stream(queued).toEnd().last().data()).contains("\"code\":\"DEADLINE_UNMET\"");
            assertThat(client.stream(running).toEnd().last().data()).contains("\"code\":\"DECODE_TIMEOUT\"");
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldAdmitOnceWhenOneRequestIsRacedFromManyThreads() throws InterruptedException {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=0", 4, "event_loops=3")) {
            for (int round = 0; round < 50; round++) {
                String body = task(UUID.randomUUID(), "interactive", 3);
                AtomicInteger fresh = new AtomicInteger();
                AtomicInteger replays = new AtomicInteger();
                List<Thread> threads = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    Thread thread = new Thread(() -> {
                        try (TestClient client = daemon.client()) {
                            Answer answer = client.post("/v1/tasks", body);
                            if (answer.status() == 202) {
                                boolean replay =
                                        answer.header("Idempotent-Replay").equals("true");
                                (replay ? replays : fresh).incrementAndGet();
                            }
                        }
                    });
                    threads.add(thread);
                    thread.start();
                }
                for (Thread thread : threads) {
                    thread.join();
                }
                assertThat(fresh).hasValue(1);
                assertThat(replays).hasValue(7);
            }
            daemon.awaitQuiet();
        }
    }

    private static Instant startedAt(TestClient client, UUID id) {
        String body = client.get("/v1/tasks/" + id).body();
        int from = body.indexOf("\"started_at\":\"") + 14;
        return Instant.parse(body.substring(from, from + 24));
    }

    @Test
    void shouldShedTheNewestBatchTaskWhenThePolicyIsShedLowPriority() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        SLOW, 1, "pools.0.queue.capacity=2", "pools.0.queue.full_policy=shed-low-priority");
                TestClient client = daemon.client()) {
            UUID running = submit(client, "interactive", 100_000);
            UUID older = submit(client, "batch", 1);
            UUID newer = submit(client, "batch", 1);
            checkRefusal(
                    client.post("/v1/tasks", task(UUID.randomUUID(), "batch", 1)),
                    "ADMISSION_REJECT",
                    "shed-low-priority");
            List<UUID> interactive = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                interactive.add(submit(client, "interactive", 1)); // the third takes a place
            }
            assertThat(client.stream(newer).toEnd().last().data()).contains("\"retriable\":true");
            assertThat(client.get("/v1/tasks/" + older).body()).contains("\"state\":\"queued\"");
            interactive.add(submit(client, "interactive", 1));
            assertThat(client.stream(older).toEnd().last().event()).isEqualTo("error");
            checkRefusal(
                    client.post("/v1/tasks", task(UUID.randomUUID(), "interactive", 1)),
                    "ADMISSION_REJECT",
                    "shed-low-priority");
            cancel(client, List.of(running));
            for (UUID id : interactive) {
                assertThat(client.stream(id).toEnd().of("end")).hasSize(1);
            }
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldLetABatchTaskGoFirstWhenTheGuardIsReached() {
        try (DaemonHarness slow = DaemonHarness.mock(SLOW + "&ttft_ms=10", 1, "pools.0.queue.batch_guard=2");
                TestClient asker = slow.client()) {
            UUID gate = submit(asker, "interactive", 100_000);
            List<UUID> batch = new ArrayList<>();
            List<UUID> interactive = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                batch.add(submit(asker, "batch", 1));
            }
            for (int i = 0; i < 6; i++) {
                interactive.add(submit(asker, "interactive", 1));
            }
            List<UUID> order = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                order.addAll(interactive.subList(2 * i, 2 * i + 2));
                order.add(batch.get(i));
            }
            for (int i = 0; i < order.size(); i++) {
                assertThat(asker.get("/v1/tasks/" + order.get(i)).body()).contains("\"queue_position\":" + i + ",");
            }
            cancel(asker, List.of(gate));
            order.forEach(id -> assertThat(asker.stream(id).toEnd().of("end")).hasSize(1));
            List<UUID> started = new ArrayList<>(order);
            started.sort(Comparator.comparing(id -> startedAt(asker, id)));
            assertThat(started).isEqualTo(order);
            slow.awaitQuiet();
        }
    }

    @Test
    void shouldRefuseWithPredictionsWhenADeadlineIsInfeasible() {
        try (DaemonHarness daemon = DaemonHarness.mock("tokens_per_s=1000", 1);
                TestClient client = daemon.client()) {
            for (int i = 0; i < 40; i++) {
                client.stream(submit(client, "interactive", 20)).toEnd();
            }
            daemon.awaitQuiet();
            UUID id = UUID.randomUUID();
            Answer refused =
                    client.post("/v1/tasks", task(id, "interactive", 100_000).replace(":60000", ":500"));
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body())
                    .contains("\"code\":\"DEADLINE_UNMET\"", "predicted_start_ms", "predicted_end_ms");
            assertThat(client.get("/v1/tasks/" + id).status()).isEqualTo(404);
            client.submit(task(id, "interactive", 5));
            assertThat(client.stream(id).toEnd().of("end")).hasSize(1);
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldAnswer409WhenTwoKeysUseOneTaskId() {
        try (DaemonHarness daemon = Keys.daemon(SLOW, 1);
                TestClient ann = daemon.client().with("Authorization", "Bearer " + Keys.ANN);
                TestClient bob = daemon.client().with("Authorization", "Bearer " + Keys.BOB)) {
            UUID id = UUID.randomUUID();
            String task = task(id, "interactive", 5);
            ann.submit(task);
            Answer same = bob.post("/v1/tasks", task);
            Answer other = ann.post("/v1/tasks", task.replace("\"q\"", "\"r\""));
            for (Answer answer : List.of(same, other)) {
                assertThat(answer.status()).isEqualTo(409);
                assertThat(answer.body()).contains("\"code\":\"CONFLICT\"");
            }
            assertThat(ann.post("/v1/tasks", task).header("Idempotent-Replay")).isEqualTo("true");
            assertThat(bob.get("/v1/tasks/" + id).status()).isEqualTo(404);
            assertThat(ann.stream(id).toEnd().of("end")).hasSize(1);
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldEndEveryAdmittedTaskOnceWhenABurstComesFromManyConnections() throws IOException {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        "tokens_per_s=0",
                        2,
                        "event_loops=3",
                        "scheduler.ring_size=1024",
                        "pools.0.queue.capacity=100");
                TestClient reader = daemon.client()) {
            List<TestClient> clients = new ArrayList<>();
            List<UUID> ids = new ArrayList<>();
            for (int i = 0; i < 1_100; i++) {
                TestClient client = daemon.client();
                client.connected();
                clients.add(client);
                ids.add(UUID.randomUUID());
            }
            for (int i = 0; i < ids.size(); i++) {
                clients.get(i).send("POST", "/v1/tasks", task(ids.get(i), "interactive", 200));
            }
            int admitted = 0;
            for (int i = 0; i < ids.size(); i++) {
                try (TestClient client = clients.get(i)) {
                    Answer answer = client.readAnswer();
                    if (answer.status() == 202) {
                        admitted++;
                        List<TestClient.Event> events =
                                reader.stream(ids.get(i)).until(event -> false).events();
                        assertThat(events)
                                .filteredOn(event -> event.event().equals("end")
                                        || event.event().equals("error"))
                                .hasSize(1);
                    } else {
                        assertThat(answer.status()).isIn(429, 503);
                        assertThat(Long.parseLong(answer.header("X-Backoff-Ms")))
                                .isPositive();
                        assertThat(Long.parseLong(answer.header("Retry-After"))).isPositive();
                        assertThat(answer.body()).contains("\"policy_label\":");
                        assertThat(reader.get("/v1/tasks/" + ids.get(i)).status())
                                .isEqualTo(404);
                    }
                }
            }
            assertThat(admitted).isPositive();
            daemon.awaitQuiet();
        }
    }

    private static String poolOf(TestClient client, String placement) {
        UUID id = UUID.randomUUID();
        client.submit(placed(id, placement));
        String data = client.stream(id).toEnd().of("started").get(0).data();
        int from = data.indexOf("\"pool_id\":\"") + 11;
        return data.substring(from, data.indexOf('"', from));
    }

    private static String placed(UUID id, String placement) {
        return TestClient.task(id, "mock", "q", 2, DETACHED + ",\"placement\":{" + placement + "}");
    }

    private static void checkFault(TestClient client, String task, int status, String code, String pointer) {
        Answer answer = client.post("/v1/tasks", task);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.body()).contains("\"code\":\"" + code + "\"", pointer);
    }

    @Test
    void shouldPlaceAsAskedWhenThereAreSeveralPools() {
        StringBuilder yaml = new StringBuilder("listen: 127.0.0.1:0\npools:\n");
        for (String id : List.of("a", "b", "c")) {
            yaml.append("  - {id: %s, engine: mock, model: \"hf:test/%s.gguf\", ctx: 4096, allow_pinning: %s,\n"
                    .formatted(id, id.equals("c") ? "other" : "model", !id.equals("c")));
            yaml.append("     replicas: [{id: r0, url: \"mock:?tokens_per_s=0\", slots: 2}]}\n");
        }
        try (DaemonHarness daemon = DaemonHarness.start(yaml.toString(), loop -> loop);
                TestClient client = daemon.client()) {
            daemon.await(() ->
                    daemon.daemon().tasks().ring().snapshot().pools().stream().allMatch(pool -> pool.slots() > 0));
            for (String pool : List.of("a", "b")) {
                String other = pool.equals("a") ? "b" : "a";
                assertThat(poolOf(client, "\"mode\":\"pin\",\"pin_pool_id\":\"" + pool + "\""))
                        .isEqualTo(pool);
                assertThat(poolOf(client, "\"mode\":\"prefer\",\"prefer_pools\":[\"" + pool + "\"]"))
                        .isEqualTo(pool);
                assertThat(poolOf(client, "\"avoid_pools\":[\"" + other + "\"]"))
                        .isEqualTo(pool);
            }
            assertThat(poolOf(client, "\"avoid_pools\":[\"a\",\"b\"]")).isIn("a", "b"); // fallback
            assertThat(poolOf(client, "\"mode\":\"prefer\",\"prefer_pools\":[\"ghost\",\"b\"]"))
                    .isEqualTo("b");
            UUID id = UUID.randomUUID();
            checkFault(
                    client,
                    placed(id, "\"mode\":\"pin\",\"pin_pool_id\":\"ghost\""),
                    400,
                    "INVALID_PARAMS",
                    "/placement/pin_pool_id");
            checkFault(
                    client,
                    placed(id, "\"mode\":\"pin\",\"pin_pool_id\":\"c\""),
                    400,
                    "INVALID_PARAMS",
                    "/placement/mode");
            checkFault(
                    client,
                    placed(id, "\"avoid_pools\":[\"a\",\"b\"],\"allow_fallback\":false"),
                    400,
                    "INVALID_PARAMS",
                    "/placement/avoid_pools");
            checkFault(
                    client,
                    placed(id, "\"mode\":\"prefer\",\"prefer_pools\":[\"c\"],\"allow_fallback\":false"),
                    400,
                    "INVALID_PARAMS",
                    "/placement/prefer_pools");
            String plain = task(id, "interactive", 2);
            checkFault(
                    client, plain.replace(DaemonHarness.MODEL, "hf:test/none.gguf"), 503, "POOL_UNREADY", "/model_ref");
            checkFault(client, plain.replace("\"ctx\":0", "\"ctx\":4097"), 400, "INVALID_PARAMS", "/ctx");
            checkFault(client, task(id, "interactive", 4096), 400, "INVALID_PARAMS", "/max_tokens");
            client.submit(plain); // no refusal left anything behind
            assertThat(client.stream(id).toEnd().of("end")).hasSize(1);
            daemon.awaitQuiet();
        }
    }
}
