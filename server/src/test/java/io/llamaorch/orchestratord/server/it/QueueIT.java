package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.time.Instant;
import java.util.ArrayList;
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
}
