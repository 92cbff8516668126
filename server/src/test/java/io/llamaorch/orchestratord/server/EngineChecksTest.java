package io.llamaorch.orchestratord.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.Problem;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EngineChecksTest {
    private static final String POOL =
            """
            pools:
              - id: p
                engine: tgi
                model: hf:org/repo
                ctx: 4096
                options: {metrics_url: "http://10.1.2.3:9000/metrics"}
                replicas: [{id: r0, url: "http://engine.example:8000", slots: 4}]
            """;

    private static List<String> errors(String text) {
        return EngineChecks.checked(ConfigLoader.parse(text, "/etc/o/a.yaml", Map.of(), List.of())).errors().stream()
                .map(Problem::toString)
                .toList();
    }

    @Test
    void shouldAllowWhatThePoolsNameWhenNothingIsListed() {
        assertThat(errors(POOL)).isEmpty();
    }

    @Test
    void shouldRefuseEngineAndMetricsThatAListLeavesOut() {
        assertThat(errors("outbound: {allow: [\"10.0.0.0/8\"]}\n" + POOL.replace("engine.example", "192.0.2.1")))
                .singleElement()
                .asString()
                .startsWith("/etc/o/a.yaml:8:")
                .contains("pools.0.replicas.0.url")
                .contains("does not allow host '192.0.2.1'");
        assertThat(errors("outbound: {allow: [engine.example]}\n" + POOL))
                .singleElement()
                .asString()
                .contains("metrics_url: the outbound policy does not allow host '10.1.2.3'");
        assertThat(errors("outbound: {allow: [\"*.example\", 10.1.2.3], schemes: [https]}\n" + POOL))
                .singleElement()
                .asString()
                .contains("does not allow scheme 'http'");
        assertThat(errors("outbound: {allow: [\"*.example\", 10.1.2.3]}\n" + POOL))
                .isEmpty();
    }

    @Test
    void shouldSayWhichEntryMeansNothing() {
        assertThat(errors("outbound: {allow: [\"10.0.0.0/40\"]}\n" + POOL))
                .singleElement()
                .asString()
                .startsWith("/etc/o/a.yaml:1:")
                .contains("outbound.allow")
                .contains("a prefix has 0 to 32 bits");
    }
}
