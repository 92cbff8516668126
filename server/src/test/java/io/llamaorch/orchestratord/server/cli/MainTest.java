package io.llamaorch.orchestratord.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
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
