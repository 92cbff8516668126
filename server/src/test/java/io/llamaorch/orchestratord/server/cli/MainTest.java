package io.llamaorch.orchestratord.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
    private static final String GOOD =
            """
            pools:
              - {id: p, engine: mock, model: m, ctx: 16, replicas: [{id: r, url: "mock:"}]}
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private String file = "";

    @BeforeEach
    void writeFile() throws IOException {
        Path path = folder.resolve("o.yaml");
        Files.writeString(path, GOOD);
        file = path.toString();
    }

    private int run(String... args) {
        return Main.run(args, new PrintWriter(out, true), new PrintWriter(err, true));
    }

    @Test
    void shouldExitZeroWhenTheConfigurationIsFine() {
        assertThat(run("check", "--config", file)).isZero();
        assertThat(out.toString()).contains("o.yaml: ok, 1 warning");
    }

    @Test
    void shouldExitOneWhenTheConfigurationHasErrors() {
        assertThat(run("check", "--config", file, "--set", "pools.0.ctx=0")).isEqualTo(1);
        assertThat(out.toString()).contains("error: --set pools.0.ctx: pools.0.ctx: 0 is below the least, 1");
        assertThat(run("serve", "--config", file, "--set", "lisen=1")).isEqualTo(2);
        assertThat(err.toString()).contains("did you mean \"listen\"?").contains("not started: 1 error");
    }

    @Test
    void shouldNameAnEngineProgramThatIsMissing() throws IOException {
        Files.writeString(
                Path.of(file),
                """
                pools:
                  - id: p
                    engine: llamacpp
                    model: test/m
                    ctx: 16
                    provisioning: process
                    command: [bin/engine, "{port}"]
                    replicas: [{id: r}]
                """);
        assertThat(run("check", "--config", file)).isEqualTo(1);
        assertThat(out.toString())
                .contains(
                        "o.yaml:7:", "pools.0.command: the engine's program " + folder + "/bin/engine does not exist");
    }

    @Test
    void shouldExitTwoWhenUsageIsWrongOrTheFileCannotBeRead() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("chek")).isEqualTo(2);
        assertThat(run("check")).isEqualTo(2);
        assertThat(run("serve")).isEqualTo(2);
        assertThat(run("serve", "--config", folder.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there is no such file");
        assertThat(run("check", "--config", folder.toString())).isEqualTo(2);
    }

    @Test
    void shouldPrintSourcesAsJsonWhenAsked() throws IOException {
        assertThat(run("check", "--json", "--config", file, "--set", "listen=127.0.0.1:0"))
                .isZero();
        try (JsonParser json = new JsonFactory().createParser(out.toString())) {
            json.nextToken();
            json.skipChildren();
        }
        assertThat(out.toString())
                .contains("\"ok\" : true")
                .contains("\"path\" : \"listen\",\n    \"value\" : \"127.0.0.1:0\",\n    \"layer\" : \"set\"");
    }

    @Test
    void shouldPrintValuesWithTheirOriginAndWithoutSecrets() throws IOException {
        String digest = "ab".repeat(32);
        Files.writeString(
                Path.of(file),
                """
                auth: {keys: [{name: ops, sha256: "%s"}]}
                pools:
                  - id: p
                    engine: llamacpp
                    model: m
                    ctx: 16
                    provisioning: process
                    command: [/bin/true, --port, "{port}", --api-key, KEYMARKER-1, --hf-token=KEYMARKER-2]
                    env: {HF_TOKEN: KEYMARKER-3}
                    replicas: [{id: r}]
                """
                        .formatted(digest));
        assertThat(run("config", "print", "--origin", "--config", file, "--set", "log.level=warn"))
                .isZero();
        assertThat(out.toString())
                .contains("pools.0.ctx: 16  # " + file + ":6:10\n")
                .contains("log.level: warn  # --set log.level\n")
                .contains("listen: 127.0.0.1:8080  # default\n")
                .contains("auth.keys.0.sha256: (hidden)")
                .contains("--api-key, (hidden), --hf-token=(hidden)]")
                .doesNotContain("KEYMARKER", digest);
        assertThat(run("config", "print", "--config", file, "--set", "pools.0.ctx=x"))
                .isEqualTo(1);
    }

    @Test
    void shouldExplainAKey() {
        assertThat(run("config", "explain", "pools.0.queue.full_policy")).isZero();
        assertThat(out.toString())
                .contains("one of reject, drop-lru, shed-low-priority", "default reject")
                .contains("set by ORCHESTRATORD_POOLS_0_QUEUE_FULL_POLICY=… or --set pools.0.queue.full_policy=…");
        assertThat(run("config", "explain", "log", "--config", file, "--set", "log.level=warn"))
                .isZero();
        assertThat(out.toString())
                .contains("holds level, format, ring_size, access")
                .contains("log.level is warn (--set log.level)", "log.ring_size is 8192 (default)");
        assertThat(run("config", "explain", "log.lewel")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no key log.lewel; did you mean log.level?");
        assertThat(run("config", "explain", "pools.x.ctx")).isEqualTo(1);
        assertThat(run("config")).isEqualTo(2);
    }

    @Test
    void shouldAskTheEnginesWhenToldToConnect() throws IOException {
        assertThat(run("check", "--connect", "--config", file)).isZero();
        assertThat(out.toString()).contains("p/r: ready, version ");
        Files.writeString(
                Path.of(file),
                "pools: [{id: p, engine: llamacpp, model: m, ctx: 16, replicas: [{id: r, url: \"http://127.0.0.1:"
                        + portWithNobody() + "\"}]}]\n");
        assertThat(run("check", "--config", file)).isZero();
        assertThat(run("check", "--connect", "--config", file)).isEqualTo(1);
        assertThat(out.toString()).contains("o.yaml:1:", "pools.0.replicas.0.url: the engine is not there: ");
        out.getBuffer().setLength(0);
        assertThat(run("check", "--connect", "--json", "--config", file)).isEqualTo(1);
        assertThat(out.toString())
                .contains("\"ok\" : false", "\"pool_id\" : \"p\"", "\"state\" : \"down\"", "\"last_error\" : ");
    }

    private static int portWithNobody() throws IOException {
        try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return gone.getLocalPort();
        }
    }

    @Test
    void shouldPrintVersions() {
        assertThat(run("version")).isZero();
        assertThat(out.toString())
                .contains("orchestratord 0.")
                .contains("java 25")
                .contains("netty 4.2");
    }

    @Test
    void shouldReadServeByHandOnlyWhenItIsPlain() {
        assertThat(Main.ServeArguments.parse(new String[] {"serve", "--set=a=1", "--config", "f", "--set", "b=2"}))
                .isEqualTo(new Main.ServeArguments("f", java.util.List.of("a=1", "b=2")));
        assertThat(Main.ServeArguments.parse(new String[] {"serve", "--config"}))
                .isNull();
        assertThat(Main.ServeArguments.parse(new String[] {"serve", "--help", "x"}))
                .isNull();
        assertThat(Main.ServeArguments.parse(new String[] {"serve", "--config", "a", "--config", "b"}))
                .isNull();
        assertThat(Main.ServeArguments.parse(new String[] {"check", "--config", "a"}))
                .isNull();
        assertThat(Main.ServeArguments.parse(new String[] {"serve", "--set", "a=b"}))
                .isNull();
    }
}
