package io.llamaorch.orchestratord.server.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The daemon as a process of its own, by its real entry point; what it writes to standard error is kept. */
final class DaemonProcess implements AutoCloseable {
    private static final long PATIENCE_S = 60;
    private static final Pattern ADDRESS = Pattern.compile("\"address\":\"[^\"]*:(\\d+)\"");

    private final Process process;
    private final Thread reader;
    private final List<String> lines = new ArrayList<>(); // guarded by itself
    private boolean ended; // guarded by lines
    private int port;

    private DaemonProcess(Process process) {
        this.process = process;
        this.reader = new Thread(this::read, "stderr of the daemon");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts one and waits until it listens and a pool is ready. */
    static DaemonProcess serve(Path folder, String yaml, String... sets) {
        DaemonProcess daemon = start(folder, yaml, sets);
        try {
            String listening = daemon.awaitLine(line -> line.contains("\"event\":\"daemon_listening\""));
            Matcher address = ADDRESS.matcher(listening);
            if (!address.find()) {
                throw new AssertionError("no address in " + listening);
            }
            daemon.port = Integer.parseInt(address.group(1));
            daemon.awaitLine(line -> line.contains("\"to\":\"ready\""));
            return daemon;
        } catch (AssertionError e) {
            daemon.close(); // nobody else knows of it
            throw e;
        }
    }

    /** Starts one and waits for nothing. */
    static DaemonProcess start(Path folder, String yaml, String... sets) {
        try {
            Path file = Files.writeString(folder.resolve("daemon.yaml"), yaml);
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=deny",
                    "-Dlog4j2.contextSelector=org.apache.logging.log4j.core.async.AsyncLoggerContextSelector",
                    "-cp",
                    System.getProperty("java.class.path"),
                    "io.llamaorch.orchestratord.server.cli.Main",
                    "serve",
                    "--config",
                    file.toString()));
            command.addAll(List.of("--set", "state_dir=" + folder.resolve("state")));
            for (String set : sets) {
                command.add("--set");
                command.add(set);
            }
            return new DaemonProcess(new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void read() {
        try (BufferedReader in = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                    lines.notifyAll();
                }
            }
        } catch (IOException e) {
            // the process is gone
        }
        synchronized (lines) {
            ended = true;
            lines.notifyAll();
        }
    }

    int port() {
        return port;
    }

    TestClient client() {
        return new TestClient(port);
    }

    /** What it wrote so far. */
    List<String> lines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /** Waits for a line; fails where the process ends without it. */
    String awaitLine(Predicate<String> wanted) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        synchronized (lines) {
            while (true) {
                String found = lines.stream().filter(wanted).findFirst().orElse(null);
                if (found != null) {
                    return found;
                }
                long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                if (ended || leftMs <= 0) {
                    throw new AssertionError("no such line in " + String.join("\n", lines));
                }
                try {
                    lines.wait(leftMs);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    /** Sends a signal, such as {@code TERM}. */
    void signal(String name) {
        try {
            int status = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new AssertionError("kill -" + name + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits for the end; the exit status, null where it does not end in a minute. */
    @Nullable
    Integer exit() {
        try {
            if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
                return null;
            }
            reader.join(TimeUnit.SECONDS.toMillis(PATIENCE_S));
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
