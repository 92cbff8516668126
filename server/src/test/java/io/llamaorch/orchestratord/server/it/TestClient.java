package io.llamaorch.orchestratord.server.it;

import io.llamaorch.orchestratord.server.contract.ContractRecorder;
import io.llamaorch.orchestratord.server.contract.Exchange;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A blocking HTTP/1.1 client over one keep-alive connection, that hands every exchange to {@link ContractRecorder}. For one
 * thread.
 */
@SuppressWarnings({"ArrayRecordComponent", "StringSplitter"
}) // test code: arrays compared by hand, blocks without empty tails
final class TestClient implements AutoCloseable {
    private static final int TIMEOUT_MS = 30_000;

    private final int port;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private @Nullable Socket socket;
    private InputStream in = InputStream.nullInputStream();

    /** An answer, read whole. */
    record Answer(int status, Map<String, String> headers, byte[] bytes) {
        String body() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        String header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        }
    }

    /** One server-sent event, or a comment ({@code event} is then empty and {@code data} the comment). */
    record Event(long id, String event, String data) {}

    TestClient(int port) {
        this.port = port;
    }

    /** A header of every request from now on. */
    TestClient with(String name, String value) {
        headers.put(name, value);
        return this;
    }

    /** A completion task's JSON; {@code more} is appended, such as {@code ,"seed":7}. */
    static String task(UUID id, String engine, String prompt, int maxTokens, String more) {
        return """
                {"task_id":"%s","session_id":"%s","workload":"completion","model_ref":"%s","engine":"%s","ctx":0,\
                "priority":"interactive","prompt":"%s","max_tokens":%d,"deadline_ms":60000%s}"""
                .formatted(id, UUID.randomUUID(), DaemonHarness.MODEL, engine, prompt, maxTokens, more);
    }

    Answer get(String path) {
        return exchange("GET", path, null);
    }

    Answer post(String path, String body) {
        return exchange("POST", path, body);
    }

    /** One request and its whole answer. */
    Answer exchange(String method, String path, @Nullable String body) {
        try {
            send(method, path, body);
            Answer answer = read(method.equals("HEAD"));
            record(method, path, body, answer, true);
            if (answer.header("connection").equals("close")) {
                close();
            }
            return answer;
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    /** Sends a request and reads nothing. */
    void send(String method, String path, @Nullable String body) throws IOException {
        StringBuilder head = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        headers.forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
        byte[] bytes = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
        if (body != null) {
            head.append(headers.containsKey("Content-Type") ? "" : "Content-Type: application/json\r\n");
            head.append("Content-Length: " + bytes.length + "\r\n");
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        all.writeBytes(bytes);
        connected().getOutputStream().write(all.toByteArray());
    }

    /** Sends a request's head that announces a body, which the caller writes. */
    void sendHead(String method, String path, int bodyBytes) throws IOException {
        StringBuilder head = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        headers.forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
        head.append("Content-Length: " + bodyBytes + "\r\n\r\n");
        connected().getOutputStream().write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Reads the answer to what {@link #send} sent. */
    Answer readAnswer() {
        try {
            return read(false);
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    /** The socket, connected; for what this class does not do. */
    Socket connected() throws IOException {
        Socket open = socket;
        if (open == null) {
            open = new Socket(InetAddress.getLoopbackAddress(), port);
            open.setTcpNoDelay(true);
            open.setSoTimeout(TIMEOUT_MS);
            in = new BufferedInputStream(open.getInputStream(), 1 << 16);
            socket = open;
        }
        return open;
    }

    /** A stream that is being read. */
    final class Stream {
        private final String path;
        private final Answer head;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final StringBuilder pending = new StringBuilder();
        private final List<Event> events = new ArrayList<>();
        private boolean complete;

        Stream(String path, Answer head) {
            this.path = path;
            this.head = head;
        }

        Answer head() {
            return head;
        }

        /** Events and comments read so far. */
        List<Event> events() {
            return events;
        }

        /** Whether the last chunk was read. */
        boolean complete() {
            return complete;
        }

        /** Bytes of the events alone, without comments and the retry line: what every reader gets alike. */
        String log() {
            StringBuilder log = new StringBuilder();
            for (String block : body.toString(StandardCharsets.UTF_8).split("\n\n")) {
                if (block.startsWith("id: ")) {
                    log.append(block).append("\n\n");
                }
            }
            return log.toString();
        }

        /** Reads on until an event satisfies {@code wanted}, or the end. */
        Stream until(Predicate<Event> wanted) {
            try {
                while (!complete) {
                    int known = events.size();
                    readChunk();
                    for (int i = known; i < events.size(); i++) {
                        if (wanted.test(events.get(i))) {
                            return this;
                        }
                    }
                }
                return this;
            } catch (EOFException e) {
                close();
                return this; // cut off: complete() says so
            } catch (IOException e) {
                close();
                throw new UncheckedIOException(e);
            }
        }

        /** Reads to the end, and has the whole checked. */
        Stream toEnd() {
            until(event -> false);
            check();
            return this;
        }

        /** Has what was read so far checked against the contract. */
        void check() {
            record("GET", path, null, new Answer(head.status(), head.headers(), body.toByteArray()), complete);
        }

        /** The newest event. */
        Event last() {
            return events.get(events.size() - 1);
        }

        List<Event> of(String name) {
            return events.stream().filter(event -> event.event().equals(name)).toList();
        }

        /** Concatenated text of the token events, as it stands in the JSON. */
        String text() {
            StringBuilder text = new StringBuilder();
            for (Event event : of("token")) {
                String data = event.data();
                text.append(data, "{\"t\":\"".length(), data.lastIndexOf("\",\"i\":"));
            }
            return text.toString();
        }

        private void readChunk() throws IOException {
            int size = Integer.parseInt(line(), 16);
            if (size == 0) {
                line();
                complete = true;
                return;
            }
            byte[] chunk = exactly(size);
            line();
            body.writeBytes(chunk);
            pending.append(new String(chunk, StandardCharsets.UTF_8));
            for (int end = pending.indexOf("\n\n"); end >= 0; end = pending.indexOf("\n\n")) {
                parse(pending.substring(0, end));
                pending.delete(0, end + 2);
            }
        }

        private void parse(String block) {
            long id = 0;
            String event = "";
            String data = "";
            for (String line : block.split("\n")) {
                if (line.startsWith(":")) {
                    data = line.substring(1).strip();
                } else if (line.startsWith("id: ")) {
                    id = Long.parseLong(line.substring(4));
                } else if (line.startsWith("event: ")) {
                    event = line.substring(7);
                } else if (line.startsWith("data: ")) {
                    data = line.substring(6);
                }
            }
            events.add(new Event(id, event, data));
        }
    }

    /** Submits a task that must be admitted. */
    TestClient submit(String task) {
        Answer answer = post("/v1/tasks", task);
        if (answer.status() != 202) {
            throw new AssertionError(answer.status() + " " + answer.body());
        }
        return this;
    }

    /** Begins to read a task's stream. */
    Stream stream(UUID id) {
        String path = "/v1/tasks/" + id + "/stream";
        try {
            send("GET", path, null);
            return new Stream(path, readHead());
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    private void record(String method, String path, @Nullable String body, Answer answer, boolean complete) {
        Exchange.Builder exchange =
                Exchange.of(method, path).status(answer.status()).body(answer.bytes());
        headers.forEach(exchange::requestHeader);
        if (body != null) {
            exchange.requestBody(body);
            if (!headers.containsKey("Content-Type")) {
                exchange.requestHeader("Content-Type", "application/json");
            }
        }
        answer.headers().forEach(exchange::responseHeader);
        ContractRecorder.record(
                complete ? exchange.build() : exchange.incomplete().build());
    }

    private Answer read(boolean head) throws IOException {
        Answer answer = readHead();
        if (head || answer.status() == 204 || answer.status() == 304) {
            return answer;
        }
        if (answer.header("transfer-encoding").isEmpty()) {
            byte[] bytes = exactly(Integer.parseInt(answer.header("content-length")));
            return new Answer(answer.status(), answer.headers(), bytes);
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        for (int size = Integer.parseInt(line(), 16); size > 0; size = Integer.parseInt(line(), 16)) {
            whole.writeBytes(exactly(size));
            line();
        }
        line();
        return new Answer(answer.status(), answer.headers(), whole.toByteArray());
    }

    private Answer readHead() throws IOException {
        String status = line();
        Map<String, String> received = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            received.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return new Answer(Integer.parseInt(status.substring(9, 12)), received, new byte[0]);
    }

    private byte[] exactly(int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw new EOFException();
        }
        return bytes;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException();
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    /** Closes the connection; the next request opens another. */
    @Override
    public void close() {
        Socket open = socket;
        socket = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
