package io.llamaorch.orchestratord.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code orchestratord bundle}: what somebody who helps needs to see, in one file, without secrets.
 *
 * <p>Prompts and keys are in none of its parts: the daemon does not tell them, its log does not hold them, and values of a
 * configuration that are secrets are hidden.
 */
@Command(
        name = "bundle",
        description =
                "Gathers state, metrics, versions, configuration and the end of a log in one .tar.gz, without secrets.",
        mixinStandardHelpOptions = true)
final class BundleCommand implements Callable<Integer> {
    private static final int TIMEOUT_MS = 10_000;
    private static final int BODY_BYTES_MAX = 16 << 20;
    private static final int LOG_BYTES_MAX = 1 << 20;
    private static final String KEY_VARIABLE = "ORCHESTRATORD_KEY";

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080",
            description = "The daemon (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init")
    private String url;

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = "File with a key of scope control; else the variable " + KEY_VARIABLE + ".")
    private @Nullable Path keyFile;

    @Option(names = "--config", paramLabel = "FILE", description = "Configuration to put in, its secrets hidden.")
    private @Nullable String config;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "As given to serve. May be given again.")
    private List<String> sets = new ArrayList<>();

    @Option(names = "--log", paramLabel = "FILE", description = "Log whose end (1 MiB) is put in.")
    private @Nullable Path log;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The .tar.gz to write; not there yet.")
    @SuppressWarnings("NullAway.Init")
    private Path out;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        if (Files.exists(out)) {
            err.println("orchestratord: " + out + " is there already; name another file.");
            return ServeCommand.UNUSABLE;
        }
        String base = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
        List<String> problems = new ArrayList<>();
        Map<String, byte[]> files = new LinkedHashMap<>();
        String key;
        try {
            key = key();
        } catch (IOException e) {
            err.println("orchestratord: cannot read " + keyFile + ": " + ConfigLoader.reason(e));
            return ServeCommand.UNUSABLE;
        }
        ask(files, problems, base, key, "/v1/admin/state", "state.json");
        ask(files, problems, base, key, "/metrics", "metrics.txt");
        ask(files, problems, base, key, "/v1/capabilities", "capabilities.json");
        ask(files, problems, base, key, "/readyz?verbose", "readyz.json");
        ask(files, problems, base, key, "/v1/admin/log-level", "log-level.json");
        boolean reached = !files.isEmpty();
        files.put("versions.txt", (String.join("\n", new BuildInfo().getVersion()) + "\n" + host()).getBytes(UTF_8));
        if (config != null) {
            files.put("config.txt", configuration(config, problems));
        }
        if (log != null) {
            addLog(files, problems, log);
        }
        String about = "Made at " + Instant.now() + " of " + base + "\n"
                + (problems.isEmpty() ? "" : String.join("\n", problems) + "\n");
        files.put("README.txt", about.getBytes(UTF_8));
        TarGz.write(out, "orchestratord-bundle", files);
        problems.forEach(problem -> err.println("orchestratord: " + problem));
        spec.commandLine().getOut().println(out + ": " + files.size() + " files");
        return reached ? 0 : ServeCommand.FAILED;
    }

    private @Nullable String key() throws IOException {
        return keyFile == null
                ? System.getenv(KEY_VARIABLE)
                : Files.readString(keyFile).strip();
    }

    private static void ask(
            Map<String, byte[]> files,
            List<String> problems,
            String base,
            @Nullable String key,
            String path,
            String name) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) new URI(base + path).toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MS);
            connection.setReadTimeout(TIMEOUT_MS);
            connection.setInstanceFollowRedirects(false); // the key is for this daemon
            if (key != null) {
                connection.setRequestProperty("X-API-Key", key);
            }
            int status = connection.getResponseCode();
            InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            byte[] bytes = new byte[0];
            if (body != null) {
                try (body) {
                    bytes = body.readNBytes(BODY_BYTES_MAX);
                }
            }
            if (status != 200) {
                problems.add(path + " was answered with " + status
                        + (status == 401 || status == 403 ? ": give a key of scope control (--key-file)" : ""));
            }
            files.put(name, bytes);
        } catch (IOException | URISyntaxException | IllegalArgumentException | ClassCastException e) {
            problems.add(path + " could not be asked: " + e.getMessage());
        }
    }

    private byte[] configuration(String file, List<String> problems) {
        ConfigLoader.Loaded loaded =
                ServeCommand.load(file, sets, spec.commandLine().getErr());
        if (loaded == null) {
            problems.add(file + " could not be read");
            return new byte[0];
        }
        List<String> lines = new ArrayList<>(ConfigCommand.lines(loaded, true));
        for (Problem problem : loaded.errors()) {
            lines.add("# error: " + problem);
        }
        for (Problem problem : loaded.warnings()) {
            lines.add("# warning: " + problem);
        }
        return (String.join("\n", lines) + "\n").getBytes(UTF_8);
    }

    /** The end of the log, from the start of a line. */
    private static void addLog(Map<String, byte[]> files, List<String> problems, Path log) {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            long from = Math.max(0, file.length() - LOG_BYTES_MAX);
            file.seek(from);
            byte[] bytes = new byte[(int) (file.length() - from)];
            file.readFully(bytes);
            int start = 0;
            while (from > 0 && start < bytes.length && bytes[start++] != '\n') {
                // to the first whole line
            }
            files.put("log.jsonl", Arrays.copyOfRange(bytes, start, bytes.length));
        } catch (IOException e) {
            problems.add(log + " could not be read: " + ConfigLoader.reason(e));
        }
    }

    private static String host() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch") + ", " + Runtime.getRuntime().availableProcessors() + " processors\n";
    }
}
