package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import io.llamaorch.orchestratord.server.it.TestClient.Event;
import io.llamaorch.orchestratord.server.pool.ReplicaView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Retries, breakers, hung engines, drain and reload, over sockets: specs/pools.md. */
@NullUnmarked
final class LivePoolsIT {
    private static final int SLOTS = 2;

    private static LlamaServerDoubleProcess first;
    private static LlamaServerDoubleProcess second;
    private DaemonHarness daemon;

    @BeforeAll
    static void startEngines() throws IOException {
        first = LlamaServerDoubleProcess.start("--slots=" + SLOTS);
        second = LlamaServerDoubleProcess.start("--slots=" + SLOTS);
    }

    @AfterAll
    static void stopEngines() {
        first.close();
        second.close();
        LeakRecorder.assertNone();
    }

    @AfterEach
    void stopDaemon() {
        if (daemon != null) {
            daemon.awaitQuiet();
            daemon.close();
        }
        control(first, "{\"fault\":\"none\"}");
        control(second, "{\"fault\":\"none\"}");
    }

    private static void control(LlamaServerDoubleProcess engine, String knobs) {
        try {
            engine.control(knobs);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private DaemonHarness twoReplicas(String... sets) {
        daemon = DaemonHarness.start(
                """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: llamacpp
                    model: %s
                    ctx: 4096
                    health: {period_ms: 100, breaker: {failures: 3, wait_ms: 200, longest_wait_ms: 400}}
                    timeouts: {probe_ms: 300}
                    replicas:
                      - {id: r0, url: "http://127.0.0.1:%d", slots: %d}
                      - {id: r1, url: "http://127.0.0.1:%d", slots: %d}
                """
                        .formatted(DaemonHarness.MODEL, first.port(), SLOTS, second.port(), SLOTS),
                loop -> loop,
                sets);
        daemon.await(() -> state(0) == ReplicaStatus.State.READY && state(1) == ReplicaStatus.State.READY);
        return daemon;
    }

    private ReplicaView view(int replica) {
        return daemon.daemon().tasks().watches().view(0, replica);
    }

    private ReplicaStatus.State state(int replica) {
        return view(replica).state();
    }

    private static String started(TestClient.Stream stream) {
        List<Event> started = stream.of("started");
        assertThat(started).hasSize(1);
        return started.get(0).data();
    }

    @Test
    void shouldNotTakeTheDecodesOfAnotherPoolAtTheSameEngineForZombies() {
        String pool =
                """
                  - id: %s
                    engine: llamacpp
                    model: %s
                    ctx: 4096
                    health: {period_ms: 20}
                    replicas: [{id: r0, url: "http://127.0.0.1:%d", slots: 1}]
                """;
        String pools = pool.formatted("a", DaemonHarness.MODEL, first.port())
                + pool.formatted("b", DaemonHarness.MODEL, first.port());
        daemon = DaemonHarness.start("listen: 127.0.0.1:0\npools:\n" + pools, loop -> loop);
        daemon.await(
                () -> daemon.daemon().tasks().ring().snapshot().pools().stream().allMatch(one -> one.slots() > 0));
        try (TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(EngineDouble.task(
                    id, "[[pace=20]]", 3, 100, ",\"placement\":{\"mode\":\"pin\",\"pin_pool_id\":\"a\"}"));
            assertThat(client.stream(id).toEnd().of("token")).hasSize(100);
            assertThat(client.get("/metrics").body()).doesNotContain("zombie_decodes_total{");
        }
    }

    // ---- retries ----

    @Test
    void shouldDecodeElsewhereWhatFailedBeforeItsFirstTokenAndSayWhereOnce() {
        twoReplicas("pools.0.health.breaker.failures=1000");
        control(first, "{\"fault\":\"close@0\"}");
        try (TestClient client = daemon.client()) {
            for (int i = 0; i < 8; i++) {
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, "again", i, 5, ""));
                TestClient.Stream stream = client.stream(id).toEnd();
                assertThat(started(stream)).contains("\"replica_id\":\"r1\"");
                assertThat(EngineDouble.tokens(stream)).isEqualTo(EngineDouble.tokens("again", i, 5));
                assertThat(stream.last().event()).isEqualTo("end");
            }
            String metrics = client.get("/metrics").body();
            assertThat(metrics).containsPattern("task_retries_total\\{engine=\"llamacpp\",?} [1-9]");
            assertThat(metrics)
                    .containsPattern("tasks_finished_total\\{pool_id=\"default\",outcome=\"completed\",?} 8");
        }
    }

    @Test
    void shouldEndWithTheFailureWhenTheSecondReplicaFailsToo() {
        twoReplicas("pools.0.health.breaker.failures=1000");
        control(first, "{\"fault\":\"close@0\"}");
        control(second, "{\"fault\":\"close@0\"}");
        try (TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(EngineDouble.task(id, "never", 1, 5, ""));
            TestClient.Stream stream = client.stream(id).toEnd();
            assertThat(stream.of("token")).isEmpty();
            assertThat(stream.last().event()).isEqualTo("error");
            assertThat(stream.last().data()).contains("WORKER_RESET", "\"retriable\":true");
        }
    }

    @Test
    void shouldNotTryAgainAfterTheFirstTokenNorWhereItIsTurnedOff() {
        twoReplicas("pools.0.health.breaker.failures=1000");
        control(first, "{\"fault\":\"close@1\"}");
        control(second, "{\"fault\":\"close@1\"}");
        try (TestClient client = daemon.client()) {
            UUID id = UUID.randomUUID();
            client.submit(EngineDouble.task(id, "half", 1, 5, ""));
            TestClient.Stream stream = client.stream(id).toEnd();
            assertThat(stream.of("token")).hasSize(1);
            assertThat(stream.last().event()).isEqualTo("error");
            assertThat(client.get("/metrics").body()).doesNotContainPattern("task_retries_total\\{.*} [1-9]");
        }
    }

    @Test
    void shouldLeaveNothingBehindWhenCancelsCrossRetries() {
        twoReplicas("pools.0.health.breaker.failures=1000");
        control(first, "{\"fault\":\"close@0\"}");
        control(second, "{\"fault\":\"close@0\"}");
        List<UUID> ids = new ArrayList<>();
        try (TestClient client = daemon.client()) {
            for (int i = 0; i < 200; i++) {
                UUID id = UUID.randomUUID();
                ids.add(id);
                client.submit(EngineDouble.task(id, "cross [[ttfh=2]]", i, 5, ",\"detached\":true"));
                if (i % 2 == 0) {
                    UUID earlier = ids.get(i / 2);
                    assertThat(client.post("/v1/tasks/" + earlier + "/cancel", "")
                                    .status())
                            .isEqualTo(204);
                }
            }
            daemon.awaitQuiet();
            for (UUID id : ids) {
                TestClient.Stream stream = client.stream(id).toEnd();
                assertThat(stream.of("end").size() + stream.of("error").size()).isEqualTo(1);
            }
        }
        daemon.await(() -> EngineDouble.idle(first.port()) && EngineDouble.idle(second.port()));
    }

    // ---- breaker, hung engine ----

    @Test
    void shouldGoOnAskingAReplicaWhoseFirstTokenTookLong() {
        control(first, "{\"ttft\":500}");
        daemon = DaemonHarness.llama(first.port(), SLOTS, "pools.0.preload=true", "pools.0.health.period_ms=100");
        control(first, "{\"loading\":1,\"ttft\":0}");
        daemon.await(() -> state(0) == ReplicaStatus.State.LOADING);
        control(first, "{\"loading\":0}");
        daemon.await(() -> state(0) == ReplicaStatus.State.READY);
    }

    @Test
    void shouldKeepTasksAwayFromAReplicaThatFailsThemAndComeBackWhenItIsWell() {
        twoReplicas("pools.0.retries=0");
        control(first, "{\"fault\":\"close@0\"}");
        try (TestClient client = daemon.client()) {
            int failed = 0;
            for (int i = 0; i < 200 && view(0).breaker() != ReplicaView.BreakerState.OPEN; i++) {
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, "b", i, 2, ""));
                failed += client.stream(id).toEnd().of("error").size();
            }
            assertThat(failed).isGreaterThanOrEqualTo(3);
            String health = client.get("/v1/pools/default/health").body();
            assertThat(health).contains("\"breaker\":\"open\"", "circuit breaker open");
            control(first, "{\"fault\":\"none\"}");
            daemon.await(() -> {
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, "b", 1, 2, ""));
                client.stream(id).toEnd();
                return view(0).breaker() == ReplicaView.BreakerState.CLOSED;
            });
            assertThat(state(0)).isEqualTo(ReplicaStatus.State.READY);
        }
    }

    @Test
    void shouldGiveTheLastReplicaOneTaskAtATimeWhenItsBreakerIsOpen() {
        daemon = DaemonHarness.llama(
                first.port(), SLOTS, "pools.0.health.breaker.failures=2", "pools.0.health.breaker.wait_ms=60000");
        control(first, "{\"fault\":\"close@0\"}");
        try (TestClient client = daemon.client()) {
            for (int i = 0; i < 2; i++) {
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, "b", i, 2, ""));
                client.stream(id).toEnd();
            }
            daemon.await(() -> view(0).breaker() == ReplicaView.BreakerState.OPEN);
            assertThat(state(0)).isEqualTo(ReplicaStatus.State.READY);
            assertThat(view(0).slots()).isEqualTo(1);
            control(first, "{\"fault\":\"none\"}");
            UUID id = UUID.randomUUID();
            client.submit(EngineDouble.task(id, "b", 9, 2, ""));
            assertThat(client.stream(id).toEnd().last().event()).isEqualTo("end");
            daemon.await(() -> view(0).slots() == SLOTS);
        }
    }

    @Test
    void shouldFindAHungEngineByItsProbeAndGoOnWithTheOther() throws IOException, InterruptedException {
        twoReplicas();
        signal("-STOP", first.pid());
        try (TestClient client = daemon.client()) {
            daemon.await(() -> state(0) == ReplicaStatus.State.DOWN);
            for (int i = 0; i < 4; i++) {
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, "on", i, 3, ""));
                TestClient.Stream stream = client.stream(id).toEnd();
                assertThat(started(stream)).contains("\"replica_id\":\"r1\"");
                assertThat(stream.last().event()).isEqualTo("end");
            }
            assertThat(client.get("/v1/pools/default/health").body()).contains("r0: ");
        } finally {
            signal("-CONT", first.pid());
        }
        daemon.await(() -> state(0) == ReplicaStatus.State.READY);
    }

    private static void signal(String signal, long pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", signal, Long.toString(pid))
                        .start()
                        .waitFor())
                .isZero();
    }

    // ---- drain ----

    @Test
    void shouldEndWhatOutlastsADrainMoveWhatWaitsAndAdmitAgainAfterwards() {
        daemon = DaemonHarness.start(
                """
                listen: 127.0.0.1:0
                pools:
                  - {id: a, engine: mock, model: %1$s, ctx: 200000, replicas: [{id: r0, url: "mock:?tokens_per_s=5", slots: 1}]}
                  - {id: b, engine: mock, model: %1$s, ctx: 200000, replicas: [{id: r0, url: "mock:?tokens_per_s=0", slots: 1}]}
                """
                        .formatted(DaemonHarness.MODEL),
                loop -> loop);
        daemon.await(
                () -> daemon.daemon().tasks().ring().snapshot().pools().stream().allMatch(pool -> pool.slots() > 0));
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID running = UUID.randomUUID();
            UUID waiting = UUID.randomUUID();
            client.submit(inPoolA(running, 5000));
            TestClient.Stream stream =
                    client.stream(running).until(event -> event.event().equals("token"));
            control.submit(inPoolA(waiting, 3));
            TestClient.Answer drain = control.post("/v1/pools/a/drain", "{\"deadline_ms\":300}");

            assertThat(drain.body()).contains("\"in_flight\":1", "\"moved\":1", "\"evicted\":0");
            TestClient.Stream moved = control.stream(waiting).toEnd();
            assertThat(started(moved)).contains("\"pool_id\":\"b\"");
            stream.toEnd();
            assertThat(stream.last().data()).contains("WORKER_RESET", "\"retriable\":true", "was drained");
            daemon.awaitQuiet();
            assertThat(control.get("/v1/pools/a/health").body()).contains("\"draining\":true", "\"leased\":0");
            UUID refused = UUID.randomUUID();
            assertThat(control.post("/v1/tasks", pinned(refused)).status()).isEqualTo(503);
            assertThat(control.post("/v1/pools/a/undrain", "").status()).isEqualTo(202);
            daemon.await(
                    () -> control.post("/v1/tasks", pinned(UUID.randomUUID())).status() == 202);
            assertThat(control.get("/metrics").body())
                    .contains(
                            "drain_events_total{pool_id=\"a\"} 1",
                            "tasks_moved_total{from_pool_id=\"a\",to_pool_id=\"b\"} 1");
        }
    }

    private static String inPoolA(UUID id, int tokens) {
        return TestClient.task(
                id, "mock", "drain", tokens, ",\"placement\":{\"mode\":\"prefer\",\"prefer_pools\":[\"a\"]}");
    }

    private static String pinned(UUID id) {
        return TestClient.task(id, "mock", "drain", 1, ",\"placement\":{\"mode\":\"pin\",\"pin_pool_id\":\"a\"}");
    }

    // ---- reload ----

    @Test
    void shouldServeTheNewModelAndLetTheOldOnesStreamsEnd() {
        daemon = DaemonHarness.mock("tokens_per_s=50", 4);
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = UUID.randomUUID();
            client.submit(TestClient.task(old, "mock", "old", 40, ""));
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));
            TestClient.Answer reload = control.post("/v1/pools/default/reload", "{\"new_model_ref\":\"test/other\"}");

            assertThat(reload.status()).isEqualTo(202);
            assertThat(reload.body())
                    .contains("\"mode\":\"blue_green\"", "\"previous_model_ref\":\"" + DaemonHarness.MODEL + "\"");
            assertThat(control.post("/v1/tasks", TestClient.task(UUID.randomUUID(), "mock", "x", 1, ""))
                            .status())
                    .isEqualTo(503);
            UUID fresh = UUID.randomUUID();
            control.submit(TestClient.task(fresh, "mock", "x", 2, "").replace(DaemonHarness.MODEL, "test/other"));
            assertThat(control.stream(fresh).toEnd().last().event()).isEqualTo("end");
            assertThat(control.get("/v1/capabilities").body()).contains("\"model_ref\":\"test/other\"");
            stream.toEnd();
            assertThat(stream.of("token")).hasSize(40);
            assertThat(stream.last().event()).isEqualTo("end");
        }
    }

    @Test
    void shouldKeepTheOldModelWhenTheEngineCannotLoad() {
        daemon = DaemonHarness.llama(first.port(), SLOTS);
        try (TestClient client = daemon.client()) {
            TestClient.Answer reload =
                    client.post("/v1/pools/default/reload", "{\"new_model_ref\":\"test/other\",\"deadline_ms\":2000}");

            assertThat(reload.status()).isEqualTo(409);
            assertThat(reload.body()).contains("CONFLICT", "could not be reloaded", "serves on");
            UUID id = UUID.randomUUID();
            client.submit(EngineDouble.task(id, "still", 1, 3, ""));
            assertThat(client.stream(id).toEnd().last().event()).isEqualTo("end");
            assertThat(client.get("/metrics").body())
                    .contains("reload_events_total{pool_id=\"default\",outcome=\"rolled_back\"} 1");
        }
    }

    // ---- a scheduler that died ----

    @Test
    void shouldAnswerEverybodyAndStopAtOnceWhenTheSchedulerDies() throws IOException, InterruptedException {
        DaemonHarness doomed = DaemonHarness.mock("tokens_per_s=5", 1);
        try (TestClient client = doomed.client();
                TestClient other = doomed.client()) {
            UUID id = UUID.randomUUID();
            client.submit(TestClient.task(id, "mock", "x", 5000, ""));
            TestClient.Stream stream =
                    client.stream(id).until(event -> event.event().equals("token"));
            doomed.daemon().tasks().ring().offerRetry(UUID.randomUUID()); // what no input can cause
            doomed.await(() -> !doomed.daemon().tasks().ring().alive());

            assertThat(other.get("/livez").status()).isEqualTo(500);
            assertThat(other.get("/readyz").status()).isEqualTo(503);
            other.send("POST", "/v1/tasks", TestClient.task(UUID.randomUUID(), "mock", "x", 1, ""));
            assertThat(other.readAnswer().status()).isEqualTo(500);
            doomed.daemon().drain();
            stream.until(event -> event.event().equals("error"));
            assertThat(stream.last().data()).contains("WORKER_RESET");
        } finally {
            doomed.close();
        }
    }
}
