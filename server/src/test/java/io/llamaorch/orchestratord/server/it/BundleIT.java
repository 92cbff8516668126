package io.llamaorch.orchestratord.server.it;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.cli.Main;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** {@code orchestratord bundle}: all that helps, and no secrets. */
@NullUnmarked
class BundleIT {
    private static final String PROMPT = "PROMPTMARKER-b0d1 secret words";

    @TempDir
    Path folder;

    private static Map<String, String> unpack(Path archive) throws IOException {
        byte[] tar;
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(archive)))) {
            tar = in.readAllBytes();
        }
        Map<String, String> files = new TreeMap<>();
        for (int at = 0; tar[at] != 0; ) {
            String name = new String(tar, at, 100, US_ASCII).replaceAll("\0.*", "");
            int size = Integer.parseInt(new String(tar, at + 124, 11, US_ASCII), 8);
            files.put(name, new String(tar, at + 512, size, UTF_8));
            at += 512 + (size + 511) / 512 * 512;
        }
        return files;
    }

    private int run(Path out, List<String> more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "bundle",
                "--out",
                out.toString()));
        command.addAll(more);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("bundle.out").toFile())
                .start()
                .waitFor();
    }

    @Test
    void shouldGatherWhatHelpsWithoutPromptsAndKeys() throws Exception {
        UUID id = UUID.randomUUID();
        Path out = folder.resolve("bundle.tar.gz");
        Path log = folder.resolve("daemon.log");
        Path key = Files.writeString(folder.resolve("key"), Keys.OPS + "\n");
        try (DaemonProcess daemon = DaemonProcess.serve(folder, Keys.yaml(0, "tokens_per_s=50", 1));
                TestClient ann = daemon.client().with("X-API-Key", Keys.ANN)) {
            ann.submit(TestClient.task(id, "mock", PROMPT, 900, ",\"detached\":true"));
            daemon.awaitLine(line -> line.contains("\"event\":\"stream_start\""));
            Files.write(log, daemon.lines());
            List<String> arguments = List.of(
                    "--url", "http://127.0.0.1:" + daemon.port(),
                    "--key-file", key.toString(),
                    "--config", folder.resolve("daemon.yaml").toString(),
                    "--log", log.toString());
            assertThat(run(out, arguments))
                    .as(Files.readString(folder.resolve("bundle.out")))
                    .isZero();
            assertThat(run(out, arguments)).isEqualTo(2); // is there already
            assertThat(run(folder.resolve("without.tar.gz"), arguments.subList(0, 2)))
                    .isZero();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(out)))
                .isEqualTo("rw-------");
        Map<String, String> files = unpack(out);
        assertThat(files.keySet())
                .containsExactlyInAnyOrder(
                        "orchestratord-bundle/README.txt",
                        "orchestratord-bundle/capabilities.json",
                        "orchestratord-bundle/config.txt",
                        "orchestratord-bundle/log-level.json",
                        "orchestratord-bundle/log.jsonl",
                        "orchestratord-bundle/metrics.txt",
                        "orchestratord-bundle/readyz.json",
                        "orchestratord-bundle/state.json",
                        "orchestratord-bundle/versions.txt");
        assertThat(new JsonMapper()
                        .readTree(files.get("orchestratord-bundle/state.json"))
                        .at("/tasks/oldest/0/task_id")
                        .asString())
                .isEqualTo(id.toString());
        assertThat(files.get("orchestratord-bundle/metrics.txt")).contains("tasks_enqueued_total");
        assertThat(files.get("orchestratord-bundle/versions.txt")).contains("orchestratord ", "java ");
        assertThat(files.get("orchestratord-bundle/log.jsonl")).contains("\"event\":\"stream_start\"");
        assertThat(files.get("orchestratord-bundle/config.txt"))
                .contains("pools.0.model: ", "auth.keys.0.sha256: (hidden)")
                .doesNotContainPattern("[0-9a-f]{64}");
        assertThat(String.join("\n", files.values())).doesNotContain("PROMPTMARKER", "KEYMARKER");

        Map<String, String> without = unpack(folder.resolve("without.tar.gz"));
        assertThat(without.get("orchestratord-bundle/README.txt"))
                .contains("/v1/admin/state was answered with 401: give a key of scope control");
        assertThat(without.get("orchestratord-bundle/metrics.txt")).contains("tasks_enqueued_total");
    }

    @Test
    void shouldSayThatTheDaemonCannotBeReachedAndGatherTheRest() throws Exception {
        Path out = folder.resolve("bundle.tar.gz");
        assertThat(run(out, List.of("--url", "http://127.0.0.1:1"))).isEqualTo(1);
        assertThat(unpack(out)).containsKey("orchestratord-bundle/versions.txt");
        assertThat(Files.readString(folder.resolve("bundle.out"))).contains("/metrics could not be asked");
    }
}
