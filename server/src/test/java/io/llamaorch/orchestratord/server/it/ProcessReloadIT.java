package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reloads of pools whose engines the daemon starts. specs/pools.md, POOL-50 to POOL-56. */
@NullUnmarked
final class ProcessReloadIT {
    private static final String OLD = ProcessPool.MODEL;
    private static final String NEW = "test/two";
    private static final String BAD = "test/bad";
    private static final String NEVER = "test/never";
    private static final int QUEUED = 2_000;

    @TempDir
    Path folder;

    private DaemonHarness daemon;

    @AfterEach
    void stopDaemon() {
        daemon.awaitQuiet();
        daemon.close();
        for (String model : List.of(OLD, NEW, BAD, NEVER)) {
            assertThat(engines(model)).isEmpty();
        }
        LeakRecorder.assertNone();
    }

    private List<Long> engines(String model) {
        return ProcessPool.engines(folder, "--model=" + model);
    }

    private void start(String mode, int replicas, String... sets) {
        String more =
                """
                health: {period_ms: 100}
                process: {restart_base_ms: 50, restart_cap_ms: 200, stop_grace_ms: 2000}
                reload: {mode: %s, drain_ms: 5000}
                env: {TEST_FOLDER: '%s'}
                """
                        .formatted(mode, folder);
        daemon = DaemonHarness.start(ProcessPool.doubles(folder, replicas, more), loop -> loop, sets);
        for (int i = 0; i < replicas; i++) {
            int replica = i;
            daemon.await(() -> ProcessPool.isReady(daemon, replica));
        }
    }

    private static String reload(String model, long deadlineMs) {
        return "{\"new_model_ref\":\"" + model + "\",\"deadline_ms\":" + deadlineMs + "}";
    }

    private static TestClient.Answer reload(TestClient client, String model, long deadlineMs) {
        return client.post("/v1/pools/default/reload", reload(model, deadlineMs));
    }

    private static UUID submit(TestClient client, String model, String prompt, int tokens) {
        UUID id = UUID.randomUUID();
        client.submit(ProcessPool.task(id, model, prompt, 3, tokens, ",\"detached\":true")
                .replace("\"deadline_ms\":60000", "\"deadline_ms\":3600000"));
        return id;
    }

    private static void decodes(TestClient client, String model) {
        TestClient.Stream stream =
                client.stream(submit(client, model, "plain", 4)).toEnd();
        assertThat(EngineDouble.tokens(stream)).isEqualTo(EngineDouble.tokens("plain", 3, 4));
    }

    @Test
    void shouldServeTheOldModelUntilTheNewOneIsReadyWhenItIsLoadedBeside() {
        start("blue_green", 2);
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=10]]", 200);
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));

            TestClient.Answer answer = reload(control, NEW, 30_000);
            assertThat(answer.status()).as(answer.body()).isEqualTo(202);
            assertThat(answer.body()).contains("\"mode\":\"blue_green\"", "\"previous_model_ref\":\"" + OLD + "\"");
            decodes(control, NEW);
            stream.toEnd();
            assertThat(stream.of("token")).hasSize(200);
            assertThat(stream.last().event()).isEqualTo("end");
            daemon.await(() -> engines(OLD).isEmpty());
            assertThat(engines(NEW)).hasSize(2);
            decodes(control, NEW);
        }
    }

    @Test
    void shouldEndWhatOutlastsAStopStartAndServeTheNewModel() {
        start("stop_start", 2, "pools.0.reload.drain_ms=100");
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=20]]", 2_000);
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));

            TestClient.Answer answer = reload(control, NEW, 30_000);
            assertThat(answer.status()).as(answer.body()).isEqualTo(202);
            assertThat(answer.body()).contains("\"mode\":\"stop_start\"");
            stream.toEnd();
            assertThat(stream.of("error")).hasSize(1);
            assertThat(stream.last().data()).contains("WORKER_RESET", "\"retriable\":true");
            assertThat(engines(OLD)).isEmpty();
            assertThat(engines(NEW)).hasSize(2);
            decodes(control, NEW);
            assertThat(control.get("/v1/capabilities").body()).contains("\"model_ref\":\"" + NEW + "\"");
        }
    }

    @Test
    void shouldStartTheEngineAnewWhenTheModelIsTheSame() {
        for (String mode : List.of("stop_start", "blue_green")) {
            if (daemon != null) {
                daemon.close();
            }
            start(mode, 1);
            List<Long> before = engines(OLD);
            try (TestClient client = daemon.client()) {
                TestClient.Answer answer = reload(client, OLD, 20_000);
                assertThat(answer.status()).as(answer.body()).isEqualTo(202);
                daemon.await(() -> engines(OLD).size() == 1 && !engines(OLD).equals(before));
                decodes(client, OLD);
            }
        }
    }

    @Test
    void shouldServeOnWithoutAGapWhenTheModelBesideFails() {
        start("blue_green", 1);
        List<Long> before = engines(OLD);
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=10]]", 300);
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));
            TestClient.Answer failed = reload(control, BAD, 30_000);
            assertThat(failed.status()).isEqualTo(409);
            assertThat(failed.body()).contains("CONFLICT", "no such file: test/bad", "serves on");
            TestClient.Answer late = reload(control, NEVER, 1_000);
            assertThat(late.status()).isEqualTo(409);
            assertThat(late.body()).contains("CONFLICT", "serves on");
            decodes(control, OLD);
            stream.toEnd();
            assertThat(stream.of("token")).hasSize(300);
            assertThat(engines(OLD)).isEqualTo(before);
            daemon.await(() -> engines(NEVER).isEmpty());
            assertThat(control.get("/metrics").body())
                    .contains("reload_events_total{pool_id=\"default\",outcome=\"rolled_back\"} 2");
        }
    }

    @Test
    void shouldBringTheOldModelBackWhenTheNewOneFailsInItsPlace() {
        start("stop_start", 1);
        try (TestClient control = daemon.client()) {
            TestClient.Answer failed = reload(control, BAD, 30_000);
            assertThat(failed.status()).isEqualTo(409);
            assertThat(failed.body()).contains("CONFLICT", "no such file: test/bad", OLD + " is on its way back");
            awaitReturn(control);
            decodes(control, OLD);
            TestClient.Answer late = reload(control, NEVER, 8_000);
            assertThat(late.status()).isEqualTo(409);
            assertThat(late.body()).contains("the deadline came before", OLD + " is on its way back");
            assertThat(health(control)).contains("\"reloading\":false", "\"returning\":{\"model_ref\":\"" + OLD);
            assertThat(reload(control, NEW, 8_000).body()).contains("CONFLICT", "waits for " + OLD);
            awaitReturn(control);
            decodes(control, OLD);
            assertThat(engines(OLD)).hasSize(1);
        }
    }

    private static String health(TestClient client) {
        return client.get("/v1/pools/default/health").body();
    }

    private void awaitReturn(TestClient client) {
        daemon.await(() -> !health(client).contains("\"returning\"") && ProcessPool.isReady(daemon, 0));
    }

    @Test
    void shouldStopNothingWhenNoLoadWasEverAsFastAsTheDeadline() {
        start("stop_start", 1);
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=10]]", 100);
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));
            List<Long> pids = engines(OLD);

            TestClient.Answer answer = reload(control, NEW, 10);
            assertThat(answer.status()).isEqualTo(409);
            assertThat(answer.body()).contains("within 10 ms", "has taken less than", "nothing was stopped");
            assertThat(stream.toEnd().of("token")).hasSize(100);
            assertThat(engines(OLD)).isEqualTo(pids);
        }
    }

    @Test
    void shouldEndNoTaskForALoadThatWouldHaveTooLittleTime() {
        start("stop_start", 1, "pools.0.reload.drain_ms=60000");
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            long leastMs = least(reload(control, NEW, 10).body());
            for (long moreMs : new long[] {0, 100, 499}) {
                UUID old = submit(client, OLD, "[[pace=10]]", 60);
                TestClient.Stream stream =
                        client.stream(old).until(event -> event.event().equals("token"));
                TestClient.Answer answer = reload(control, NEW, leastMs + moreMs);
                assertThat(answer.status()).isEqualTo(409);
                assertThat(answer.body()).contains("nothing was stopped");
                assertThat(stream.toEnd().of("token")).hasSize(60);
            }
            // The next start is slower; what was measured before it still counts.
            ProcessPool.signal("KILL", engines(OLD).get(0));
            daemon.await(() -> ProcessPool.view(daemon, 0).restarts() == 1 && ProcessPool.isReady(daemon, 0));
            assertThat(least(reload(control, NEW, 10).body())).isLessThanOrEqualTo(leastMs);
        }
    }

    private static long least(String refusal) {
        Matcher matcher = Pattern.compile("has taken less than (\\d+) ms").matcher(refusal);
        assertThat(matcher.find()).as(refusal).isTrue();
        return Long.parseLong(matcher.group(1));
    }

    @Test
    void shouldTellTheTruthAfterAnUndrain() {
        start("blue_green", 1);
        try (TestClient control = daemon.client();
                TestClient other = daemon.client()) {
            for (int i = 0; i < 20; i++) {
                assertThat(control.post("/v1/pools/default/drain", "{\"deadline_ms\":1000}")
                                .status())
                        .isEqualTo(202);
                assertThat(other.post("/v1/pools/default/undrain", "").status()).isEqualTo(202);
                assertThat(health(other)).contains("\"draining\":false");
            }
        }
    }

    @Test
    void shouldDrainThoughTasksStillRunOnTheOldModel() {
        start("blue_green", 1, "pools.0.reload.drain_ms=60000");
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=20]]", 4_000);
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));
            assertThat(reload(control, NEW, 30_000).status()).isEqualTo(202);
            assertThat(health(control))
                    .contains(
                            "\"model_ref\":\"" + NEW,
                            "\"reloading\":false",
                            "\"leaving\":{\"model_ref\":\"" + OLD + "\",\"tasks\":1,\"within_ms\":");
            assertThat(reload(control, NEW, 30_000).body())
                    .contains("CONFLICT", "the tasks that still run on " + OLD + " (1)", "ms at most");

            TestClient.Answer drain = control.post("/v1/pools/default/drain", "{\"deadline_ms\":100}");
            assertThat(drain.status()).as(drain.body()).isEqualTo(202);
            assertThat(stream.toEnd().last().data()).contains("WORKER_RESET", "was drained");
            daemon.await(() -> !health(control).contains("\"leaving\""));
            daemon.await(() -> engines(OLD).isEmpty());
            assertThat(control.post("/v1/pools/default/undrain", "").status()).isEqualTo(202);
            daemon.await(() -> ProcessPool.isReady(daemon, 0)
                    && !daemon.daemon().tasks().ring().snapshot().pools().get(0).draining());
            decodes(control, NEW);
        }
    }

    @Test
    void shouldRefuseASecondReloadAndADrainMeanwhile() {
        start("stop_start", 1);
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=20]]", 100);
            client.stream(old).until(event -> event.event().equals("token"));
            send(control, reload(NEW, 30_000));
            try (TestClient other = daemon.client()) {
                daemon.await(() ->
                        daemon.daemon().tasks().ring().snapshot().pools().get(0).incomingModel() != null);
                assertThat(reload(other, NEW, 1_000).body()).contains("CONFLICT", "is being reloaded");
                assertThat(other.post("/v1/pools/default/drain", "{\"deadline_ms\":1}")
                                .status())
                        .isEqualTo(409);
            }
            assertThat(control.readAnswer().status()).isEqualTo(202);
        }
    }

    private static void send(TestClient client, String body) {
        try {
            client.send("POST", "/v1/pools/default/reload", body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldAnswerEachTaskOnceThatWaitsDuringAStopStart() {
        start("stop_start", 2, "pools.0.queue.capacity=5000");
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=20]]", 100);
            client.stream(old).until(event -> event.event().equals("token"));
            List<UUID> ids = new ArrayList<>();
            try (TestClient submitter = daemon.client()) {
                for (int i = 0; i < QUEUED / 2; i++) {
                    ids.add(submit(submitter, OLD, "[[pace=1]]", 20));
                }
                send(control, reload(NEW, 60_000));
                daemon.await(() ->
                        daemon.daemon().tasks().ring().snapshot().pools().get(0).incomingModel() != null);
                for (int i = 0; i < QUEUED / 2; i++) {
                    ids.add(submit(submitter, NEW, "q", 2));
                }
            }
            assertThat(control.readAnswer().status()).isEqualTo(202);
            int served = 0;
            int refused = 0;
            for (UUID id : ids) {
                TestClient.Stream stream = control.stream(id).toEnd();
                assertThat(stream.of("end").size() + stream.of("error").size()).isEqualTo(1);
                served += stream.of("end").size();
                refused += stream.of("error").size();
            }
            assertThat(served).isGreaterThanOrEqualTo(QUEUED / 2);
            assertThat(refused).isPositive();
        }
    }

    @Test
    void shouldStartAnotherEngineWhenTheNewOneDiesBeforeTheOldOneHasLeft() {
        start("blue_green", 1, "pools.0.reload.drain_ms=60000");
        try (TestClient client = daemon.client();
                TestClient control = daemon.client()) {
            UUID old = submit(client, OLD, "[[pace=10]]", 400);
            TestClient.Stream stream =
                    client.stream(old).until(event -> event.event().equals("token"));
            assertThat(reload(control, NEW, 30_000).status()).isEqualTo(202);
            long pid = engines(NEW).get(0);
            ProcessPool.signal("KILL", pid);
            daemon.await(() -> !ProcessPool.isReady(daemon, 0));
            assertThat(stream.toEnd().of("token")).hasSize(400);
            daemon.await(() -> ProcessPool.isReady(daemon, 0));
            decodes(control, NEW);
            assertThat(engines(NEW)).hasSize(1).doesNotContain(pid);
            assertThat(engines(OLD)).isEmpty();
        }
    }
}
