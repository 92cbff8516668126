package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Incremental parser of HTTP/1.x responses that works in place (RFC 9112), one response after another.
 *
 * <table>
 *   <caption>Limits; passing one is a protocol error</caption>
 *   <tr><th>what</th><th>limit</th></tr>
 *   <tr><td>status, header or trailer line</td><td>8,192 bytes</td></tr>
 *   <tr><td>header lines; trailer lines</td><td>100 each</td></tr>
 *   <tr><td>interim (1xx) responses before the final one</td><td>16</td></tr>
 *   <tr><td>chunk size line, with its extensions</td><td>1,024 bytes</td></tr>
 *   <tr><td>Content-Length, one chunk</td><td>2^62 bytes</td></tr>
 * </table>
 *
 * <p>Input may be cut anywhere. Head lines may end in a bare LF; chunk framing must be CRLF. Framing that says two
 * things (Content-Length twice or beside Transfer-Encoding, any transfer coding but one {@code chunked}), folded
 * headers and control characters are protocol errors. Not thread-safe: one connection, one loop. Nothing is allocated
 * per chunk.
 */
public final class HttpResponseParser {
    static final int LINE_MAX_BYTES = 8192;
    static final int LINES_MAX = 100;
    static final int INTERIM_MAX = 16;
    static final int CHUNK_LINE_MAX_BYTES = 1024;
    private static final long LENGTH_MAX = 1L << 62;

    /** Where the parts of a response go. Either method may call {@link #abandon()} or {@link #suspend()}. */
    public interface Listener {
        /** The final response's head is complete: {@link #status()} and the rest may be asked. */
        void onHead();

        /**
         * Bytes of the body, at absolute index {@code [offset, offset + length)} of the buffer given to
         * {@link #parse}; valid until this returns.
         *
         * @param length bytes, ≥ 1
         */
        void onBody(ByteBuf buf, int offset, int length);
    }

    /** What is known after the bytes so far. */
    public enum Result {
        /** The response goes on. */
        NEEDS_MORE,
        /** The response ended as its framing says; what follows in the buffer was not touched. */
        COMPLETE,
        /** Not HTTP as understood here; see {@link #problem()}. Final. */
        BROKEN,
        /** {@link #suspend()} was called: the rest of the buffer is for a later {@link #parse}. */
        SUSPENDED,
        /** {@link #abandon()} was called. Final. */
        ABANDONED
    }

    private enum State {
        STATUS_LINE,
        HEADER,
        FIXED,
        UNTIL_CLOSE,
        CHUNK_SIZE,
        CHUNK_EXTENSION,
        CHUNK_SIZE_LF,
        CHUNK_DATA,
        CHUNK_DATA_CR,
        CHUNK_DATA_LF,
        TRAILER,
        COMPLETE,
        BROKEN,
        ABANDONED
    }

    private final Listener listener;
    private State state = State.STATUS_LINE;
    private byte @Nullable [] line;
    private int lineLength;
    private int lineCount;
    private int interimCount;
    private long remaining;
    private int chunkDigits;
    private int chunkLineLength;
    private boolean suspended;
    private @Nullable String problem;

    private int status;
    private boolean http10;
    private long contentLength;
    private boolean transferEncoding;
    private boolean connectionClose;
    private boolean connectionKeepAlive;
    private boolean eventStream;

    /** A parser that tells {@code listener}. */
    public HttpResponseParser(Listener listener) {
        this.listener = listener;
        reset();
    }

    /** Makes ready for the next response on the same connection. */
    public void reset() {
        state = State.STATUS_LINE;
        line = null;
        lineLength = 0;
        interimCount = 0;
        problem = null;
        resetHead();
    }

    private void resetHead() {
        status = 0;
        http10 = false;
        contentLength = -1;
        transferEncoding = false;
        connectionClose = false;
        connectionKeepAlive = false;
        eventStream = false;
        lineCount = 0;
    }

    /** Status of the final response, 0 before its head. */
    public int status() {
        return status;
    }

    /** Whether {@code Content-Type} is {@code text/event-stream}. */
    public boolean isEventStream() {
        return eventStream;
    }

    /** Whether the head and the framing allow another request on this connection once the response is complete. */
    public boolean isReusable() {
        return !connectionClose && (!http10 || connectionKeepAlive) && isDelimited();
    }

    /** Whether the head says where the body ends; where it does not, its end and a lost connection look the same. */
    public boolean isDelimited() {
        return transferEncoding || contentLength >= 0 || bodiless();
    }

    /** Whether bytes of the response were seen. */
    public boolean isStarted() {
        return state != State.STATUS_LINE || lineLength > 0 || interimCount > 0;
    }

    /** Why the result is {@link Result#BROKEN}; empty otherwise. Never holds bytes of the response's body. */
    public String problem() {
        return problem == null ? "" : problem;
    }

    /** Makes {@link #parse} return at once, now and from then on; for use within the listener. */
    public void abandon() {
        if (state != State.BROKEN) {
            state = State.ABANDONED;
        }
    }

    /** Makes {@link #parse} return after the part being handed over; for use within the listener. */
    public void suspend() {
        suspended = true;
    }

    /** The connection was closed by the peer: tells whether the response was complete then. */
    public Result eof() {
        return switch (state) {
            case UNTIL_CLOSE -> {
                state = State.COMPLETE;
                yield Result.COMPLETE;
            }
            case COMPLETE -> Result.COMPLETE;
            case ABANDONED -> Result.ABANDONED;
            case BROKEN -> Result.BROKEN;
            default -> broken("closed within the response");
        };
    }

    /** Parses {@code in} from its reader index, which moves behind what was used. */
    public Result parse(ByteBuf in) {
        suspended = false;
        while (true) {
            switch (state) {
                case COMPLETE -> {
                    return Result.COMPLETE;
                }
                case BROKEN -> {
                    return Result.BROKEN;
                }
                case ABANDONED -> {
                    return Result.ABANDONED;
                }
                default -> {}
            }
            if (suspended) {
                return Result.SUSPENDED;
            }
            if (!in.isReadable()) {
                return Result.NEEDS_MORE;
            }
            step(in);
        }
    }

    private void step(ByteBuf in) {
        switch (state) {
            case STATUS_LINE, HEADER, TRAILER -> {
                if (readLine(in)) {
                    onLine();
                }
            }
            case FIXED -> {
                if (body(in)) {
                    state = State.COMPLETE;
                }
            }
            case UNTIL_CLOSE -> {
                remaining = Long.MAX_VALUE;
                body(in);
            }
            case CHUNK_DATA -> {
                if (body(in)) {
                    state = State.CHUNK_DATA_CR;
                }
            }
            default -> chunkByte(in.readByte());
        }
    }

    /** Hands over what there is of the body; true where all of {@code remaining} went and the listener did not abandon. */
    private boolean body(ByteBuf in) {
        int offset = in.readerIndex();
        int length = (int) Math.min(remaining, in.readableBytes());
        in.readerIndex(offset + length);
        remaining -= length;
        listener.onBody(in, offset, length);
        return remaining == 0 && state != State.ABANDONED;
    }

    private void chunkByte(byte b) {
        switch (state) {
            case CHUNK_SIZE -> {
                int digit = hex(b);
                if (digit >= 0) {
                    if (remaining > (LENGTH_MAX >> 4) || ++chunkDigits > 32) {
                        broken("chunk size too large");
                        return;
                    }
                    remaining = remaining << 4 | digit;
                } else if (chunkDigits == 0) {
                    broken("chunk size has no digits");
                } else if (b == '\r') {
                    state = State.CHUNK_SIZE_LF;
                } else if (b == ';' || b == ' ' || b == '\t') {
                    chunkLineLength = 0;
                    state = State.CHUNK_EXTENSION;
                } else {
                    broken("bad byte in chunk size");
                }
            }
            case CHUNK_EXTENSION -> {
                if (b == '\r') {
                    state = State.CHUNK_SIZE_LF;
                } else if (b == '\n' || ++chunkLineLength > CHUNK_LINE_MAX_BYTES) {
                    broken("bad chunk extension");
                }
            }
            case CHUNK_SIZE_LF -> {
                if (b != '\n') {
                    broken("chunk size line does not end in CRLF");
                } else if (remaining > 0) {
                    state = State.CHUNK_DATA;
                } else {
                    lineCount = 0;
                    state = State.TRAILER;
                }
            }
            case CHUNK_DATA_CR -> {
                if (b == '\r') {
                    state = State.CHUNK_DATA_LF;
                } else {
                    broken("chunk longer than its size");
                }
            }
            case CHUNK_DATA_LF -> {
                if (b == '\n') {
                    startChunk();
                } else {
                    broken("chunk does not end in CRLF");
                }
            }
            default -> throw new IllegalStateException(state.name());
        }
    }

    private void startChunk() {
        remaining = 0;
        chunkDigits = 0;
        state = State.CHUNK_SIZE;
    }

    /** Gathers one line into {@code line}, without its end; true when it is whole. */
    private boolean readLine(ByteBuf in) {
        int from = in.readerIndex();
        int lf = in.indexOf(from, in.writerIndex(), (byte) '\n');
        int to = lf < 0 ? in.writerIndex() : lf;
        int length = to - from;
        if (lineLength + length > LINE_MAX_BYTES) {
            broken("line longer than " + LINE_MAX_BYTES + " bytes");
            return false;
        }
        byte[] bytes = line;
        if (bytes == null) {
            bytes = new byte[Math.max(256, length)];
        } else if (bytes.length < lineLength + length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, lineLength + length));
        }
        line = bytes;
        in.getBytes(from, bytes, lineLength, length);
        lineLength += length;
        if (lf < 0) {
            in.readerIndex(to);
            return false;
        }
        in.readerIndex(lf + 1);
        if (lineLength > 0 && bytes[lineLength - 1] == '\r') {
            lineLength--;
        }
        for (int i = 0; i < lineLength; i++) {
            int c = bytes[i] & 0xff;
            if ((c < 0x20 && c != '\t') || c == 0x7f) {
                broken("control character in a head line");
                return false;
            }
        }
        return true;
    }

    private void onLine() {
        byte[] bytes = line;
        int length = lineLength;
        lineLength = 0;
        if (bytes == null) {
            throw new IllegalStateException("no line");
        }
        switch (state) {
            case STATUS_LINE -> onStatusLine(bytes, length);
            case HEADER -> {
                if (length == 0) {
                    onHeadEnd();
                } else {
                    onHeader(bytes, length);
                }
            }
            default -> {
                if (length == 0) {
                    line = null;
                    state = State.COMPLETE;
                } else if (++lineCount > LINES_MAX) {
                    broken("more than " + LINES_MAX + " trailer lines");
                }
            }
        }
    }

    private void onStatusLine(byte[] b, int length) {
        boolean shape = length >= 12
                && b[0] == 'H'
                && b[1] == 'T'
                && b[2] == 'T'
                && b[3] == 'P'
                && b[4] == '/'
                && b[5] == '1'
                && b[6] == '.'
                && isDigit(b[7])
                && b[8] == ' '
                && isDigit(b[9])
                && isDigit(b[10])
                && isDigit(b[11])
                && (length == 12 || b[12] == ' ');
        int code = shape ? (b[9] - '0') * 100 + (b[10] - '0') * 10 + (b[11] - '0') : 0;
        if (code < 100 || code > 599) {
            broken("not an HTTP/1.x status line");
            return;
        }
        resetHead();
        http10 = b[7] == '0';
        status = code;
        state = State.HEADER;
    }

    private void onHeader(byte[] b, int length) {
        if (++lineCount > LINES_MAX) {
            broken("more than " + LINES_MAX + " header lines");
            return;
        }
        int colon = 0;
        while (colon < length && b[colon] != ':') {
            if (b[colon] == ' ' || b[colon] == '\t') {
                broken(colon == 0 ? "folded header line" : "space in a header name");
                return;
            }
            colon++;
        }
        if (colon == 0 || colon == length) {
            broken("header line without a name");
            return;
        }
        int from = colon + 1;
        int to = length;
        while (from < to && (b[from] == ' ' || b[from] == '\t')) {
            from++;
        }
        while (to > from && (b[to - 1] == ' ' || b[to - 1] == '\t')) {
            to--;
        }
        if (Ascii.equalsIgnoreCase(b, 0, colon, "content-length")) {
            onContentLength(b, from, to);
        } else if (Ascii.equalsIgnoreCase(b, 0, colon, "transfer-encoding")) {
            if (transferEncoding || !Ascii.equalsIgnoreCase(b, from, to, "chunked")) {
                broken("transfer coding other than one chunked");
            }
            transferEncoding = true;
        } else if (Ascii.equalsIgnoreCase(b, 0, colon, "connection")) {
            connectionClose |= Ascii.hasListMember(b, from, to, "close");
            connectionKeepAlive |= Ascii.hasListMember(b, from, to, "keep-alive");
        } else if (Ascii.equalsIgnoreCase(b, 0, colon, "content-type")) {
            int end = from;
            while (end < to && b[end] != ';' && b[end] != ' ') {
                end++;
            }
            eventStream = Ascii.equalsIgnoreCase(b, from, end, "text/event-stream");
        }
    }

    private void onContentLength(byte[] b, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) {
            if (!isDigit(b[i]) || value > LENGTH_MAX / 10 - 1) {
                broken("bad Content-Length");
                return;
            }
            value = value * 10 + (b[i] - '0');
        }
        if (from == to) {
            broken("bad Content-Length");
        } else if (contentLength >= 0) {
            broken("Content-Length twice");
        } else {
            contentLength = value;
        }
    }

    private void onHeadEnd() {
        if (transferEncoding && (contentLength >= 0 || http10)) {
            broken("Transfer-Encoding beside Content-Length or in HTTP/1.0");
            return;
        }
        if (status < 200) {
            if (status == 101 || ++interimCount > INTERIM_MAX) {
                broken(status == 101 ? "unasked 101" : "more than " + INTERIM_MAX + " interim responses");
                return;
            }
            resetHead();
            state = State.STATUS_LINE;
            return;
        }
        line = null;
        if (bodiless() || contentLength == 0) {
            state = State.COMPLETE;
        } else if (transferEncoding) {
            startChunk();
        } else if (contentLength > 0) {
            remaining = contentLength;
            state = State.FIXED;
        } else {
            state = State.UNTIL_CLOSE;
        }
        listener.onHead();
    }

    private boolean bodiless() {
        return status == 204 || status == 304;
    }

    private Result broken(String why) {
        if (state != State.ABANDONED) {
            problem = why;
            state = State.BROKEN;
        }
        line = null;
        return Result.BROKEN;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private static int hex(byte b) {
        if (b >= '0' && b <= '9') {
            return b - '0';
        }
        int lower = b | 0x20;
        return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    }
}
