package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import io.llamaorch.orchestratord.server.it.TestClient.Event;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An engine, as a process of its own, that breaks in every way at every token. */
@Tag("faults")
@NullUnmarked
class EngineFaultIT {
    private static final int TOKENS = 12;
    private static final int SLOTS = 24;
    private static final String IDLE_MS = "pools.0.timeouts.idle_ms=700";

    /** What each fault is told to clients as. */
    private static final Map<String, String> CODES = new LinkedHashMap<>();

    static {
        CODES.put("close", "WORKER_RESET");
        CODES.put("rst", "WORKER_RESET");
        CODES.put("stall", "DECODE_TIMEOUT");
        CODES.put("garbage", "INTERNAL");
        CODES.put("badchunk", "INTERNAL");
        CODES.put("inband_error", "WORKER_RESET");
        CODES.put("oldstyle_error", "WORKER_RESET");
        CODES.put("context_full", "REPLICA_EXHAUSTED");
        CODES.put("eof_no_terminal", "WORKER_RESET");
        CODES.put("midutf8", "WORKER_RESET");
        CODES.put("http500", "INTERNAL");
        CODES.put("http503", "POOL_UNREADY");
        CODES.put("http400", "INVALID_PARAMS");
    }

    private static LlamaServerDoubleProcess engine;
    private static DaemonHarness daemon;

    @BeforeAll
    static void start() throws IOException {
        engine = LlamaServerDoubleProcess.start("--slots=" + SLOTS);
        daemon = DaemonHarness.llama(engine.port(), SLOTS, IDLE_MS, "pools.0.health.breaker.failures=1000");
    }

    @AfterAll
    static void stop() {
        daemon.awaitQuiet();
        daemon.await(() -> EngineDouble.idle(engine.port()));
        daemon.close();
        engine.close();
        LeakRecorder.assertNone();
    }

    private record Case(UUID id, String kind, int at, String prompt) {}

    @Test
    void shouldEndWithOneErrorAndLeaveNeighboursAloneWhenTheEngineFailsAtAnyToken() {
        List<TestClient> clients = new ArrayList<>();
        List<TestClient.Stream> neighbours = new ArrayList<>();
        int neighbourTokens = 3900;
        for (int n = 0; n < 3; n++) {
            TestClient client = daemon.client();
            clients.add(client);
            UUID id = UUID.randomUUID();
            client.submit(EngineDouble.task(id, "neighbour [[pace=1]]", n, neighbourTokens, ""));
            neighbours.add(client.stream(id).until(event -> event.event().equals("token")));
        }
        List<Case> cases = new ArrayList<>();
        for (String kind : CODES.keySet()) {
            for (int at = 0; at <= TOKENS; at++) {
                cases.add(new Case(UUID.randomUUID(), kind, at, "p [[fault=" + kind + "@" + at + "]]"));
            }
        }
        try (TestClient client = daemon.client()) {
            for (Case fault : cases) {
                client.submit(EngineDouble.task(fault.id(), fault.prompt(), fault.at(), TOKENS, ""));
            }
            for (Case fault : cases) {
                checkFault(client, fault);
            }
        }
        for (int n = 0; n < neighbours.size(); n++) {
            TestClient.Stream neighbour = neighbours.get(n).toEnd();
            assertThat(neighbour.last().event()).isEqualTo("end");
            assertThat(EngineDouble.tokens(neighbour))
                    .isEqualTo(EngineDouble.tokens("neighbour [[pace=1]]", n, neighbourTokens));
            clients.get(n).close();
        }
        daemon.awaitQuiet();
        daemon.await(() -> EngineDouble.idle(engine.port()));
    }

    private static void checkFault(TestClient client, Case fault) {
        TestClient.Stream stream = client.stream(fault.id()).toEnd();
        List<String> tokens = EngineDouble.tokens(stream);
        Event last = stream.last();
        assertThat(stream.complete()).as("%s", fault).isTrue();
        assertThat(stream.of("end")).as("%s", fault).isEmpty();
        assertThat(stream.of("error")).as("%s", fault).hasSize(1);
        assertThat(last.event()).as("%s", fault).isEqualTo("error");
        assertThat(last.data()).as("%s", fault).contains("\"code\":\"" + CODES.get(fault.kind()) + "\"");
        boolean atOnce = fault.kind().startsWith("http");
        assertThat(stream.of("started")).as("%s", fault).hasSize(atOnce ? 0 : 1);
        if (fault.kind().equals("rst")) {
            // A reset may take with it what the kernel held; what came before it must be right.
            assertThat(tokens.size()).as("%s", fault).isLessThanOrEqualTo(fault.at());
            assertThat(tokens)
                    .as("%s", fault)
                    .isEqualTo(EngineDouble.tokens(fault.prompt(), fault.at(), tokens.size()));
        } else {
            assertThat(tokens)
                    .as("%s", fault)
                    .isEqualTo(EngineDouble.tokens(fault.prompt(), fault.at(), atOnce ? 0 : fault.at()));
        }
        assertThat(client.get("/v1/tasks/" + fault.id()).body())
                .as("%s", fault)
                .contains("\"state\":\"failed\"", "\"code\":\"" + CODES.get(fault.kind()) + "\"");
    }

    @Test
    void shouldGiveTheSameEventsWhenTheAnswerIsCutAtAnyByteOrComesInLargerPieces() {
        List<String> knobs = new ArrayList<>();
        for (int bytes = 1; bytes <= 220; bytes++) {
            knobs.add("[[split=" + bytes + ",1000000]]");
        }
        for (String sizes : List.of("1", "2", "3", "1,2,3", "7,1", "13,1,1")) {
            knobs.add("[[split=" + sizes + "]]");
        }
        for (int batch = 1; batch <= TOKENS + 1; batch++) {
            knobs.add("[[batch=" + batch + "]]");
            knobs.add("[[batch=" + batch + "]][[split=1]]");
        }
        knobs.add("[[ping=1]]");
        knobs.add("[[empty=1]]");
        knobs.add("[[empty=3]][[ping=1]][[batch=4]][[split=5]]");
        knobs.add("[[hold=1]]");
        Map<String, UUID> ids = new LinkedHashMap<>();
        try (TestClient client = daemon.client()) {
            for (String knob : knobs) {
                UUID id = UUID.randomUUID();
                ids.put(knob, id);
                client.submit(EngineDouble.task(id, knob, 7, TOKENS, ""));
            }
            ids.forEach((knob, id) -> {
                TestClient.Stream stream = client.stream(id).toEnd();
                assertThat(EngineDouble.tokens(stream)).as(knob).isEqualTo(EngineDouble.tokens(knob, 7, TOKENS));
                assertThat(stream.last().event()).as(knob).isEqualTo("end");
            });
        }
    }

    @Test
    void shouldKeepCharactersWholeWhenTheEngineCutsThem() {
        try (TestClient client = daemon.client()) {
            int cut = 0;
            for (int split = 0; split <= 8; split++) {
                String prompt = "[[cutchars=1]]" + (split == 0 ? "" : "[[split=" + split + "]]");
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, prompt, split, 1000, ""));
                TestClient.Stream stream = client.stream(id).toEnd();
                assertThat(stream.last().event()).isEqualTo("end");
                String text = DoubleText.text(prompt, split, 1000);
                assertThat(stream.text().replace("\\ud83d\\ude42", "🙂")).isEqualTo(text);
                cut += text.split("🙂", -1).length - 1;
            }
            assertThat(cut).as("characters cut").isPositive();
        }
    }

    @Test
    void shouldEndEveryTaskOnceAndServeAgainWhenTheEngineIsKilledAndComesBack() throws IOException {
        int slots = 8;
        LlamaServerDoubleProcess doomed = LlamaServerDoubleProcess.start("--slots=" + slots);
        try (DaemonHarness own = DaemonHarness.llama(doomed.port(), slots)) {
            List<TestClient> clients = new ArrayList<>();
            List<TestClient.Stream> running = new ArrayList<>();
            String prompt = "long [[pace=2]]";
            for (int i = 0; i < slots; i++) {
                TestClient client = own.client();
                clients.add(client);
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, prompt, i, 3000, ""));
                running.add(client.stream(id)
                        .until(event -> event.data().contains("\"i\":5}")
                                || event.data().contains("\"i\":6}")));
            }
            List<UUID> queued = new ArrayList<>();
            TestClient submitter = own.client();
            for (int i = 0; i < 12; i++) {
                UUID id = UUID.randomUUID();
                queued.add(id);
                submitter.submit(EngineDouble.task(id, prompt, i, 5, ""));
            }
            doomed.kill();
            for (int i = 0; i < slots; i++) {
                TestClient.Stream stream = running.get(i).toEnd();
                List<String> tokens = EngineDouble.tokens(stream);
                assertThat(stream.last().event()).isEqualTo("error");
                assertThat(stream.last().data()).contains("\"code\":\"WORKER_RESET\"", "\"retriable\":true");
                assertThat(tokens).hasSizeGreaterThan(5);
                assertThat(tokens).isEqualTo(EngineDouble.tokens(prompt, i, tokens.size()));
                clients.get(i).close();
            }
            own.await(() -> slots(own) == 0);
            try (LlamaServerDoubleProcess again =
                    LlamaServerDoubleProcess.start("--slots=" + slots, "--port=" + doomed.port())) {
                own.await(() -> slots(own) == slots);
                for (UUID id : queued) { // each ran into the dead engine, or waited for the new one
                    TestClient.Stream stream = submitter.stream(id).toEnd();
                    assertThat(stream.complete()).isTrue();
                    assertThat(stream.of("end").size() + stream.of("error").size())
                            .isEqualTo(1);
                }
                UUID after = UUID.randomUUID();
                submitter.submit(EngineDouble.task(after, "after", 1, 20, ""));
                assertThat(EngineDouble.tokens(submitter.stream(after).toEnd()))
                        .isEqualTo(EngineDouble.tokens("after", 1, 20));
                own.awaitQuiet();
                own.await(() -> EngineDouble.idle(again.port()));
            }
            submitter.close();
        } finally {
            doomed.close();
        }
    }

    private static int slots(DaemonHarness daemon) {
        return daemon.daemon().tasks().ring().snapshot().pools().get(0).slots();
    }
}
