package io.llamaorch.orchestratord.bench.report;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The processes of a report. Each is ended by its id: when it is no longer needed, when the report ends or is interrupted,
 * and, where {@code setpriv} exists, by the kernel when the report is killed. They are asked first, and killed when that
 * takes longer than {@value #STOP_SECONDS} s: a daemon that drains tasks of an engine that never answers would wait long.
 *
 * <p>Started from the main thread only: the kernel's signal comes when the thread that started a process ends.
 */
final class Children implements AutoCloseable {
    private static final long STOP_SECONDS = 2;
    private static final Path SETPRIV = Path.of("/usr/bin/setpriv");

    private final Path logs;
    private final Deque<Process> processes = new ArrayDeque<>();

    /** @param logs folder for what the processes print */
    Children(Path logs) {
        this.logs = logs;
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "children-stop"));
    }

    /** Starts a process; what it prints goes to {@code NAME.log}. */
    Process start(String name, List<String> command, Map<String, String> environment) throws IOException {
        File log = logs.resolve(name + ".log").toFile();
        return start(
                new ProcessBuilder().redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log)),
                command,
                environment);
    }

    /** Starts a process whose standard output is read by the caller; its errors go to {@code NAME.log}. */
    Process startPiped(String name, List<String> command) throws IOException {
        File log = logs.resolve(name + ".log").toFile();
        return start(new ProcessBuilder().redirectError(ProcessBuilder.Redirect.appendTo(log)), command, Map.of());
    }

    private synchronized Process start(ProcessBuilder builder, List<String> command, Map<String, String> environment)
            throws IOException {
        List<String> whole = new ArrayList<>();
        if (Files.isExecutable(SETPRIV)) {
            whole.addAll(List.of(SETPRIV.toString(), "--pdeathsig", "TERM", "--"));
        }
        whole.addAll(command);
        builder.command(whole).environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        processes.push(process);
        return process;
    }

    /** Ends one process and what it started. */
    synchronized void stop(Process process) {
        processes.remove(process);
        end(process);
    }

    @Override
    public synchronized void close() {
        while (!processes.isEmpty()) {
            end(processes.pop());
        }
    }

    private static void end(Process process) {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroy();
        try {
            process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    /** A port of the loopback address that was free a moment ago. */
    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Waits until a process accepts connections. */
    static void awaitListening(String name, Process process, int port, double seconds)
            throws IOException, InterruptedException {
        long deadlineNs = System.nanoTime() + (long) (seconds * 1e9);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                return;
            } catch (IOException notYet) {
                if (!process.isAlive() || System.nanoTime() - deadlineNs > 0) {
                    throw new IOException(
                            name + " does not listen on port " + port
                                    + (process.isAlive() ? " yet" : ": it ended with status " + process.exitValue()),
                            notYet);
                }
            }
            Thread.sleep(20);
        }
    }
}
