package io.llamaorch.orchestratord.server.it;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sockets that a service manager has bound: OPS-45, OPS-46. The manager is a small Perl program. */
@NullUnmarked
class SocketActivationIT {
    private static final int RESTARTS = 3;
    private static final String YAML =
            """
            listen: 127.0.0.1:0
            pools:
              - id: default
                engine: mock
                model: %s
                ctx: 200000
                replicas: [{id: r0, url: "mock:?tokens_per_s=0", slots: 2}]
            """
                    .formatted(DaemonHarness.MODEL);

    @TempDir
    Path folder;

    @BeforeAll
    static void needsPerl() throws InterruptedException {
        boolean perl;
        try {
            perl = new ProcessBuilder("perl", "-MIO::Socket::UNIX", "-e", "1")
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            perl = false;
        }
        Assumptions.assumeTrue(perl, "the service manager of this test is a Perl program, and there is no Perl");
    }

    /** The service manager, and what it and its daemons say. */
    private final class Manager implements AutoCloseable {
        private final Process process;
        private final Writer orders;
        private final List<String> lines = new ArrayList<>(); // guarded by itself

        Manager(Map<String, String> environment, String... sets) {
            try (InputStream script = SocketActivationIT.class.getResourceAsStream("/service/socket-parent.pl")) {
                Path file = folder.resolve("socket-parent.pl");
                Files.write(file, script.readAllBytes());
                List<String> command = new ArrayList<>(List.of("perl", file.toString()));
                command.addAll(DaemonProcess.command(folder, YAML, sets));
                ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
                builder.environment().putAll(environment);
                process = builder.start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            orders = process.outputWriter(UTF_8);
            Thread reader = new Thread(this::read, "manager");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (BufferedReader in = process.inputReader(UTF_8)) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    synchronized (lines) {
                        lines.add(line);
                        lines.notifyAll();
                    }
                }
            } catch (IOException e) {
                // it is gone
            }
        }

        /** Waits until {@code count} lines are as wanted; the last of them. */
        String await(int count, Predicate<String> wanted) {
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            synchronized (lines) {
                while (true) {
                    List<String> found = lines.stream().filter(wanted).toList();
                    if (found.size() >= count) {
                        return found.get(count - 1);
                    }
                    long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                    if (leftMs <= 0) {
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

        int port() {
            return Integer.parseInt(await(1, line -> line.startsWith("port ")).substring(5));
        }

        void restart() {
            try {
                orders.write('\n');
                orders.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        String all() {
            synchronized (lines) {
                return String.join("\n", lines);
            }
        }

        @Override
        public void close() {
            try {
                orders.close();
                assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
    }

    /** A client that makes one connection after another, and a request on each. */
    private static final class Client implements Runnable {
        private final int port;
        private final AtomicInteger answered = new AtomicInteger();
        private final AtomicInteger refused = new AtomicInteger();
        private volatile boolean stop;

        Client(int port) {
            this.port = port;
        }

        @Override
        public void run() {
            byte[] request = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".getBytes(US_ASCII);
            while (!stop) {
                try (Socket socket = new Socket()) {
                    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                    socket.getOutputStream().write(request);
                    if (socket.getInputStream().read() == 'H') {
                        answered.incrementAndGet();
                    }
                } catch (ConnectException e) {
                    refused.incrementAndGet();
                } catch (IOException e) {
                    // Accepted, and closed without an answer: a client may try again. Not what this is about.
                }
            }
        }
    }

    @Test
    void shouldRefuseNoConnectionWhileTheDaemonRestarts() throws InterruptedException {
        try (Manager manager = new Manager(Map.of(), "shutdown.lame_duck_ms=0")) {
            Client client = new Client(manager.port());
            Thread thread = new Thread(client, "client");
            thread.start();
            try {
                for (int i = 1; i <= RESTARTS; i++) {
                    manager.await(i, line -> line.contains("\"event\":\"daemon_listening\""));
                    int before = client.answered.get();
                    while (client.answered.get() < before + 20) {
                        TimeUnit.MILLISECONDS.sleep(2); // it serves, and is then restarted under load
                    }
                    manager.restart();
                    assertThat(manager.await(i, line -> line.startsWith("exited ")))
                            .isEqualTo("exited 0");
                }
                int before = client.answered.get();
                manager.await(RESTARTS + 1, line -> line.contains("\"event\":\"daemon_listening\""));
                while (client.answered.get() < before + 20) {
                    TimeUnit.MILLISECONDS.sleep(2);
                }
            } finally {
                client.stop = true;
                thread.join(TimeUnit.SECONDS.toMillis(60));
            }
            assertThat(client.refused).hasValue(0);
            assertThat(manager.all()).contains("\"address\":\"127.0.0.1:" + client.port + "\"");
        }
    }

    @ParameterizedTest
    @CsvSource({"udp", "unix", "closed"})
    void shouldRefuseDescriptorsThatAreNoTcpListeners(String flavour) {
        try (Manager manager = new Manager(Map.of(
                "SOCKET_FLAVOUR", flavour, "SOCKET_PATH", folder.resolve("s").toString()))) {
            assertThat(manager.await(1, line -> line.contains("\"event\":\"start_failed\"")))
                    .contains("descriptor 3 of LISTEN_FDS=1 is not a TCP socket that listens");
        }
    }

    @Test
    void shouldRefuseASocketThatOthersCanReachWhereListenIsLoopback() {
        try (Manager manager = new Manager(Map.of("SOCKET_ADDRESS", "0.0.0.0"))) {
            assertThat(manager.await(1, line -> line.contains("\"event\":\"start_failed\"")))
                    .contains("which other machines can reach", "set listen to the same address");
        }
    }

    @Test
    void shouldSayThatListenIsNotServedWhereItDiffers() {
        try (Manager manager = new Manager(Map.of(), "listen=127.0.0.1:9")) {
            assertThat(manager.await(1, line -> line.contains("\"event\":\"listen_ignored\"")))
                    .contains("127.0.0.1:" + manager.port(), "listen, 127.0.0.1:9, is not");
        }
    }

    @Test
    void shouldRefuseThemWithoutEpoll() {
        try (Manager manager = new Manager(Map.of(), "transport=nio")) {
            assertThat(manager.await(1, line -> line.contains("\"event\":\"start_failed\"")))
                    .contains("they need epoll");
        }
    }
}
