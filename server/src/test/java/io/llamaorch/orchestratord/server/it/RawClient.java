package io.llamaorch.orchestratord.server.it;

import io.llamaorch.orchestratord.server.contract.ContractRecorder;
import io.llamaorch.orchestratord.server.contract.Exchange;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Sends bytes that no HTTP client would, on a connection of their own, and reads to the end of the connection. */
@SuppressWarnings("StringSplitter") // test code: lines without empty tails
final class RawClient {
    private static final int TIMEOUT_MS = 30_000;

    private final int port;

    RawClient(int port) {
        this.port = port;
    }

    /** An answer with a length. */
    record Answer(int status, String head, String body) {
        /** The one value of that header, or null. */
        @Nullable
        String header(String name) {
            for (String line : head.split("\r\n")) {
                if (line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ":")) {
                    return line.substring(name.length() + 1).strip();
                }
            }
            return null;
        }
    }

    /** All answers to these bytes (Latin-1), each handed to the contract's verifier as one to a malformed request. */
    List<Answer> malformed(String bytes) {
        List<Answer> answers = talk(bytes);
        for (Answer answer : answers) {
            Exchange.Builder exchange =
                    Exchange.of("GET", "/").malformed().status(answer.status()).body(answer.body());
            for (String line : answer.head().split("\r\n")) {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    exchange.responseHeader(
                            line.substring(0, colon), line.substring(colon + 1).strip());
                }
            }
            ContractRecorder.record(exchange.build());
        }
        return answers;
    }

    /** All answers to these bytes (Latin-1). What the daemon does not want to read any more is not sent. */
    List<Answer> talk(String bytes) {
        return parse(exchange(bytes, false));
    }

    /** The same, with the client's side ended behind them. */
    List<Answer> talkHalfClosed(String bytes) {
        return parse(exchange(bytes, true));
    }

    /** All that comes back for these bytes from a client that ends its side behind them. */
    String bytesHalfClosed(String bytes) {
        return exchange(bytes, true);
    }

    private String exchange(String bytes, boolean halfClose) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(TIMEOUT_MS);
            OutputStream out = socket.getOutputStream();
            try {
                out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
                out.flush();
                if (halfClose) {
                    socket.shutdownOutput();
                }
            } catch (SocketException e) {
                // the daemon has answered and closed already
            }
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Answer> parse(String bytes) {
        List<Answer> answers = new ArrayList<>();
        int at = 0;
        while (at < bytes.length()) {
            int end = bytes.indexOf("\r\n\r\n", at);
            if (!bytes.startsWith("HTTP/1.1 ", at) || end < 0) {
                throw new AssertionError("not an answer at " + at + ": " + bytes);
            }
            Answer head =
                    new Answer(Integer.parseInt(bytes.substring(at + 9, at + 12)), bytes.substring(at, end + 2), "");
            at = end + 4;
            if (head.status() != 100) {
                String length = head.header("Content-Length");
                int size = length == null ? 0 : Integer.parseInt(length);
                answers.add(new Answer(head.status(), head.head(), bytes.substring(at, at + size)));
                at += size;
            }
        }
        return answers;
    }
}
