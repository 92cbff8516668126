package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import io.llamaorch.orchestratord.server.it.TestClient.Stream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What survives the end of the process, and what a client sees of the ledger: specs/durability.md. */
@NullUnmarked
class DurabilityIT {
    @TempDir
    Path folder;

    private static String yaml(String speed, int slots) {
        return """
                listen: 127.0.0.1:0
                auth:
                  keys:
                    - {name: ann, sha256: %s}
                    - {name: ben, sha256: %s}
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 200000
                    replicas: [{id: r0, url: "mock:?%s", slots: %d}]
                """
                .formatted(Keys.sha256("ann-key"), Keys.sha256("ben-key"), DaemonHarness.MODEL, speed, slots);
    }

    private static String open(String speed, int slots) {
        return """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 200000
                    replicas: [{id: r0, url: "mock:?%s", slots: %d}]
                """
                .formatted(DaemonHarness.MODEL, speed, slots);
    }

    private static TestClient ann(DaemonProcess daemon) {
        return daemon.client().with("X-API-Key", "ann-key");
    }

    private static TestClient ben(DaemonProcess daemon) {
        return daemon.client().with("X-API-Key", "ben-key");
    }

    private static String status(TestClient client, UUID id) {
        return client.get("/v1/tasks/" + id).body();
    }

    /** Once it says where its transcript is. */
    private static String onDisk(TestClient client, UUID id) {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        String body = status(client, id);
        while (!body.contains("\"transcript\"")) {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            body = status(client, id);
        }
        return body;
    }

    private static String task(UUID id, int tokens) {
        return TestClient.task(id, "mock", "durable", tokens, ",\"detached\":true")
                .replaceFirst(
                        "\"session_id\":\"[^\"]*\"",
                        "\"session_id\":\"" + new UUID(1, id.getLeastSignificantBits()) + "\"");
    }

    @Test
    void shouldBringBackWhatWasAcceptedAfterAKill() {
        UUID over = UUID.randomUUID();
        UUID canceled = UUID.randomUUID();
        UUID shown = UUID.randomUUID();
        UUID unseen = UUID.randomUUID();
        List<UUID> queued = new ArrayList<>();
        String overStatus;
        String overLog;
        String canceledStatus;
        long seen;
        try (DaemonProcess daemon = DaemonProcess.serve(folder, yaml("tokens_per_s=10", 2));
                TestClient client = ann(daemon);
                TestClient reader = ann(daemon)) {
            client.submit(task(over, 1));
            overLog = reader.stream(over).toEnd().log();
            overStatus = onDisk(client, over);
            client.submit(task(canceled, 1000));
            assertThat(client.post("/v1/tasks/" + canceled + "/cancel", "").status())
                    .isEqualTo(204);
            canceledStatus = onDisk(client, canceled);
            client.submit(task(shown, 5000));
            Stream stream = reader.stream(shown).until(event -> event.event().equals("token"));
            seen = stream.last().id();
            client.submit(task(unseen, 5000));
            for (int i = 0; i < 5; i++) {
                queued.add(UUID.randomUUID());
                client.submit(task(queued.get(i), 3));
            }
            daemon.signal("KILL");
            daemon.exit();
        }
        try (DaemonProcess daemon = DaemonProcess.serve(folder, yaml("tokens_per_s=10", 1));
                TestClient client = ann(daemon);
                TestClient other = ben(daemon)) {
            assertThat(daemon.awaitLine(line -> line.contains("ledger_recovered")))
                    .contains("\"tasks_queued\":6", "\"tasks_reset\":1", "\"tasks_ended\":2");
            assertThat(status(client, over)).isEqualTo(overStatus);
            assertThat(status(client, canceled)).isEqualTo(canceledStatus);
            assertThat(client.stream(over).toEnd().log()).isEqualTo(overLog);
            assertThat(client.post("/v1/tasks/" + over + "/cancel", "").status())
                    .isEqualTo(204);

            assertThat(status(client, shown)).contains("\"state\":\"failed\"", "WORKER_RESET", "\"retriable\":true");
            for (long has : new long[] {0, seen, seen + 7}) {
                try (TestClient resumed = ann(daemon).with("Last-Event-ID", Long.toString(has))) {
                    Stream stream = resumed.stream(shown).toEnd();
                    assertThat(stream.complete()).isTrue();
                    assertThat(stream.events().stream().filter(event -> event.id() > 0))
                            .hasSize(1);
                    assertThat(stream.last().id()).isEqualTo(has + 1);
                    assertThat(stream.last().event()).isEqualTo("error");
                    assertThat(stream.last().data()).contains("WORKER_RESET");
                }
            }

            Answer again = client.post("/v1/tasks", task(queued.get(4), 3));
            assertThat(again.status()).isEqualTo(202);
            assertThat(again.header("Idempotent-Replay")).isEqualTo("true");
            assertThat(client.post("/v1/tasks", task(queued.get(4), 4)).status())
                    .isEqualTo(409);
            assertThat(client.post("/v1/tasks", task(over, 1)).header("Idempotent-Replay"))
                    .isEqualTo("true");
            assertThat(client.post("/v1/tasks", task(over, 2)).status()).isEqualTo(409);
            for (UUID id : List.of(over, shown, unseen, queued.get(0))) {
                assertThat(other.get("/v1/tasks/" + id).status()).isEqualTo(404);
                assertThat(other.post("/v1/tasks/" + id + "/cancel", "").status())
                        .isEqualTo(404);
            }

            assertThat(status(client, unseen)).contains("\"state\":\"running\"");
            for (int i = 0; i < 5; i++) {
                assertThat(status(client, queued.get(i))).contains("\"queue_position\":" + i + ",");
            }
            assertThat(client.post("/v1/tasks/" + unseen + "/cancel", "").status())
                    .isEqualTo(204);
            for (UUID id : queued) {
                try (TestClient reader = ann(daemon)) {
                    Stream stream = reader.stream(id).toEnd();
                    assertThat(stream.last().event()).isEqualTo("end");
                    assertThat(stream.of("token")).hasSize(3);
                }
            }
        }
        try (DaemonProcess daemon = DaemonProcess.serve(folder, yaml("tokens_per_s=10", 1));
                TestClient client = ann(daemon)) {
            assertThat(status(client, shown)).contains("WORKER_RESET");
            assertThat(status(client, unseen)).contains("\"state\":\"canceled\"");
            assertThat(status(client, queued.get(2))).contains("\"state\":\"completed\"", "\"tokens_out\":3");
        }
    }

    @Test
    void shouldGiveTheStreamsOfTasksBackThatWereOverWhenItWasKilled() {
        List<UUID> ids = new ArrayList<>();
        List<String> logs = new ArrayList<>();
        List<String> states = new ArrayList<>();
        String[] sets = {"event_loops=2", "streams.retained_tasks=2"};
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 2), sets);
                TestClient client = daemon.client()) {
            for (int tokens : new int[] {1, 40, 3_000, 5}) {
                UUID id = UUID.randomUUID();
                ids.add(id);
                logs.add(client.submit(task(id, tokens)).stream(id).toEnd().log());
                states.add(onDisk(client, id));
            }
            client.submit(task(UUID.randomUUID(), 1)); // behind all that on record
            daemon.signal("KILL");
            daemon.exit();
        }
        String artifact;
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 2), sets);
                TestClient client = daemon.client()) {
            for (int i = 0; i < ids.size(); i++) {
                assertThat(status(client, ids.get(i))).isEqualTo(states.get(i));
                long last = logs.get(i).split("\n\n").length;
                for (long after : new long[] {0, 1, last / 2, last - 1, last}) {
                    int at = 0;
                    for (long n = 0; n < after; n++) {
                        at = logs.get(i).indexOf("\n\n", at) + 2;
                    }
                    String rest = logs.get(i).substring(at);
                    try (TestClient resumed = daemon.client().with("Last-Event-ID", Long.toString(after))) {
                        assertThat(resumed.stream(ids.get(i)).toEnd().log()).isEqualTo(rest);
                    }
                }
            }
            String state = states.get(2);
            artifact = "/v1/artifacts/" + state.substring(state.indexOf("sha256:"), state.indexOf("sha256:") + 71);
            assertThat(client.get(artifact).body()).endsWith(logs.get(2));
            assertThat(client.post("/v1/tasks", task(ids.get(1), 40)).header("Idempotent-Replay"))
                    .isEqualTo("true");
            assertThat(client.post("/v1/tasks", task(ids.get(1), 41)).status()).isEqualTo(409);
            daemon.signal("TERM");
            assertThat(daemon.exit()).isZero();
        }
        String[] none = {"transcripts.max_count=0", "streams.retained_tasks=0"};
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 2), none);
                TestClient client = daemon.client()) {
            long deadlineNs = System.nanoTime() + 20_000_000_000L;
            while (client.get("/v1/tasks/" + ids.get(3)).status() != 404) {
                assertThat(System.nanoTime() - deadlineNs).isNegative();
            }
            assertThat(client.get(artifact).status()).isEqualTo(404);
            Answer anew = client.post("/v1/tasks", task(ids.get(1), 41));
            assertThat(anew.status()).isEqualTo(202);
            assertThat(anew.header("Idempotent-Replay")).isEmpty();
        }
    }

    @Test
    void shouldKeepWhatIsQueuedOverAnOrderlyStop() {
        UUID running = UUID.randomUUID();
        UUID queued = UUID.randomUUID();
        String[] sets = {"shutdown.drain_deadline_ms=200"};
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=10", 1), sets);
                TestClient first = daemon.client();
                TestClient second = daemon.client()) {
            Stream one = first.submit(task(running, 5000)).stream(running);
            one.until(event -> event.event().equals("token"));
            Stream two = second.submit(task(queued, 3)).stream(queued);
            daemon.signal("TERM");
            assertThat(one.toEnd().last().data()).contains("WORKER_RESET");
            assertThat(two.until(event -> false).complete())
                    .as("cut, not ended")
                    .isFalse();
            assertThat(two.events()).noneMatch(event -> event.id() > 0);
            assertThat(daemon.exit()).isZero();
        }
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 1), sets);
                TestClient client = daemon.client()) {
            assertThat(client.stream(queued).toEnd().of("token")).hasSize(3);
            assertThat(status(client, running)).contains("WORKER_RESET");
        }
    }

    @Test
    void shouldForgetEverythingWhereDurabilityIsOff() {
        UUID id = UUID.randomUUID();
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 1), "durability=off");
                TestClient client = daemon.client()) {
            client.submit(task(id, 3)).stream(id).toEnd();
            assertThat(folder.resolve("state/ledger")).doesNotExist();
            daemon.signal("KILL");
            daemon.exit();
        }
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 1), "durability=async");
                TestClient client = daemon.client()) {
            assertThat(client.get("/v1/tasks/" + id).status()).isEqualTo(404);
            client.submit(task(id, 3));
            daemon.signal("KILL");
            daemon.exit();
        }
        try (DaemonProcess daemon = DaemonProcess.serve(folder, open("tokens_per_s=0", 1), "durability=async");
                TestClient client = daemon.client()) {
            assertThat(client.get("/v1/tasks/" + id).status()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseSubmitsWhileTheDiskIsFullAndNothingElse() {
        SwitchedDisk disk = new SwitchedDisk();
        try (DaemonHarness harness = DaemonHarness.start(open("tokens_per_s=50", 2), loop -> loop, disk);
                TestClient client = harness.client();
                TestClient reader = harness.client()) {
            UUID running = UUID.randomUUID();
            Stream stream = reader.stream(submit(client, running, 30));
            stream.until(event -> event.event().equals("token"));
            disk.full = true;
            UUID refused = UUID.randomUUID();
            Answer answer = client.post("/v1/tasks", task(refused, 2));
            assertThat(answer.status()).isEqualTo(507);
            assertThat(answer.body()).contains("STORAGE_FULL", "\"policy_label\":\"disk\"", "\"retriable\":true");
            assertThat(client.get("/v1/tasks/" + refused).status()).isEqualTo(404);
            assertThat(stream.toEnd().last().event()).isEqualTo("end");
            assertThat(client.get("/readyz").status()).isEqualTo(200);
            disk.full = false;
            assertThat(client.submit(task(refused, 2)).stream(refused)
                            .toEnd()
                            .last()
                            .event())
                    .isEqualTo("end");
            harness.awaitQuiet();
            String metrics = client.get("/metrics").body();
            assertThat(metrics).containsPattern("tasks_enqueued_total\\{[^}]*} 2\n");
            assertThat(metrics).contains("tasks_finished_total{pool_id=\"default\",outcome=\"completed\"} 2\n");
            assertThat(metrics).contains("reason=\"storage_full\"");
        }
    }

    private static UUID submit(TestClient client, UUID id, int tokens) {
        client.submit(task(id, tokens));
        return id;
    }

    @Test
    void shouldAcknowledgeNothingAfterAFailedSync() {
        SwitchedDisk disk = new SwitchedDisk();
        try (DaemonHarness harness = DaemonHarness.start(open("tokens_per_s=50", 2), loop -> loop, disk);
                TestClient client = harness.client();
                TestClient reader = harness.client()) {
            UUID running = UUID.randomUUID();
            Stream stream = reader.stream(submit(client, running, 30));
            stream.until(event -> event.event().equals("token"));
            disk.broken = true;
            for (int i = 0; i < 3; i++) {
                Answer answer = client.post("/v1/tasks", task(UUID.randomUUID(), 2));
                assertThat(answer.status()).isEqualTo(500);
                assertThat(answer.body()).contains("INTERNAL", "\"policy_label\":\"ledger\"");
                disk.broken = false; // once is for good
            }
            Answer ready = client.get("/readyz?verbose");
            assertThat(ready.status()).isEqualTo(503);
            assertThat(ready.body()).contains("ledger", "Input/output error");
            assertThat(stream.toEnd().last().event()).isEqualTo("end");
            assertThat(client.get("/v1/tasks/" + running).body()).contains("completed");
            assertThat(client.get("/metrics").body()).contains("ledger_failed 1\n");
        }
    }

    /** While a sync takes its time: no 202, no event, no end, no 204; and all of them once it is done. */
    @Test
    void shouldShowNothingThatIsNotOnRecord() throws Exception {
        SwitchedDisk disk = new SwitchedDisk();
        try (DaemonHarness harness = DaemonHarness.start(open("tokens_per_s=200", 4), loop -> loop, disk);
                TestClient client = harness.client();
                TestClient reader = harness.client();
                TestClient canceler = harness.client()) {
            UUID id = submit(client, UUID.randomUUID(), 1000);
            harness.await(() ->
                    harness.daemon().tasks().ring().snapshot().pools().get(0).leases() == 1);
            CountDownLatch hold = new CountDownLatch(1);
            disk.held = hold;
            Stream stream = reader.stream(id);
            canceler.send("POST", "/v1/tasks/" + id + "/cancel", "");
            harness.awaitQuiet(); // the slot is back at once
            client.send("POST", "/v1/tasks", task(UUID.randomUUID(), 1));
            client.connected().setSoTimeout(200);
            reader.connected().setSoTimeout(200);
            canceler.connected().setSoTimeout(200);
            assertThat(stream.events()).isEmpty();
            assertThat(client.connected().getInputStream().available()).isZero();
            assertThat(canceler.connected().getInputStream().available()).isZero();
            disk.held = null;
            hold.countDown();
            client.connected().setSoTimeout(20_000);
            reader.connected().setSoTimeout(20_000);
            canceler.connected().setSoTimeout(20_000);
            assertThat(canceler.readAnswer().status()).isEqualTo(204);
            assertThat(client.readAnswer().status()).isEqualTo(202);
            assertThat(stream.until(event -> false).of("token"))
                    .as("its reader had no event before the seal")
                    .isEmpty();
            try (TestClient late = harness.client()) {
                assertThat(late.stream(id).toEnd().last().data()).contains("\"canceled\":true");
            }
        }
    }
}
