package io.llamaorch.orchestratord.server.it;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A stream's reader that knows how many bytes it has had: what came after a moment can be told from what came before.
 * For one thread.
 */
final class StreamTap implements AutoCloseable {
    private final Socket socket = new Socket();
    private final InputStream in;
    private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
    private boolean cut;

    /** One event: where its last byte stood among all bytes of the answer, and what it said. */
    record Event(int endsAt, long id, String name, String data) {}

    /**
     * Begins to read.
     *
     * @param receiveBuffer bytes of the socket's buffer, 0 for the system's choice
     * @param headers further header lines, each with its CRLF
     */
    StreamTap(int port, UUID id, int receiveBuffer, String headers) {
        try {
            if (receiveBuffer > 0) {
                socket.setReceiveBufferSize(receiveBuffer);
            }
            socket.setSoTimeout(30_000);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            in = socket.getInputStream();
            socket.getOutputStream()
                    .write(("GET /v1/tasks/" + id + "/stream HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes what is there; never waits. */
    StreamTap poll() {
        try {
            int there = in.available();
            if (there > 0) {
                raw.writeBytes(in.readNBytes(there));
            }
        } catch (SocketException e) {
            cut = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Bytes had, and those that lie in the socket's buffer now. */
    int received() {
        try {
            return raw.size() + in.available();
        } catch (IOException e) {
            return raw.size(); // reset: nothing more comes
        }
    }

    /** Reads until the body is complete, or the connection cut. */
    StreamTap toEnd() {
        byte[] buffer = new byte[8192];
        try {
            while (!complete()) {
                int n = in.read(buffer);
                if (n < 0) {
                    throw new EOFException();
                }
                raw.write(buffer, 0, n);
            }
        } catch (EOFException | SocketException e) {
            cut = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    boolean cut() {
        return cut;
    }

    boolean complete() {
        byte[] bytes = raw.toByteArray();
        return new String(bytes, Math.max(0, bytes.length - 7), Math.min(7, bytes.length), StandardCharsets.ISO_8859_1)
                .endsWith("\r\n0\r\n\r\n");
    }

    /** Events that came whole, in order. */
    List<Event> events() {
        List<Event> events = new ArrayList<>();
        String all = raw.toString(StandardCharsets.ISO_8859_1);
        int at = all.indexOf("\r\n\r\n") + 4;
        while (at >= 4 && at < all.length()) {
            int line = all.indexOf("\r\n", at);
            if (line < 0) {
                break;
            }
            int size = Integer.parseInt(all, at, line, 16);
            int end = line + 2 + size;
            if (size == 0 || end > all.length()) {
                break;
            }
            String chunk = all.substring(line + 2, end);
            if (chunk.startsWith("id: ")) {
                String[] lines = chunk.split("\n", -1);
                events.add(new Event(
                        end, Long.parseLong(lines[0].substring(4)), lines[1].substring(7), lines[2].substring(6)));
            }
            at = end + 2;
        }
        return events;
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
