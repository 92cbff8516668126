package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** An engine that says one token and then only that it is alive: keep-alive comments are no tokens (TSK-52). */
@NullUnmarked
final class SilentEngineIT {
    private static final String STREAM = String.join(
            "\r\n", "HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "", "");

    @Test
    void shouldEndATaskWhoseEngineSendsNothingButComments() throws IOException {
        try (ServerSocket engine = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread accepting = new Thread(() -> serve(engine), "silent-engine");
            accepting.setDaemon(true);
            accepting.start();
            try (DaemonHarness daemon = DaemonHarness.llama(
                            engine.getLocalPort(), 2, "pools.0.timeouts.idle_ms=400", "pools.0.retries=0");
                    TestClient client = daemon.client()) {
                UUID id = UUID.randomUUID();
                client.submit(EngineDouble.task(id, "silence", 1, 50, ""));
                TestClient.Stream stream = client.stream(id).toEnd();

                assertThat(stream.of("token")).hasSize(1);
                assertThat(stream.last().data()).contains("DECODE_TIMEOUT", "400 ms");
                daemon.awaitQuiet();
            }
        }
    }

    private static void serve(ServerSocket engine) {
        while (!engine.isClosed()) {
            try {
                Socket socket = engine.accept();
                Thread one = new Thread(() -> answer(socket), "silent-engine-connection");
                one.setDaemon(true);
                one.start();
            } catch (IOException e) {
                return; // closed: the test is over
            }
        }
    }

    private static void answer(Socket socket) {
        try (socket) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String line = in.readLine();
            OutputStream out = socket.getOutputStream();
            if (line == null || !line.startsWith("POST")) {
                String body = line != null && line.contains("/health") ? "{\"status\":\"ok\"}" : "{}";
                out.write(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + body.length()
                                + "\r\nConnection: close\r\n\r\n" + body)
                        .getBytes(StandardCharsets.UTF_8));
                return;
            }
            out.write(STREAM.getBytes(StandardCharsets.UTF_8));
            chunk(out, "data: {\"content\":\"one\",\"stop\":false}\n\n");
            for (int i = 0; i < 200; i++) { // twenty seconds at most; ends when the daemon has closed
                chunk(out, ":\n\n");
                Thread.sleep(100);
            }
        } catch (IOException | InterruptedException e) {
            return; // the daemon has closed, which is what it should do
        }
    }

    private static void chunk(OutputStream out, String text) throws IOException {
        out.write((Integer.toHexString(text.length()) + "\r\n" + text + "\r\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
