package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.json.ByteSink;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Writes every answer of the daemon: status line, headers and body by hand into one pooled buffer (RFC 9112 §4).
 *
 * <p>Always {@code X-Correlation-Id} and {@code Date}; {@code Content-Length} but for 1xx, 204, 304 and streams. One per event
 * loop: the scratch space is reused.
 */
final class Responses {
    /** What the answer says of the connection. */
    enum Connection {
        /** Goes on, as HTTP/1.1 has it: nothing is said. */
        KEEP(""),
        /** Goes on, said to an HTTP/1.0 client. */
        KEEP_SAID("Connection: keep-alive\r\n"),
        CLOSE("Connection: close\r\n");

        private final String line;

        Connection(String line) {
            this.line = line;
        }
    }

    private static final byte[] CRLF = ascii("\r\n");
    private static final byte[] CORRELATION_ID = ascii("X-Correlation-Id: ");
    private static final byte[] CONTENT_LENGTH = ascii("Content-Length: ");
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] CONTINUE = ascii("HTTP/1.1 100 Continue\r\n\r\n");
    private static final byte[] RETRY = ascii("x-should-retry: true\r\n");
    private static final byte[] NO_RETRY = ascii("x-should-retry: false\r\n");
    private static final byte[] CHALLENGE = ascii("WWW-Authenticate: Bearer realm=\"orchestratord\"\r\n");
    private static final byte[] RETRY_AFTER = ascii("Retry-After: ");
    private static final byte[] BACKOFF = ascii("\r\nX-Backoff-Ms: ");
    private static final byte[][] STATUS_LINES = statusLines();

    private final LoopTicks ticks;
    private final ByteSink head = new ByteSink(1024);
    private final JsonWriter json = new JsonWriter(new ByteSink(1024));
    private final ByteSink errorHeaders = new ByteSink(128);

    Responses(LoopTicks ticks) {
        this.ticks = ticks;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[][] statusLines() {
        byte[][] lines = new byte[600][];
        for (int status = 200; status < 600; status++) {
            lines[status] = ascii("HTTP/1.1 " + status + " "
                    + HttpResponseStatus.valueOf(status).reasonPhrase() + "\r\n");
        }
        return lines;
    }

    /** The interim answer that asks for the body. */
    static ByteBuf continueLine(ByteBufAllocator alloc) {
        return alloc.buffer(CONTINUE.length).writeBytes(CONTINUE);
    }

    /** A writer for a body of this loop, empty; good until its next use on this loop. */
    JsonWriter json() {
        return json.clear();
    }

    /**
     * A whole answer.
     *
     * @param status 200 … 599
     * @param body {@code body[0, length)}; left out, but counted, where headOnly
     * @param headOnly whether HEAD asked
     * @param further whole header lines, each with its CRLF
     */
    ByteBuf whole(
            ByteBufAllocator alloc,
            int status,
            String correlationId,
            ContentType type,
            byte[] body,
            int length,
            boolean headOnly,
            Connection connection,
            @Nullable ByteSink further) {
        head(status, correlationId, type, connection, further);
        if (status != 204 && status != 304) {
            head.bytes(CONTENT_LENGTH).decimal(length).bytes(CRLF);
        }
        head.bytes(CRLF);
        int bodyBytes = headOnly ? 0 : length;
        return alloc.directBuffer(head.length() + bodyBytes)
                .writeBytes(head.array(), 0, head.length())
                .writeBytes(body, 0, bodyBytes);
    }

    /** The head of an answer whose body follows in another buffer; {@code length} bytes. */
    ByteBuf headOf(
            ByteBufAllocator alloc,
            int status,
            String correlationId,
            ContentType type,
            long length,
            Connection connection,
            @Nullable ByteSink further) {
        head(status, correlationId, type, connection, further);
        head.bytes(CONTENT_LENGTH).decimal(length).bytes(CRLF).bytes(CRLF);
        return alloc.directBuffer(head.length()).writeBytes(head.array(), 0, head.length());
    }

    /** The head of a stream: chunked, or up to the end of the connection where not. */
    ByteBuf streamHead(
            ByteBufAllocator alloc,
            int status,
            String correlationId,
            ContentType type,
            boolean chunked,
            Connection connection,
            @Nullable ByteSink further) {
        head(status, correlationId, type, connection, further);
        if (chunked) {
            head.bytes(CHUNKED);
        }
        head.bytes(CRLF);
        return alloc.directBuffer(head.length()).writeBytes(head.array(), 0, head.length());
    }

    /** An error in the envelope of the contract, with the headers that belong to it. */
    ByteBuf error(
            ByteBufAllocator alloc,
            ApiError error,
            String correlationId,
            boolean headOnly,
            Connection connection,
            @Nullable ByteSink further) {
        JsonWriter body = json();
        envelope(body, error, correlationId);
        ByteSink lines = errorHeaders.clear();
        if (further != null) {
            lines.bytes(further.array(), 0, further.length());
        }
        lines.bytes(error.retriable() ? RETRY : NO_RETRY);
        if (error.retryAfterMs() >= 0) {
            lines.bytes(RETRY_AFTER)
                    .decimal((error.retryAfterMs() + 999) / 1000)
                    .bytes(BACKOFF)
                    .decimal(error.retryAfterMs())
                    .bytes(CRLF);
        }
        if (error.code() == ErrorCode.UNAUTHORIZED) {
            lines.bytes(CHALLENGE);
        }
        ByteSink bytes = body.sink();
        return whole(
                alloc,
                error.code().status(),
                correlationId,
                ContentType.JSON,
                bytes.array(),
                bytes.length(),
                headOnly,
                connection,
                lines);
    }

    /** The one error envelope; absent members are unknown, never null. */
    static void envelope(JsonWriter body, ApiError error, String correlationId) {
        body.beginObject()
                .member("code", error.code().name())
                .member("message", error.message())
                .member("engine", error.engine())
                .member("pool_id", error.poolId())
                .member("retriable", error.retriable());
        if (error.retryAfterMs() >= 0) {
            body.member("retry_after_ms", error.retryAfterMs());
        }
        body.member("policy_label", error.policyLabel()).member("correlation_id", correlationId);
        if (!error.details().isEmpty()) {
            body.name("details").beginArray();
            for (ApiError.Detail detail : error.details()) {
                body.beginObject()
                        .member("name", detail.name())
                        .member("value", detail.value())
                        .endObject();
            }
            body.endArray();
        }
        body.endObject();
    }

    private void head(
            int status, String correlationId, ContentType type, Connection connection, @Nullable ByteSink further) {
        head.clear()
                .bytes(STATUS_LINES[status])
                .bytes(CORRELATION_ID)
                .ascii(correlationId)
                .bytes(CRLF)
                .bytes(ticks.dateLine())
                .bytes(type.lines())
                .ascii(connection.line);
        if (further != null) {
            head.bytes(further.array(), 0, further.length());
        }
    }
}
