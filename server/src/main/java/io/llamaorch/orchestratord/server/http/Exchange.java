package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.server.auth.Identity;
import io.llamaorch.orchestratord.server.json.ByteSink;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/**
 * One request and its one answer.
 *
 * <p>Valid until answered, however long that takes; the connection reads no further request until then. Answering a
 * second time is a defect and throws; answering a client that left does nothing. For a stream: {@link #startStream},
 * chunks straight to the context, {@link #streamDone}.
 *
 * <p>Owner: the connection's event loop, for every method.
 */
public final class Exchange {
    private enum State {
        OPEN,
        STREAMING,
        DONE
    }

    private final HttpConnection connection;
    private final HttpRequest request;
    private final boolean http10;
    private final String correlationId;
    private final long startedNs;

    private boolean keepAlive;
    private State state = State.OPEN;
    private boolean closed;
    private @Nullable Route route;
    private String path = "";
    private String id = "";
    private Identity identity = Identity.ANONYMOUS;
    private ByteBuf body = Unpooled.EMPTY_BUFFER;
    private @Nullable ByteSink furtherLines;
    private int streamStatus;
    private @Nullable Runnable onClose;
    private @Nullable Runnable onOver;

    Exchange(
            HttpConnection connection,
            HttpRequest request,
            boolean http10,
            boolean keepAlive,
            String correlationId,
            long startedNs) {
        this.connection = connection;
        this.request = request;
        this.http10 = http10;
        this.keepAlive = keepAlive;
        this.correlationId = correlationId;
        this.startedNs = startedNs;
    }

    public HttpMethod method() {
        return request.method();
    }

    /** Whether HEAD asked: answer as to GET, the body is left out; never start a stream, answer it empty. */
    public boolean head() {
        return request.method().equals(HttpMethod.HEAD);
    }

    /** The decoded path, without the query. */
    public String path() {
        return path;
    }

    /** The path's {@code {id}} segment, decoded, or empty. */
    public String id() {
        return id;
    }

    /** The raw query behind {@code ?}, still encoded, or empty. */
    public String query() {
        int mark = request.uri().indexOf('?');
        return mark < 0 ? "" : request.uri().substring(mark + 1);
    }

    /** The first header of that name, one char an octet, or null. */
    public @Nullable String header(CharSequence name) {
        return request.headers().get(name);
    }

    /** Whether the header stands more than once. */
    public boolean headerTwice(CharSequence name) {
        return request.headers().getAll(name).size() > 1;
    }

    /** Who asks. */
    public Identity identity() {
        return identity;
    }

    public String correlationId() {
        return correlationId;
    }

    /** Whether the client speaks HTTP/1.0: a stream is then not chunked and ends with the connection. */
    public boolean http10() {
        return http10;
    }

    /** {@code nanoTime} when the request's head was whole. */
    public long startedNs() {
        return startedNs;
    }

    /** The route that was found; null only while none was. */
    public @Nullable Route route() {
        return route;
    }

    /** The whole body; the exchange's, released when the handler returns: {@code retain} to keep it. */
    public ByteBuf body() {
        return body;
    }

    /** Whether the client left, or was answered. */
    public boolean ended() {
        return closed || state == State.DONE;
    }

    /** The connection's context, for its loop, allocator and writability. */
    public ChannelHandlerContext context() {
        return connection.context();
    }

    /**
     * One more header of the answer. Control and non-ASCII characters in the value become {@code ?}.
     *
     * @param name a token
     */
    public Exchange addHeader(String name, String value) {
        ByteSink lines = furtherLines;
        if (lines == null) {
            lines = new ByteSink(128);
            furtherLines = lines;
        }
        lines.ascii(name).octet(':').octet(' ');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            lines.octet(c >= ' ' && c < 127 ? c : '?');
        }
        lines.octet('\r').octet('\n');
        return this;
    }

    public Exchange addHeader(String name, long value) {
        return addHeader(name, Long.toString(value));
    }

    /** A JSON writer of this loop, empty: fill it and give it to {@link #respond} before anything else runs. */
    public JsonWriter json() {
        return connection.responses().json();
    }

    /** Answers with JSON. */
    public void respond(int status, JsonWriter json) {
        respond(status, ContentType.JSON, json.sink());
    }

    /** Answers with bytes of some type. */
    public void respond(int status, ContentType type, ByteSink bytes) {
        connection.answer(this, status, type, bytes.array(), bytes.length());
    }

    /** Answers with a buffer, which becomes the connection's. */
    public void respond(int status, ContentType type, ByteBuf bytes) {
        connection.answer(this, status, type, bytes);
    }

    /** Answers without a body: 204, 304. */
    public void respondEmpty(int status) {
        connection.answer(this, status, ContentType.NONE, new byte[0], 0);
    }

    /** Answers HEAD as GET would be with a body of that length. */
    public void respondHead(int status, ContentType type, long length) {
        connection.answerHead(this, status, type, length);
    }

    /** Answers with the error envelope and the headers that belong to the error. */
    public void respondError(ApiError error) {
        connection.answer(this, error);
    }

    /**
     * Takes the connection over for a stream: the head is written (not flushed), then the caller writes to the context
     * what becomes the body: whole chunks ({@code size CRLF bytes CRLF}, {@code 0 CRLF CRLF} at the end) in HTTP/1.1, plain
     * bytes where {@link #http10()}.
     *
     * @return where to write and flush
     */
    public ChannelHandlerContext startStream(int status, ContentType type) {
        connection.startStream(this, status, type);
        return connection.context();
    }

    /**
     * The same for a body whose length is known: the caller writes exactly so many plain bytes to the context, or says
     * {@link #streamDone} with false.
     *
     * @param length bytes
     */
    public ChannelHandlerContext startBody(int status, ContentType type, long length) {
        connection.startBody(this, status, type, length);
        return connection.context();
    }

    /**
     * The stream's last byte is written: flushes; the next request is read, or the connection closed.
     *
     * @param keepConnection false where the body broke off, so that the client can tell
     */
    public void streamDone(boolean keepConnection) {
        connection.streamDone(this, keepConnection);
    }

    /**
     * Told once if the client leaves before the answer or the stream is done. Where somebody listens, a client that closes
     * its side for writing has left, as it has while a stream is on. Replaces an earlier listener.
     */
    public void onClose(@Nullable Runnable listener) {
        onClose = listener;
        if (closed && listener != null && state != State.DONE) {
            listener.run();
        }
    }

    boolean keepAlive() {
        return keepAlive;
    }

    /** Run once when this is answered, or its client has left. */
    void onOver(Runnable listener) {
        onOver = listener;
    }

    private void over() {
        Runnable listener = onOver;
        if (listener != null) {
            onOver = null;
            listener.run();
        }
    }

    void closeAfterwards() {
        keepAlive = false;
    }

    void routed(Route found, String decodedPath, String parameter) {
        route = found;
        path = decodedPath;
        id = parameter;
    }

    void identified(Identity who) {
        identity = who;
    }

    void body(ByteBuf bytes) {
        body = bytes;
    }

    HttpRequest request() {
        return request;
    }

    @Nullable
    ByteSink furtherLines() {
        return furtherLines;
    }

    boolean open() {
        return state == State.OPEN;
    }

    boolean streaming() {
        return state == State.STREAMING;
    }

    int streamStatus() {
        return streamStatus;
    }

    /** Claims the one answer. */
    void beginAnswer() {
        if (state != State.OPEN) {
            throw new IllegalStateException("a second answer to one request");
        }
        state = State.DONE;
        over();
    }

    void beginStream(int status) {
        if (state != State.OPEN) {
            throw new IllegalStateException("a stream after an answer");
        }
        state = State.STREAMING;
        streamStatus = status;
    }

    void endStream() {
        if (state != State.STREAMING) {
            throw new IllegalStateException("no stream is open");
        }
        state = State.DONE;
        over();
    }

    boolean closed() {
        return closed;
    }

    /** Whether the answer is for a client that stays: a stream, or one that asked to be told. */
    boolean needsClient() {
        return state == State.STREAMING || (state == State.OPEN && onClose != null);
    }

    void clientLeft() {
        closed = true;
        over();
        Runnable listener = onClose;
        if (listener != null && state != State.DONE) {
            onClose = null;
            listener.run();
        }
    }
}
