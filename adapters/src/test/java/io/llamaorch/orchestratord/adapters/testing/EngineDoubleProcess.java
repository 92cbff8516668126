package io.llamaorch.orchestratord.adapters.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A {@link EngineDouble} in a process of its own, on this process's class path and JDK. Ends with {@link #close}. */
public class EngineDoubleProcess implements AutoCloseable {
    private final Process process;
    private final int port;

    EngineDoubleProcess(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Starts one; {@code args} as {@link EngineDouble} reads them, such as {@code --engine=vllm} and
     * {@code --slots=2}. */
    public static EngineDoubleProcess start(String... args) throws IOException {
        Process process = launch(args);
        return new EngineDoubleProcess(process, port(process));
    }

    static Process launch(String... args) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                EngineDouble.class.getName()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    static int port(Process process) throws IOException {
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        if (line == null || !line.startsWith("PORT ")) {
            process.destroyForcibly();
            throw new IOException("the double said: " + line);
        }
        return Integer.parseInt(line.substring(5));
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /** Its base URL. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** Body of {@code GET /__stats}. */
    public String stats() throws IOException, InterruptedException {
        return call(HttpRequest.newBuilder(url().resolve("/__stats")).build());
    }

    /** Sets knobs, given as a JSON object. */
    public void control(String json) throws IOException, InterruptedException {
        call(HttpRequest.newBuilder(url().resolve("/__control"))
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build());
    }

    /** Kills it, as a crash would. */
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        kill();
    }

    private static String call(HttpRequest request) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
        }
    }
}
