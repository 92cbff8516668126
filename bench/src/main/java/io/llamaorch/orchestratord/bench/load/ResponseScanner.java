package io.llamaorch.orchestratord.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds heads and bodies of HTTP/1.1 responses in a byte stream that may be cut anywhere.
 *
 * <pre>
 *   limit                      value    passed
 *   a line of a head           16 KiB   MALFORMED_HTTP
 *   lines of a head            256      MALFORMED_HTTP
 *   digits of a chunk's size   7        MALFORMED_HTTP
 * </pre>
 *
 * <p>Bodies are framed by {@code Content-Length} or {@code chunked}; one that ends with the connection is refused. After
 * a fault the scanner takes no more bytes. Callbacks may call {@link #expect()}. <b>Owner thread:</b> the loop.
 */
final class ResponseScanner {
    /** Told about a response as its bytes come. */
    interface Listener {
        /** The head is complete. */
        void onHead(int status);

        /** Some of the body: {@code bytes[from, to)}, valid for this call. */
        void onBody(byte[] bytes, int from, int to);

        /**
         * The response is complete.
         *
         * @param keepAlive false when the server will close the connection
         */
        void onComplete(boolean keepAlive);

        /** The bytes are not a response, or none was expected. */
        void onFault(Fault fault);
    }

    private enum State {
        STATUS_LINE,
        HEADERS,
        BODY,
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        TRAILERS,
        BROKEN
    }

    private static final byte[] VERSION = "HTTP/1.1 ".getBytes(StandardCharsets.US_ASCII);
    private static final int LINE_BYTES_MAX = 16 * 1024;
    private static final int HEAD_LINES_MAX = 256;
    private static final int SIZE_DIGITS_MAX = 7;

    private final Listener listener;
    private final LineBuffer line = new LineBuffer(LINE_BYTES_MAX);
    private State state = State.STATUS_LINE;
    private boolean expecting;
    private int headLines;
    private int status;
    private boolean chunked;
    private boolean keepAlive;
    private long contentLength;
    private long rest;
    private int sizeDigits;
    private boolean inExtension;
    private boolean sawCarriageReturn;

    ResponseScanner(Listener listener) {
        this.listener = listener;
    }

    /** A request is on its way: one response may follow. */
    void expect() {
        expecting = true;
    }

    /** Whether a response is awaited or under way. */
    boolean expecting() {
        return expecting;
    }

    /** Starts anew, for a new connection. */
    void reset() {
        state = State.STATUS_LINE;
        expecting = false;
        line.clear();
    }

    /** Takes the next bytes of the connection, {@code bytes[from, to)}. */
    void scan(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && state != State.BROKEN) {
            if (!expecting) {
                fail(Fault.UNSOLICITED_BYTES);
                return;
            }
            at = switch (state) {
                case STATUS_LINE, HEADERS, TRAILERS -> scanLine(bytes, at, to);
                case BODY, CHUNK_DATA -> scanBody(bytes, at, to);
                case CHUNK_SIZE -> scanChunkSize(bytes, at, to);
                case CHUNK_END -> scanChunkEnd(bytes, at);
                case BROKEN -> to;
            };
        }
    }

    private int scanLine(byte[] bytes, int from, int to) {
        int newline = LineBuffer.indexOfNewline(bytes, from, to);
        int end = newline < 0 ? to : newline;
        if (!line.append(bytes, from, end)) {
            fail(Fault.MALFORMED_HTTP);
            return to;
        }
        if (newline < 0) {
            return to;
        }
        line.dropCarriageReturn();
        switch (state) {
            case STATUS_LINE -> statusLine();
            case HEADERS -> header();
            default -> trailer();
        }
        line.clear();
        return newline + 1;
    }

    private void statusLine() {
        byte[] bytes = line.bytes();
        int length = line.length();
        if (length < 12 || !line.startsWith(VERSION) || (length > 12 && bytes[12] != ' ')) {
            fail(Fault.MALFORMED_HTTP);
            return;
        }
        status = 0;
        for (int i = 9; i < 12; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                fail(Fault.MALFORMED_HTTP);
                return;
            }
            status = status * 10 + digit;
        }
        headLines = 0;
        chunked = false;
        keepAlive = true;
        contentLength = -1;
        state = State.HEADERS;
    }

    private void header() {
        if (line.length() == 0) {
            headComplete();
            return;
        }
        if (++headLines > HEAD_LINES_MAX) {
            fail(Fault.MALFORMED_HTTP);
            return;
        }
        String length = line.valueOf("content-length");
        if (length != null) {
            contentLength = decimal(length);
            if (contentLength < 0) {
                fail(Fault.MALFORMED_HTTP);
            }
            return;
        }
        String coding = line.valueOf("transfer-encoding");
        if (coding != null) {
            chunked = coding.equalsIgnoreCase("chunked");
            if (!chunked) {
                fail(Fault.MALFORMED_HTTP);
            }
            return;
        }
        String connection = line.valueOf("connection");
        if (connection != null && connection.equalsIgnoreCase("close")) {
            keepAlive = false;
        }
    }

    private void headComplete() {
        if (status >= 100 && status < 200) {
            state = State.STATUS_LINE;
            return;
        }
        listener.onHead(status);
        if (status == 204 || status == 304) {
            complete();
        } else if (chunked) {
            startChunk();
        } else if (contentLength == 0) {
            complete();
        } else if (contentLength > 0) {
            rest = contentLength;
            state = State.BODY;
        } else {
            fail(Fault.MALFORMED_HTTP);
        }
    }

    private int scanBody(byte[] bytes, int from, int to) {
        int end = (int) Math.min(to, from + rest);
        rest -= end - from;
        listener.onBody(bytes, from, end);
        if (rest == 0 && state != State.BROKEN) {
            if (state == State.BODY) {
                complete();
            } else {
                sawCarriageReturn = false;
                state = State.CHUNK_END;
            }
        }
        return end;
    }

    private void startChunk() {
        rest = 0;
        sizeDigits = 0;
        inExtension = false;
        sawCarriageReturn = false;
        state = State.CHUNK_SIZE;
    }

    private int scanChunkSize(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            byte b = bytes[at];
            if (sawCarriageReturn) {
                if (b != '\n' || sizeDigits == 0) {
                    fail(Fault.MALFORMED_HTTP);
                } else {
                    state = rest == 0 ? State.TRAILERS : State.CHUNK_DATA;
                }
                return at + 1;
            }
            if (b == '\r') {
                sawCarriageReturn = true;
            } else if (!inExtension) {
                int digit = Character.digit(b, 16);
                if (digit >= 0 && ++sizeDigits <= SIZE_DIGITS_MAX) {
                    rest = rest * 16 + digit;
                } else if (b == ';') {
                    inExtension = true;
                } else {
                    fail(Fault.MALFORMED_HTTP);
                    return to;
                }
            }
        }
        return to;
    }

    private int scanChunkEnd(byte[] bytes, int at) {
        if (bytes[at] != (sawCarriageReturn ? '\n' : '\r')) {
            fail(Fault.MALFORMED_HTTP);
        } else if (sawCarriageReturn) {
            startChunk();
        } else {
            sawCarriageReturn = true;
        }
        return at + 1;
    }

    private void trailer() {
        if (line.length() == 0) {
            complete();
        }
    }

    private void complete() {
        state = State.STATUS_LINE;
        expecting = false;
        listener.onComplete(keepAlive);
    }

    private void fail(Fault fault) {
        state = State.BROKEN;
        expecting = false;
        listener.onFault(fault);
    }

    private static long decimal(String text) {
        if (text.isEmpty() || text.length() > 15) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            char digit = text.charAt(i);
            if (digit < '0' || digit > '9') {
                return -1;
            }
            value = value * 10 + digit - '0';
        }
        return value;
    }

    /** A line that may come in pieces. */
    static final class LineBuffer {
        private final int bytesMax;
        private byte[] bytes = new byte[256];
        private int length;

        LineBuffer(int bytesMax) {
            this.bytesMax = bytesMax;
        }

        static int indexOfNewline(byte[] bytes, int from, int to) {
            for (int at = from; at < to; at++) {
                if (bytes[at] == '\n') {
                    return at;
                }
            }
            return -1;
        }

        /** False, and nothing appended, when the line would pass its limit. */
        boolean append(byte[] source, int from, int to) {
            int needed = length + to - from;
            if (needed > bytesMax) {
                return false;
            }
            if (needed > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.min(bytesMax, Math.max(needed, bytes.length * 2)));
            }
            System.arraycopy(source, from, bytes, length, to - from);
            length = needed;
            return true;
        }

        void dropCarriageReturn() {
            if (length > 0 && bytes[length - 1] == '\r') {
                length--;
            }
        }

        byte[] bytes() {
            return bytes;
        }

        int length() {
            return length;
        }

        void clear() {
            length = 0;
        }

        /** The value when this line is the header {@code name}, given in lower case; else null. */
        @Nullable
        String valueOf(String name) {
            int at = name.length();
            if (length <= at || bytes[at] != ':') {
                return null;
            }
            for (int i = 0; i < at; i++) {
                byte b = bytes[i];
                if ((b >= 'A' && b <= 'Z' ? b + 32 : b) != name.charAt(i)) {
                    return null;
                }
            }
            return new String(bytes, at + 1, length - at - 1, StandardCharsets.ISO_8859_1).trim();
        }

        boolean startsWith(byte[] prefix) {
            return length >= prefix.length && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
        }
    }
}
