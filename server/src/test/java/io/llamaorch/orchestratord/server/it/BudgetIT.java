package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.scheduler.core.BudgetBalance;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Budgets and limits of keys over sockets: headers, refusals, metrics, and a ledger that equals what clients saw. */
@Tag("budgets")
@NullUnmarked
class BudgetIT {
    private static final String FAST = "tokens_per_s=0";
    private static final String SLOW = "tokens_per_s=50";
    /** The task of {@link #task}: its five bytes are two tokens at most a quarter more, and 16. */
    private static final int PROMPT = 3 + 16;

    @AfterAll
    static void stop() {
        LeakRecorder.assertNone();
    }

    private static String task(UUID id, int tokens) {
        return TestClient.task(id, "mock", "hello", tokens, ",\"detached\":true");
    }

    private static UUID submit(TestClient client, int tokens) {
        UUID id = UUID.randomUUID();
        client.submit(task(id, tokens));
        return id;
    }

    private static Answer refused(TestClient client, int tokens, String code, String label) {
        Answer answer = client.post("/v1/tasks", task(UUID.randomUUID(), tokens));
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.body()).contains("\"code\":\"" + code + "\"", "\"policy_label\":\"" + label + "\"");
        return answer;
    }

    private static String detail(String name, Object value) {
        return "{\"name\":\"" + name + "\",\"value\":\"" + value + "\"}";
    }

    private static List<BudgetBalance> ledger(DaemonHarness daemon) {
        CompletableFuture<List<BudgetBalance>> told = new CompletableFuture<>();
        assertThat(daemon.daemon().tasks().ring().offerBudgetSnapshot(told::complete))
                .isTrue();
        return told.join();
    }

    private static long used(DaemonHarness daemon, String owner, BudgetKind kind) {
        return ledger(daemon).stream()
                .filter(line -> line.owner().equals(owner) && line.sessionId() == null && line.kind() == kind)
                .mapToLong(BudgetBalance::used)
                .sum();
    }

    @Test
    void shouldTellWhatIsLeftAndRefuseWhatItCannotCover() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        SLOW,
                        4,
                        "budgets.key.tokens.limit=1000",
                        "budgets.key.time_ms.limit=200000",
                        "budgets.key.cost.limit=1.5",
                        "pools.0.price.per_1k_in=0.25",
                        "pools.0.price.per_1k_out=2");
                TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            Answer in = client.post("/v1/tasks", task(id, 600));
            assertThat(in.status()).isEqualTo(202);
            assertThat(in.header("X-Budget-Tokens-Remaining")).isEqualTo(Integer.toString(1000 - 600 - PROMPT));
            assertThat(in.header("X-Budget-Time-Remaining-Ms")).isEqualTo("140000");
            assertThat(in.header("X-Budget-Cost-Remaining")).isEqualTo("0.29525");

            Answer refused = refused(client, 600, "BUDGET_EXHAUSTED", "budget_key_tokens");
            assertThat(refused.body())
                    .contains(
                            detail("budget", "key.tokens"),
                            detail("limit", 1000),
                            detail("remaining", 1000 - 600 - PROMPT),
                            detail("asked", 600 + PROMPT),
                            "\"retriable\":false");
            assertThat(refused.header("Retry-After")).isEmpty();
            assertThat(refused.header("x-should-retry")).isEqualTo("false");
            assertThat(refused.header("X-Budget-Tokens-Remaining")).isEqualTo("381");
            refused(client, 300, "BUDGET_EXHAUSTED", "budget_key_cost");

            try (TestClient reader = daemon.client()) {
                TestClient.Stream stream =
                        reader.stream(id).until(event -> event.event().equals("metrics"));
                assertThat(stream.head().header("X-Budget-Cost-Remaining")).isEqualTo("0.29525");
                assertThat(stream.last().event()).isNotEmpty();
                assertThat(stream.of("metrics").get(0).data())
                        .contains(
                                "\"tokens_budget_remaining\":381",
                                "\"time_budget_remaining_ms\":140000",
                                "\"cost_budget_remaining\":0.29525");
                assertThat(client.post("/v1/tasks/" + id + "/cancel", "").status())
                        .isEqualTo(204);
                stream.toEnd();
            }
            daemon.awaitQuiet();
            assertThat(used(daemon, "localhost", BudgetKind.TOKENS)).isLessThan(100);
            submit(client, 600);
            String metrics = client.get("/metrics").body();
            assertThat(metrics)
                    .contains(
                            "limit_refusals_total{policy=\"budget_key_tokens\"} 1",
                            "limit_refusals_total{policy=\"budget_key_cost\"} 1",
                            "tasks_rejected_total{engine=\"mock\",reason=\"budget_exhausted\"} 2",
                            "budget_charged_total{kind=\"cost\"} 0.");
        }
    }

    @Test
    void shouldNameEachBudgetThatRefuses() {
        for (String whose : List.of("key", "session")) {
            for (String kind : List.of("tokens", "time_ms", "cost")) {
                String label = "budget_" + whose + "_" + kind.replace("_ms", "");
                try (DaemonHarness daemon = DaemonHarness.mock(
                                FAST,
                                1,
                                "budgets." + whose + "." + kind + ".limit=1",
                                "budgets." + whose + "." + kind + ".per=day",
                                "pools.0.price.per_1k_out=100");
                        TestClient client = daemon.client()) {
                    Answer refused = refused(client, 50, "BUDGET_EXHAUSTED", label);
                    String asked = kind.equals("tokens") ? "69" : kind.equals("cost") ? "5" : "60000";
                    assertThat(refused.body())
                            .contains(
                                    detail("budget", whose + "." + kind),
                                    detail("limit", 1),
                                    detail("remaining", 1),
                                    detail("asked", asked));
                    assertThat(refused.header("Retry-After"))
                            .as("never holds that much")
                            .isEmpty();
                    assertThat(client.get("/metrics").body())
                            .contains("limit_refusals_total{policy=\"" + label + "\"} 1");
                }
            }
        }
    }

    @Test
    void shouldBeRetriableWithATimeWhenTheBudgetIsTimed() {
        try (DaemonHarness daemon = DaemonHarness.mock(
                        SLOW, 4, "budgets.session.tokens.limit=500", "budgets.session.tokens.per=hour");
                TestClient client = daemon.client()) {
            UUID session = UUID.randomUUID();
            String of = "\"session_id\":\"" + session;
            client.submit(task(UUID.randomUUID(), 400).replaceAll("\"session_id\":\"[^\"]*", of));
            Answer refused =
                    client.post("/v1/tasks", task(UUID.randomUUID(), 400).replaceAll("\"session_id\":\"[^\"]*", of));
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.body())
                    .contains("\"policy_label\":\"budget_session_tokens\"", "\"retriable\":true", "refilled in");
            assertThat(Long.parseLong(refused.header("Retry-After"))).isBetween(3_500L, 3_600L);
            assertThat(client.get("/v1/sessions/" + session).body())
                    .contains("\"tokens_budget_remaining\":" + (100 - PROMPT), "\"open_tasks\":1");
            submit(client, 400); // another session
        }
    }

    @Test
    void shouldLimitEachKeyByItsOwn() {
        try (DaemonHarness daemon = Keys.daemon(
                        SLOW,
                        4,
                        "limits.requests_per_minute=100",
                        "auth.keys.1.limits.requests_per_minute=2",
                        "auth.keys.2.limits.concurrent=1",
                        "auth.keys.2.limits.tokens_per_minute=5000");
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN);
                TestClient bob = daemon.client().with("X-API-Key", Keys.BOB);
                TestClient ops = daemon.client().with("X-API-Key", Keys.OPS)) {
            Answer in = ann.post("/v1/tasks", task(UUID.randomUUID(), 2_000));
            assertThat(in.header("x-ratelimit-limit-requests")).isEqualTo("2");
            assertThat(in.header("x-ratelimit-remaining-requests")).isEqualTo("1");
            assertThat(in.header("x-ratelimit-reset-requests")).isEqualTo("30000ms");
            assertThat(in.header("x-ratelimit-limit-tokens")).isEmpty();
            submit(ann, 2_000);
            Answer refused = refused(ann, 10, "ADMISSION_REJECT", "key_requests");
            assertThat(refused.body()).contains(detail("limit", 2), detail("remaining", 0), detail("asked", 1));
            assertThat(refused.header("x-ratelimit-remaining-requests")).isEqualTo("0");
            assertThat(Long.parseLong(refused.header("X-Backoff-Ms"))).isBetween(1L, 30_000L);

            UUID only = submit(bob, 2_000);
            refused = refused(bob, 10, "ADMISSION_REJECT", "key_concurrent");
            assertThat(refused.header("x-ratelimit-limit-requests")).isEmpty();
            assertThat(refused.header("x-ratelimit-limit-tokens")).isEqualTo("5000");
            assertThat(Long.parseLong(refused.header("X-Backoff-Ms"))).isPositive();
            assertThat(bob.post("/v1/tasks/" + only + "/cancel", "").status()).isEqualTo(204);
            daemon.await(() -> daemon.daemon().tasks().openTasks() == 2);
            refused = refused(bob, 6_000, "ADMISSION_REJECT", "key_tokens");
            assertThat(refused.header("Retry-After")).isEmpty();
            assertThat(refused.body()).contains("\"retriable\":false");

            in = ops.post("/v1/tasks", task(UUID.randomUUID(), 10));
            assertThat(in.status()).isEqualTo(202);
            assertThat(in.header("x-ratelimit-limit-requests")).isEqualTo("100");
            assertThat(ops.get("/metrics").body())
                    .contains(
                            "limit_refusals_total{policy=\"key_requests\"} 1",
                            "limit_refusals_total{policy=\"key_concurrent\"} 1",
                            "limit_refusals_total{policy=\"key_tokens\"} 1");
        }
    }

    @Test
    void shouldStartTasksOfTwoKeysByTurnsWhenOneHasTenTimesAsMany() {
        try (DaemonHarness daemon = Keys.daemon(SLOW, 1);
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN);
                TestClient bob = daemon.client().with("X-API-Key", Keys.BOB)) {
            UUID running = submit(ann, 100_000);
            List<UUID> noisy = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                noisy.add(submit(ann, 1));
            }
            Answer quiet = bob.post("/v1/tasks", task(UUID.randomUUID(), 1));
            assertThat(quiet.body()).contains("\"queue_position\":1,");
            assertThat(bob.post("/v1/tasks", task(UUID.randomUUID(), 1)).body()).contains("\"queue_position\":3,");
            assertThat(ann.get("/v1/tasks/" + noisy.get(9)).body()).contains("\"queue_position\":11,");
            assertThat(ann.post("/v1/tasks/" + running + "/cancel", "").status())
                    .isEqualTo(204);
            daemon.awaitQuiet();
        }
    }

    @Test
    void shouldChargeWhatClientsSawWhateverEndedTheirTasks() {
        long seed = Long.getLong("budget.seed", 7L);
        Random random = new Random(seed);
        try (DaemonHarness daemon = DaemonHarness.mock(
                        "tokens_per_s=2000",
                        3,
                        "budgets.key.tokens.limit=100000000",
                        "event_loops=2",
                        "pools.0.queue.capacity=8",
                        "pools.0.queue.full_policy=drop-lru",
                        "pools.0.price.per_1k_out=1");
                TestClient first = daemon.client();
                TestClient second = daemon.client()) {
            List<UUID> in = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                UUID id = UUID.randomUUID();
                String priority = random.nextInt(3) == 0 ? "batch" : "interactive";
                long deadlineMs = random.nextInt(4) == 0 ? 1 + random.nextInt(60) : 60_000;
                String task = task(id, 1 + random.nextInt(200))
                        .replace("interactive", priority)
                        .replace("60000", Long.toString(deadlineMs))
                        .replace(",\"detached\":true", random.nextInt(3) == 0 ? "" : ",\"detached\":true");
                if (first.post("/v1/tasks", task).status() == 202) {
                    in.add(id);
                    if (random.nextInt(4) == 0) {
                        second.post("/v1/tasks/" + id + "/cancel", "");
                    } else if (random.nextInt(4) == 0) {
                        try (TestClient leaves = daemon.client()) {
                            leaves.stream(id).until(event -> true);
                        }
                    }
                }
            }
            daemon.awaitQuiet();
            long tokensOut = 0;
            for (UUID id : in) {
                Answer state = first.get("/v1/tasks/" + id);
                tokensOut += Long.parseLong(state.body().replaceAll(".*\"tokens_out\":([0-9]+).*", "$1"));
            }
            assertThat(in).hasSizeGreaterThan(50);
            assertThat(ledger(daemon)).as("seed %d: nothing is open", seed).allMatch(line -> line.reserved() == 0);
            assertThat(used(daemon, "localhost", BudgetKind.COST))
                    .as("seed %d: tokens out, at a thousandth each", seed)
                    .isEqualTo(tokensOut * 1_000_000);
        }
    }
}
