package io.llamaorch.orchestratord.server.it;

import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** What the suites ask a {@code LlamaServerDoubleProcess} and know of its text. */
final class EngineDouble {
    private EngineDouble() {}

    /** Body of {@code GET /__stats}. */
    static String stats(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream()
                    .write("GET /__stats HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return all.substring(all.indexOf("\r\n\r\n") + 4);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One figure of {@link #stats}. */
    static long stat(int port, String name) {
        String stats = stats(port);
        int from = stats.indexOf("\"" + name + "\":") + name.length() + 3;
        int to = from;
        while (Character.isDigit(stats.charAt(to))) {
            to++;
        }
        return Long.parseLong(stats.substring(from, to));
    }

    /** Whether no slot is taken and nobody waits for one. */
    static boolean idle(int port) {
        String stats = stats(port);
        return stats.contains("\"running\":0,") && stats.contains("\"deferred\":0,");
    }

    /** A task for it. */
    static String task(UUID id, String prompt, long seed, int tokens, String more) {
        return TestClient.task(id, "llamacpp", prompt, tokens, ",\"seed\":" + seed + more);
    }

    /** The data of the token events of its answer: {@code [0, count)}. */
    static List<String> tokens(String prompt, long seed, int count) {
        List<String> data = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            data.add("{\"t\":\"" + DoubleText.token(prompt, seed, i) + "\",\"i\":" + i + "}");
        }
        return data;
    }

    /** The data of a stream's token events. */
    static List<String> tokens(TestClient.Stream stream) {
        return stream.of("token").stream().map(TestClient.Event::data).toList();
    }
}
