package io.llamaorch.orchestratord.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.PoolSpec.FullPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {
    private static final String DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    private static final String CONTRACT =
            """
            listen: 127.0.0.1:8080
            state_dir: ./state            # ledger, artifacts, FORMAT
            auth:
              keys: [{name: ops, sha256: "%s"}]
            pools:
              - id: default
                engine: llamacpp
                model: hf:org/repo/file.gguf
                ctx: 8192
                queue: {capacity: 1024, full_policy: reject}
                replicas: [{id: r0, url: "http://127.0.0.1:9901", slots: 8}]
            """
                    .formatted(DIGEST);

    private static ConfigLoader.Loaded parse(String text, String... sets) {
        return ConfigLoader.parse(text, "/etc/o/a.yaml", Map.of(), List.of(sets));
    }

    private static List<String> errors(String text, String... sets) {
        return parse(text, sets).errors().stream().map(Problem::toString).toList();
    }

    private static Origin origin(ConfigLoader.Loaded loaded, String path) {
        return loaded.effective().stream()
                .filter(value -> value.path().equals(path))
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException(path))
                .origin();
    }

    @Test
    void shouldSayThatTheEngineIsMissingAndNothingOfTheUrlsThatWouldFollowFromIt() {
        String withoutEngine = CONTRACT.replace("    engine: llamacpp\n", "");
        for (String text : List.of(withoutEngine, withoutEngine.replace("http://127.0.0.1:9901", "mock:"))) {
            assertThat(errors(text))
                    .containsExactly(
                            "/etc/o/a.yaml:6:5: pools.0.engine: is missing; must be one of llamacpp, vllm, tgi,"
                                    + " triton, openai, mock");
        }
        assertThat(errors(CONTRACT.replace("llamacpp", "mok").replace("http://127.0.0.1:9901", "mock:")))
                .singleElement(InstanceOfAssertFactories.STRING)
                .contains("pools.0.engine: must be one of", "did you mean \"mock\"?");
    }

    @Test
    void shouldFillDefaultsWhenOnlyTheContractsKeysAreGiven() {
        ConfigLoader.Loaded loaded = parse(CONTRACT);
        assertThat(loaded.errors()).isEmpty();
        assertThat(loaded.warnings()).isEmpty();
        Config config = loaded.orThrow();
        assertThat(config.listen()).isEqualTo(new ListenAddress("127.0.0.1", 8080));
        assertThat(config.stateDir()).isEqualTo(Path.of("/etc/o/state"));
        assertThat(config.auth().keys()).singleElement().satisfies(key -> {
            assertThat(key.name()).isEqualTo("ops");
            assertThat(key.sha256()).isEqualTo(DIGEST);
        });
        Config.Pool pool = config.pools().get(0);
        assertThat(pool.queue()).isEqualTo(new Config.Queue(1024, FullPolicy.REJECT, 16));
        assertThat(pool.spec().replicas()).singleElement().satisfies(r -> assertThat(r.slots())
                .isEqualTo(8));
        assertThat(config.http())
                .isEqualTo(new Config.Http(8192, 8192, 16384, 64, 1 << 20, 75_000, 10_000, 30_000, 65_536, 32, 10_000));
        assertThat(config.streams().disconnectGraceMs().of(Priority.BATCH)).isEqualTo(-1);
        assertThat(config.streams().retainedBytes()).isEqualTo(256L << 20);
        assertThat(config.scheduler().ringSize()).isEqualTo(65_536);
        assertThat(config.eventLoops()).isBetween(1, 8);
        assertThat(config.gpu()).isEqualTo(new Config.Gpu(true, 2000, "libnvidia-ml.so.1", 60_000));
    }

    @Test
    void shouldFindTheGpuLibraryByNameOrFromTheFilesFolder() {
        String gpu = CONTRACT + "gpu: {enabled: false, library: %s}\n";
        assertThat(parse(gpu.formatted("libother.so.2")).orThrow().gpu().library())
                .isEqualTo("libother.so.2");
        assertThat(parse(gpu.formatted("lib/nvml.so")).orThrow().gpu())
                .isEqualTo(new Config.Gpu(false, 2000, "/etc/o/lib/nvml.so", 60_000));
        assertThat(errors(CONTRACT + "gpu: {period_ms: 99, fault_clear_ms: -1}\n"))
                .hasSize(2);
    }

    @Test
    void shouldReportAllProblemsWithPlacesWhenSeveralKeysAreWrong() {
        String text = CONTRACT.replace("capacity: 1024", "capacty: 1024")
                .replace("ctx: 8192", "ctx: many")
                .replace("slots: 8", "slots: 0")
                .replace("full_policy: reject", "full_policy: drop_lru")
                .replace("listen: 127.0.0.1:8080", "lisen: 127.0.0.1:8080");
        assertThat(errors(text))
                .containsExactly(
                        "/etc/o/a.yaml:1:1: unknown key \"lisen\"; did you mean \"listen\"?",
                        "/etc/o/a.yaml:9:10: pools.0.ctx: must be a whole number, not \"many\"",
                        "/etc/o/a.yaml:10:13: pools.0.queue: unknown key \"capacty\"; did you mean \"capacity\"?",
                        "/etc/o/a.yaml:10:41: pools.0.queue.full_policy: must be one of reject, drop-lru,"
                                + " shed-low-priority, not \"drop_lru\"; did you mean \"drop-lru\"?",
                        "/etc/o/a.yaml:11:62: pools.0.replicas.0.slots: 0 is below the least, 1");
    }

    @Test
    void shouldPreferSetToEnvironmentToFileWhenAllGiveAKey() {
        Map<String, String> environment = Map.of(
                "ORCHESTRATORD_LISTEN", "127.0.0.1:1",
                "ORCHESTRATORD_POOLS_0_QUEUE_CAPACITY", "7",
                "ORCHESTRATORD_STREAMS_DISCONNECT_GRACE_MS_BATCH", "5",
                "ORCHESTRATORD_STATE_DIR", "/var/lib/o",
                "ORCHESTRATORD_HEAP", "256m",
                "ORCHESTRATORD_SERVICE_HOST", "10.0.0.1");
        ConfigLoader.Loaded loaded = ConfigLoader.parse(
                CONTRACT, "a.yaml", environment, List.of("listen=127.0.0.1:2", "http.body_bytes=64KiB"));
        Config config = loaded.orThrow();
        assertThat(config.listen().port()).isEqualTo(2);
        assertThat(config.pools().get(0).queue().capacity()).isEqualTo(7);
        assertThat(config.streams().disconnectGraceMs().batch()).isEqualTo(5);
        assertThat(config.stateDir()).isEqualTo(Path.of("/var/lib/o"));
        assertThat(config.http().bodyBytes()).isEqualTo(65_536);
        assertThat(origin(loaded, "listen")).hasToString("--set listen");
        assertThat(origin(loaded, "pools.0.queue.capacity")).hasToString("ORCHESTRATORD_POOLS_0_QUEUE_CAPACITY");
        assertThat(origin(loaded, "pools.0.ctx")).hasToString("a.yaml:9:10");
        assertThat(origin(loaded, "transport")).hasToString("default");
        assertThat(loaded.warnings())
                .singleElement()
                .asString()
                .startsWith("ORCHESTRATORD_SERVICE_HOST: no key has this name");
    }

    @Test
    void shouldBuildListsWhenSetNamesThem() {
        Config config = parse(
                        "",
                        "pools.0.id=a",
                        "pools.0.engine=mock",
                        "pools.0.model=m",
                        "pools.0.ctx=10",
                        "pools.0.replicas=[{id: r0, url: 'mock:'}, {id: r1, url: 'mock:'}]",
                        "pools.0.replicas.1.slots=4")
                .orThrow();
        assertThat(config.pools().get(0).replicas()).hasSize(2);
        assertThat(config.pools().get(0).replicas().get(1).slots()).isEqualTo(4);
    }

    @Test
    void shouldRefuseSetWhenItsPathLeadsNowhere() {
        assertThat(errors(CONTRACT, "nonsense")).singleElement().asString().contains("must be key=value");
        assertThat(errors(CONTRACT, "pools.5.ctx=1")).singleElement().asString().contains("the index must be 0 to 1");
        assertThat(errors(CONTRACT, "pools.x.ctx=1")).singleElement().asString().contains("the index must be 0 to 1");
        assertThat(errors(CONTRACT, "listen.port=1")).singleElement().asString().contains("is a single value");
        assertThat(errors(CONTRACT, "pools.0.quue.capacity=1"))
                .singleElement()
                .asString()
                .isEqualTo("--set pools.0.quue.capacity: pools.0: unknown key \"quue\"; did you mean \"queue\"?");
    }

    @Test
    void shouldRefuseOpenDoorWhenNoKeyIsConfigured() {
        String open = CONTRACT.replaceAll("(?m)^ *keys:.*$", "").replace("auth:", "");
        assertThat(errors(open, "listen=0.0.0.0:8080"))
                .singleElement()
                .asString()
                .contains("--set listen: listen: 0.0.0.0:8080 can be reached from other machines")
                .contains("add auth.keys");
        assertThat(errors(open, "listen=[::]:8080")).hasSize(1);
        assertThat(errors(open, "listen=example.org:8080")).hasSize(1);
        assertThat(errors(open, "listen=[::1]:8080")).isEmpty();
        assertThat(errors(open, "listen=127.8.8.8:0")).isEmpty();
        assertThat(errors(open, "listen=localhost:0")).isEmpty();
        assertThat(errors(CONTRACT, "listen=0.0.0.0:8080")).isEmpty();
    }

    @Test
    void shouldRefuseAddressWhenItIsNotHostAndPort() {
        for (String wrong :
                List.of("8080", "1.2.3.4", "1.2.3.4:x", "1.2.3.4:65536", "1.2.3.400:1", "::1:80", "a b:1")) {
            assertThat(errors(CONTRACT, "listen=" + wrong)).as(wrong).hasSize(1);
        }
    }

    @Test
    void shouldRefuseReplicaUrlWhenItDoesNotFitTheEngine() {
        for (String wrong : List.of(
                "mock:",
                "ftp://h:1",
                "http://",
                "http://h:0",
                "http://h:99999",
                "http://u:p@h:1",
                "http://h:1/?x",
                "h:1",
                "::")) {
            assertThat(errors(CONTRACT, "pools.0.replicas.0.url=" + wrong))
                    .as(wrong)
                    .hasSize(1);
        }
        assertThat(errors(CONTRACT, "pools.0.engine=mock")).hasSize(1);
    }

    @Test
    void shouldRefuseNamesWhenTheyRepeat() {
        String twice = CONTRACT + CONTRACT.substring(CONTRACT.indexOf("  - id"));
        assertThat(errors(twice)).containsExactly("/etc/o/a.yaml:12:9: pools.1.id: \"default\" is already at pools.0");
        assertThat(errors("listen: 127.0.0.1:1\n" + CONTRACT))
                .singleElement()
                .asString()
                .contains("given twice, first at line 1");
    }

    @Test
    void shouldKeepSecretsOutWhenAKeyIsWrongOrTwice() {
        String marker = "hunter2-marker";
        List<String> errors = errors(CONTRACT.replace(DIGEST, marker));
        assertThat(errors)
                .singleElement()
                .asString()
                .contains("64 hexadecimal digits")
                .doesNotContain(marker);
        assertThat(parse(CONTRACT).effective().toString()).doesNotContain(DIGEST);
    }

    @Test
    void shouldReadKeysFromTheirFileWhenOneIsNamed(@TempDir Path folder) throws IOException {
        Files.writeString(
                folder.resolve("keys.yaml"), "- {name: a, sha256: " + DIGEST + ", scopes: [data, control]}\n");
        Path file = folder.resolve("o.yaml");
        Files.writeString(file, CONTRACT.replaceAll("(?m)^ *keys:.*$", "  keys_file: keys.yaml"));
        Config config = ConfigLoader.load(file, Map.of(), List.of()).orThrow();
        assertThat(config.auth().keys().get(0).scopes()).containsExactly(Config.Scope.DATA, Config.Scope.CONTROL);
        Files.writeString(folder.resolve("keys.yaml"), "keys:\n  - name: a\n");
        assertThat(ConfigLoader.load(file, Map.of(), List.of()).errors())
                .singleElement()
                .asString()
                .contains("keys.yaml:2:5: auth.keys.0.sha256: is missing");
        Files.delete(folder.resolve("keys.yaml"));
        assertThat(ConfigLoader.load(file, Map.of(), List.of()).errors())
                .singleElement()
                .asString()
                .contains("there is no such file");
        assertThatThrownBy(() -> ConfigLoader.load(folder.resolve("none.yaml"), Map.of(), List.of()))
                .isInstanceOf(IOException.class);
    }

    @Test
    void shouldSayWhereWhenTheTextIsNotYaml() {
        assertThat(errors("listen: [1\npools: x")).singleElement().asString().startsWith("/etc/o/a.yaml:2:");
        assertThat(errors("- a")).singleElement().asString().contains("must be a mapping");
        assertThat(errors("")).singleElement().asString().contains("pools: needs at least 1 entry");
        assertThat(errors("a: &a [*a]")).isNotEmpty();
        assertThat(errors("[".repeat(5_000))).isNotEmpty();
        assertThat(errors("a: " + "[".repeat(100) + "]".repeat(100))).isNotEmpty();
    }

    @Test
    void shouldTakeSizesWithUnitsAndNothingElse() {
        assertThat(Words.parseBytes("64KiB")).hasValue(65_536);
        assertThat(Words.parseBytes("1 MiB")).hasValue(1 << 20);
        assertThat(Words.parseBytes("2GiB")).hasValue(2L << 30);
        assertThat(Words.parseBytes("12")).hasValue(12);
        for (String wrong : List.of("", "KiB", "1KB", "-1", "1.5MiB", "0x10", "9999999999GiB", "1_000")) {
            assertThat(Words.parseBytes(wrong)).as(wrong).isEmpty();
        }
    }

    private static final String PROCESS =
            """
            pools:
              - id: p
                engine: llamacpp
                model: test/m
                ctx: 16
                provisioning: process
                command: [bin/engine, "{port}"]
                replicas: [{id: r}]
            """;

    private static Config.Provisioning process(String text, String... sets) {
        return Objects.requireNonNull(parse(text, sets).orThrow().pools().get(0).process());
    }

    @Test
    void shouldLookForAProgramBesideTheFileThatNamesIt() {
        assertThat(process(PROCESS).command().arguments()).containsExactly("/etc/o/bin/engine", "{port}");
        Config.Provisioning elsewhere = process(PROCESS, "pools.0.directory=/opt");
        assertThat(elsewhere.command().arguments()).containsExactly("bin/engine", "{port}");
        assertThat(elsewhere.command().directory()).isEqualTo(Path.of("/opt"));
        assertThat(process(PROCESS.replace("bin/engine", "engine")).command().arguments())
                .containsExactly("engine", "{port}");
    }

    @Test
    void shouldPreloadByDefaultWhereTheDaemonStartsTheEngines() {
        assertThat(parse(PROCESS).orThrow().pools().get(0).preload()).isTrue();
        assertThat(parse(PROCESS, "pools.0.preload=false")
                        .orThrow()
                        .pools()
                        .get(0)
                        .preload())
                .isFalse();
        assertThat(parse(CONTRACT).orThrow().pools().get(0).preload()).isFalse();
    }

    @Test
    void shouldHoldTheWaitsBeforeRestartsAgainstEachOther() {
        assertThat(process(PROCESS, "pools.0.process.restart_cap_ms=2000")
                        .restarts()
                        .vramBaseMs())
                .isEqualTo(2_000);
        assertThat(errors(PROCESS, "pools.0.process.restart_cap_ms=2000", "pools.0.process.restart_vram_ms=3000"))
                .singleElement()
                .asString()
                .contains("3000 is above restart_cap_ms, 2000");
        assertThat(errors(PROCESS, "pools.0.process.restart_cap_ms=5"))
                .singleElement()
                .asString()
                .contains("5 is below restart_base_ms, 1000");
    }
}
