package io.llamaorch.orchestratord.server.it;

import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.server.pool.ReplicaView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** A pool whose engines the daemon starts, and what a test asks of their processes. */
final class ProcessPool {
    /** Model of the pool as it is configured. */
    static final String MODEL = "test/one";

    /** Below what the kernel gives to clients; each JVM of tests begins elsewhere. */
    private static final int FIRST_PORT =
            20_000 + (int) (ProcessHandle.current().pid() % 400) * 20;

    private ProcessPool() {}

    /** A configuration with one pool of doubles; {@code replicas} of two slots each. */
    static String doubles(Path folder, int replicas, String more) {
        List<String> command = new ArrayList<>(List.of(
                java(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "io.llamaorch.orchestratord.adapters.testing.EngineDouble",
                "--port={port}",
                "--slots={slots}",
                "--ctx={ctx}",
                "--model={model}"));
        return yaml(folder, command, replicas, MODEL, more);
    }

    /** A configuration with one pool of engines that are started so; {@code more} are lines of the pool. */
    static String yaml(Path folder, List<String> command, int replicas, String model, String more) {
        StringBuilder text = new StringBuilder(
                """
                listen: 127.0.0.1:0
                state_dir: %s
                processes: {first_port: %d, last_port: %d}
                pools:
                  - id: default
                    engine: llamacpp
                    model: %s
                    ctx: 4096
                    provisioning: process
                    command:
                """
                        .formatted(folder.resolve("state"), FIRST_PORT, FIRST_PORT + 19, model));
        command.forEach(word -> text.append("      - '").append(word).append("'\n"));
        more.lines().forEach(line -> text.append("    ").append(line).append('\n'));
        text.append("    replicas:\n");
        for (int i = 0; i < replicas; i++) {
            text.append("      - {id: r").append(i).append(", slots: 2}\n");
        }
        return text.toString();
    }

    /** The JDK that the tests run on. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    static ReplicaView view(DaemonHarness daemon, int replica) {
        return daemon.daemon().tasks().watches().view(0, replica);
    }

    static boolean isReady(DaemonHarness daemon, int replica) {
        return view(daemon, replica).state() == ReplicaStatus.State.READY;
    }

    /** Where a replica's engine listens. */
    static int enginePort(DaemonHarness daemon, int replica) {
        return daemon.daemon()
                .tasks()
                .pools()
                .replica(0, replica)
                .target()
                .url()
                .getPort();
    }

    /** Engines with that argument and {@code TEST_FOLDER} in their environment. */
    static List<Long> engines(Path folder, String argument) {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.filter(entry -> isEngine(entry, folder, argument))
                    .map(entry -> Long.valueOf(entry.getFileName().toString()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isEngine(Path entry, Path folder, String argument) {
        if (!Character.isDigit(entry.getFileName().toString().charAt(0))) {
            return false;
        }
        try {
            List<String> words =
                    List.of(Files.readString(entry.resolve("cmdline")).split("\0", -1));
            String environment = Files.readString(entry.resolve("environ"), StandardCharsets.ISO_8859_1);
            return words.get(0).endsWith("java")
                    && words.contains(argument)
                    && environment.contains("TEST_FOLDER=" + folder + "\0");
        } catch (IOException e) {
            return false; // gone, or not ours
        }
    }

    /** Sends a signal to a process. */
    static void signal(String name, long pid) {
        try {
            int status = new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new AssertionError("kill -" + name + " " + pid + ": " + status);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A task for a model of the pool. */
    static String task(UUID id, String model, String prompt, long seed, int tokens, String more) {
        return EngineDouble.task(id, prompt, seed, tokens, more).replace(DaemonHarness.MODEL, model);
    }
}
