package io.llamaorch.orchestratord.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFolderTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path file;

    @BeforeEach
    void writeFiles() throws IOException {
        Files.createDirectory(folder.resolve("conf.d"));
        file = folder.resolve("o.yaml");
        Files.writeString(
                file,
                """
                log: {level: info, format: json}
                outbound: {allow: [a.example, b.example]}
                pools:
                  - {id: first, engine: mock, model: m, ctx: 16, replicas: [{id: r, url: "mock:"}]}
                """);
    }

    private Path more(String name, String text) throws IOException {
        return Files.writeString(folder.resolve("conf.d").resolve(name), text);
    }

    private ConfigLoader.Loaded load(String... sets) throws IOException {
        return ConfigLoader.load(file, Map.of("ORCHESTRATORD_STREAMS_HEARTBEAT_MS", "700"), List.of(sets));
    }

    @Test
    void shouldMergeMappingsAddToListsOfMappingsAndReplaceTheRestInTheOrderOfNames() throws IOException {
        more("20-later.yaml", "log: {level: warn}\noutbound: {allow: [c.example]}\n");
        more(
                "10-pool.yaml",
                """
                log: {level: error}
                pools: [{id: second, engine: mock, model: m2, ctx: 16, replicas: [{id: r, url: "mock:"}]}]
                """);
        Config config = load().orThrow();
        assertThat(config.pools()).extracting(Config.Pool::id).containsExactly("first", "second");
        assertThat(config.log().level()).isEqualTo(Config.LogLevel.WARN);
        assertThat(config.log().format()).isEqualTo(Config.LogFormat.JSON);
        assertThat(config.outbound().allow()).containsExactly("c.example");
    }

    @Test
    void shouldStandBelowTheEnvironmentAndArguments() throws IOException {
        more("a.yaml", "streams: {heartbeat_ms: 500, metrics_period_ms: 500}\nlog: {level: warn}\n");
        Config config = load("log.level=debug").orThrow();
        assertThat(config.streams().heartbeatMs()).isEqualTo(700);
        assertThat(config.streams().metricsPeriodMs()).isEqualTo(500);
        assertThat(config.log().level()).isEqualTo(Config.LogLevel.DEBUG);
    }

    @Test
    void shouldTellTheFileOfEachValueAndProblem() throws IOException {
        Path bad = more("a.yaml", "log: {level: warn}\nlisen: x\n");
        ConfigLoader.Loaded loaded = load();
        assertThat(loaded.errors())
                .singleElement()
                .hasToString(bad + ":2:1: unknown key \"lisen\"; did you mean \"listen\"?");
        assertThat(loaded.effective())
                .filteredOn(value -> value.path().equals("log.level"))
                .singleElement()
                .extracting(value -> value.origin().toString())
                .isEqualTo(bad + ":1:14");
    }

    @Test
    void shouldRefuseTwoPoolsOfOneName() throws IOException {
        more("a.yaml", "pools: [{id: first, engine: mock, model: m2, ctx: 16, replicas: [{id: r, url: \"mock:\"}]}]\n");
        assertThat(load().errors()).isNotEmpty();
    }

    @Test
    void shouldWarnOfFilesThatLookMeantAndLeaveOthersAlone() throws IOException {
        more("a.yml", "log: {level: warn}\n");
        more(".hidden.yaml", "log: {level: warn}\n");
        more("a.yaml.bak", "log: {level: warn}\n");
        more("empty.yaml", "");
        ConfigLoader.Loaded loaded = load();
        assertThat(loaded.orThrow().log().level()).isEqualTo(Config.LogLevel.INFO);
        assertThat(loaded.warnings())
                .filteredOn(warning -> warning.toString().contains("conf.d"))
                .singleElement()
                .asString()
                .contains("a.yml: is not read: name it *.yaml");
    }
}
