package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.it.TestClient.Answer;
import io.llamaorch.orchestratord.server.it.TestClient.Event;
import io.llamaorch.orchestratord.server.it.TestClient.Stream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * R3: {@code kill -9} at any moment under load. The clients note what they were told, before anything else; after each start
 * all of it must hold. More of it by hand: {@code -Dkills=N -Dkill.seed=S}.
 */
@NullUnmarked
class KillIT {
    private static final int CLIENTS = 4;
    /** From so many on, some fall into a stream that is being read. */
    private static final int ENOUGH_KILLS = 30;

    private static final int OLD_ONES_LOOKED_AT = 20;
    private static final Pattern STATE = Pattern.compile("\"state\":\"([a-z]+)\"");
    private static final Pattern START_MS = Pattern.compile("\"start_ms\":(\\d+)");
    private static final String YAML =
            """
            listen: 127.0.0.1:0
            streams: {retained_tasks: 100000, disconnect_grace_ms: {interactive: -1}}
            pools:
              - id: default
                engine: mock
                model: %s
                ctx: 200000
                queue: {capacity: 10000}
                replicas: [{id: r0, url: "mock:?tokens_per_s=400", slots: 32}]
            """
                    .formatted(DaemonHarness.MODEL);

    @TempDir
    Path folder;

    /** A task that was answered with 202, and the most that was seen of it. Written by one client, read after its end. */
    private static final class Told {
        final UUID id;
        final String request;
        long lastEvent;
        String terminal = "";
        boolean canceled;
        String state = "";

        Told(UUID id, String request) {
            this.id = id;
            this.request = request;
        }

        boolean isOver() {
            return !state.isEmpty() && !state.equals("queued") && !state.equals("running");
        }
    }

    private final ConcurrentLinkedQueue<Told> told = new ConcurrentLinkedQueue<>();

    @Test
    void shouldHoldToWhatItSaidWheneverItIsKilled() throws InterruptedException {
        int kills = Integer.getInteger("kills", 50);
        long seed = Long.getLong("kill.seed", System.nanoTime());
        Random random = new Random(seed);
        long slowestStartMs = 0;
        int resets = 0;
        for (int round = 0; round <= kills; round++) {
            String where = "seed " + seed + ", after kill " + round;
            try (DaemonProcess daemon = DaemonProcess.serve(folder, YAML)) {
                Matcher start = START_MS.matcher(daemon.awaitLine(line -> line.contains("daemon_listening")));
                assertThat(start.find()).isTrue();
                slowestStartMs = Math.max(slowestStartMs, Long.parseLong(start.group(1)));
                resets += check(daemon, random, where);
                if (round == kills) {
                    finish(daemon, where);
                } else {
                    load(daemon, random);
                }
            }
        }
        System.out.printf(
                "KillIT: seed %d, %d kills, %d tasks acknowledged, %d of them reset, slowest start %d ms%n",
                seed, kills, told.size(), resets, slowestStartMs);
        assertThat(told).hasSizeGreaterThan(kills);
        if (kills >= ENOUGH_KILLS) {
            assertThat(resets).isPositive();
        }
    }

    // ---- load ----

    private void load(DaemonProcess daemon, Random random) throws InterruptedException {
        int before = told.size();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Random own = new Random(random.nextLong());
            Thread thread = new Thread(() -> client(daemon, own));
            thread.start();
            clients.add(thread);
        }
        while (told.size() == before) {
            TimeUnit.MILLISECONDS.sleep(5); // a daemon that has just started is slow
        }
        TimeUnit.MILLISECONDS.sleep(random.nextInt(500)); // the moment is what is random here
        daemon.signal("KILL");
        daemon.exit();
        for (Thread thread : clients) {
            thread.join();
        }
    }

    private void client(DaemonProcess daemon, Random random) {
        try (TestClient client = daemon.client()) {
            while (true) {
                UUID id = UUID.randomUUID();
                String request = TestClient.task(id, "mock", "kill", 1 + random.nextInt(200), "");
                Answer answer = client.post("/v1/tasks", request);
                if (answer.status() != 202) {
                    continue; // its engine is not ready yet
                }
                Told task = new Told(id, request);
                told.add(task);
                int what = random.nextInt(8);
                if (what < 4) {
                    read(daemon, task, what == 0 ? 3 : Long.MAX_VALUE);
                }
                if (what == 0 || what == 7) {
                    task.canceled =
                            client.post("/v1/tasks/" + id + "/cancel", "").status() == 204;
                }
            }
        } catch (UncheckedIOException e) {
            // killed
        }
    }

    private static void read(DaemonProcess daemon, Told task, long until) {
        try (TestClient reader = daemon.client()) {
            Stream stream = reader.stream(task.id);
            try {
                stream.until(event -> event.id() >= until);
            } finally {
                note(task, stream);
            }
        }
    }

    private static void note(Told task, Stream stream) {
        for (Event event : stream.events()) {
            task.lastEvent = Math.max(task.lastEvent, event.id());
            if (event.event().equals("end") || event.event().equals("error")) {
                task.terminal = event.data().contains("\"canceled\":true") ? "canceled" : event.event();
            }
        }
    }

    // ---- the checker ----

    /** What was said still holds. Returns how many tasks were reset by this start. */
    private int check(DaemonProcess daemon, Random random, String where) {
        int resets = 0;
        int old = 0;
        try (TestClient client = daemon.client()) {
            for (Told task : told) {
                if (task.isOver() && (random.nextInt(10) > 0 || old++ > OLD_ONES_LOOKED_AT)) {
                    continue;
                }
                String was = task.state;
                String status = status(client, task, where);
                if (!was.isEmpty() && !was.equals("queued") && !was.equals("running")) {
                    assertThat(task.state)
                            .as("%s: %s was %s", where, task.id, was)
                            .isEqualTo(was);
                }
                switch (task.terminal) {
                    case "end" ->
                        assertThat(task.state).as("%s: %s", where, task.id).isEqualTo("completed");
                    case "canceled" ->
                        assertThat(task.state).as("%s: %s", where, task.id).isEqualTo("canceled");
                    case "error" ->
                        assertThat(task.state).as("%s: %s", where, task.id).isEqualTo("failed");
                    default -> {
                        boolean mayBeOpen = task.lastEvent == 0 && !task.canceled;
                        assertThat(mayBeOpen || task.isOver())
                                .as(
                                        "%s: %s is %s, of which event %d was seen",
                                        where, task.id, task.state, task.lastEvent)
                                .isTrue();
                    }
                }
                if (was.isEmpty() && status.contains("WORKER_RESET")) {
                    resets++;
                    assertReset(daemon, task);
                }
            }
            replay(client, random, where);
        }
        return resets;
    }

    private static String status(TestClient client, Told task, String where) {
        Answer answer = client.get("/v1/tasks/" + task.id);
        assertThat(answer.status()).as("%s: %s", where, task.id).isEqualTo(200);
        Matcher state = STATE.matcher(answer.body());
        assertThat(state.find()).isTrue();
        task.state = state.group(1);
        return answer.body();
    }

    private static void assertReset(DaemonProcess daemon, Told task) {
        try (TestClient client = daemon.client().with("Last-Event-ID", Long.toString(task.lastEvent))) {
            Stream stream = client.stream(task.id).toEnd();
            assertThat(stream.complete()).isTrue();
            assertThat(stream.last().event()).isEqualTo("error");
            assertThat(stream.last().id()).isEqualTo(task.lastEvent + 1);
            task.terminal = "error";
        }
    }

    private void replay(TestClient client, Random random, String where) {
        for (Told task : told) {
            if (random.nextInt(told.size()) < 3) {
                Answer again = client.post("/v1/tasks", task.request);
                assertThat(again.status()).as(where).isEqualTo(202);
                assertThat(again.header("Idempotent-Replay")).as(where).isEqualTo("true");
                String other = task.request.replace("\"prompt\":\"kill\"", "\"prompt\":\"other\"");
                assertThat(client.post("/v1/tasks", other).status()).as(where).isEqualTo(409);
            }
        }
    }

    /** Everything that was accepted ends. */
    private void finish(DaemonProcess daemon, String where) {
        try (TestClient client = daemon.client()) {
            for (Told task : told) {
                long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
                while (!task.isOver()) {
                    status(client, task, where);
                    assertThat(System.nanoTime()).as("%s: %s", where, task.id).isLessThan(deadlineNs);
                }
                assertThat(task.state).isIn("completed", "canceled", "failed");
            }
        }
    }
}
