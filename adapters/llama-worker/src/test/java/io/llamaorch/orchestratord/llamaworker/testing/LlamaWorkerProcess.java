package io.llamaorch.orchestratord.llamaworker.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The worker in a process of its own, on this process's class path (which needs this module's jar and its test jar) and
 * JDK. Its standard error is this process's. Ends with {@link #close}.
 */
public final class LlamaWorkerProcess implements AutoCloseable {
    private static final String MAIN = "io.llamaorch.orchestratord.llamaworker.Main";
    private static final String LISTENING = "listening on ";

    private final Process process;
    private final BufferedReader out;
    private final int port;

    private LlamaWorkerProcess(Process process, BufferedReader out, int port) {
        this.process = process;
        this.out = out;
        this.port = port;
    }

    /** Starts one that serves {@code model} and waits until it is loaded; {@code args} are further ones. */
    public static LlamaWorkerProcess start(Path model, String... args) throws IOException {
        List<String> all = new ArrayList<>(List.of("--model", model.toString(), "--port", "0", "--threads", "1"));
        all.addAll(List.of(args));
        Process process =
                command(all).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        String next = line == null ? null : out.readLine();
        if (line == null || !line.startsWith(LISTENING) || !"ready".equals(next)) {
            process.destroyForcibly();
            throw new IOException("the worker said: " + line + ", " + next);
        }
        int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
        return new LlamaWorkerProcess(process, out, port);
    }

    /** What starts a worker with exactly these arguments, for a test of how it ends. */
    public static ProcessBuilder command(List<String> args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=deny",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                MAIN));
        command.addAll(args);
        return new ProcessBuilder(command);
    }

    /** Its base URL. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** Kills it, as a crash would. */
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Asks it to end (SIGTERM) and waits; answers its exit code. */
    public int terminate() {
        process.destroy();
        return process.onExit().join().exitValue();
    }

    @Override
    public void close() throws IOException {
        kill();
        out.close();
    }
}
