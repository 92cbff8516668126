package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The same request gives the same token events, byte for byte: every time, at every replica, in every daemon, on every loop. */
@Tag("determinism")
@NullUnmarked
class DeterminismIT {
    private static final int SEEDS = 64;
    private static final int TOKENS = 48;
    private static final String PROMPT = "the same \\u00e9 again";
    private static final Pattern REPLICA = Pattern.compile("\"replica_id\":\"([a-z0-9]+)\"");

    private static LlamaServerDoubleProcess first;
    private static LlamaServerDoubleProcess second;

    @BeforeAll
    static void start() throws IOException {
        first = LlamaServerDoubleProcess.start("--slots=4");
        second = LlamaServerDoubleProcess.start("--slots=4");
    }

    @AfterAll
    static void stop() {
        first.close();
        second.close();
        LeakRecorder.assertNone();
    }

    @Test
    void shouldRepeatEveryTokenOfTheMockWhenSeedsAreTheSame() {
        checkEverywhere("mock", "mock:?tokens_per_s=5000", "mock:?tokens_per_s=5000&ttft_ms=1", null);
    }

    @Test
    void shouldRepeatEveryTokenOfTheEngineWhenSeedsAreTheSame() {
        List<List<String>> expected = new ArrayList<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            expected.add(EngineDouble.tokens("the same é again", seed, TOKENS));
        }
        checkEverywhere("llamacpp", "http://127.0.0.1:" + first.port(), "http://127.0.0.1:" + second.port(), expected);
    }

    private static void checkEverywhere(String engine, String url, String otherUrl, List<List<String>> known) {
        List<List<String>> expected = known;
        String two = yaml(engine, url, otherUrl, 1);
        try (DaemonHarness daemon = DaemonHarness.start(two, loop -> loop)) {
            Set<String> replicas = new TreeSet<>();
            List<List<String>> once = run(daemon, engine, replicas);
            expected = expected == null ? once : expected;
            assertThat(once).isEqualTo(expected);
            assertThat(run(daemon, engine, replicas)).as("again").isEqualTo(expected);
            assertThat(replicas).as("both have had their share").hasSize(2);
            daemon.awaitQuiet();
        }
        try (DaemonHarness daemon = DaemonHarness.start(two, loop -> loop)) {
            assertThat(run(daemon, engine, new TreeSet<>()))
                    .as("after a restart")
                    .isEqualTo(expected);
            daemon.awaitQuiet();
        }
        for (int apart = 0; apart < 2; apart++) {
            int shift = apart;
            try (DaemonHarness daemon =
                    DaemonHarness.start(yaml(engine, url, otherUrl, 2), loop -> (loop + shift) % 2)) {
                assertThat(run(daemon, engine, new TreeSet<>()))
                        .as("engine loops %d apart", shift)
                        .isEqualTo(expected);
                daemon.awaitQuiet();
            }
        }
    }

    private static String yaml(String engine, String url, String otherUrl, int loops) {
        return """
                listen: 127.0.0.1:0
                event_loops: %d
                pools:
                  - id: default
                    engine: %s
                    model: %s
                    ctx: 4096
                    replicas: [{id: r0, url: "%s", slots: 2}, {id: r1, url: "%s", slots: 2}]
                """
                .formatted(loops, engine, DaemonHarness.MODEL, url, otherUrl);
    }

    /** Token events of all seeds, run beside each other from several connections, read from yet others. */
    private static List<List<String>> run(DaemonHarness daemon, String engine, Set<String> replicas) {
        List<UUID> ids = new ArrayList<>();
        List<TestClient> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(daemon.client());
        }
        for (int seed = 0; seed < SEEDS; seed++) {
            UUID id = UUID.randomUUID();
            ids.add(id);
            clients.get(seed % 4)
                    .submit(TestClient.task(id, engine, PROMPT, TOKENS, ",\"detached\":true,\"seed\":" + seed));
        }
        List<List<String>> all = new ArrayList<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            TestClient.Stream stream =
                    clients.get((seed / 4) % 4).stream(ids.get(seed)).toEnd();
            assertThat(stream.last().event()).isEqualTo("end");
            Matcher replica = REPLICA.matcher(stream.of("started").get(0).data());
            assertThat(replica.find()).isTrue();
            replicas.add(replica.group(1));
            all.add(EngineDouble.tokens(stream));
        }
        clients.forEach(TestClient::close);
        return all;
    }
}
