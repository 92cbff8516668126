package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * Reads one request head (RFC 9112 §2–§6) strictly, from bytes that may be cut anywhere, and keeps what framing needs.
 *
 * <p>Every decision is a function of the bytes up to it, so the same bytes get the same answer however they are cut.
 * Stricter than the RFC on purpose: only CRLF ends a line; no folding; one SP between the parts of the request line;
 * one Content-Length of digits alone; {@code Transfer-Encoding: chunked} or none; a valid Host. Obs-text is opaque in
 * field values and not allowed in those that this class reads.
 *
 * <p>Limits: see {@link HttpLimits}; at most two empty lines before a request line. Owner: the channel's event loop.
 */
final class RequestHead {
    enum Step {
        /** The head goes on behind the bytes so far. */
        MORE,
        /** The head is whole: {@link #end()} bytes. */
        DONE,
        /** The bytes are refused: {@link #errorCode()}. */
        REFUSED
    }

    private static final int NEED_MORE = -1;
    private static final int BAD = -2;
    private static final int LEADING_EMPTY_LINES_MAX = 2;
    private static final int LENGTH_DIGITS_MAX = 18;
    private static final int CORRELATION_CHARS_MAX = 128;

    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>();

    private final HttpLimits limits;

    // Where the reading stands; offsets from the buffer's reader index.
    private int lineStart;
    private int start;
    private int emptyLines;
    private boolean requestLineRead;
    private int headerBytes;
    private int headerCount;

    // What was found.
    private boolean http10;
    private boolean chunked;
    private boolean transferEncodingSeen;
    private long contentLength;
    private boolean hostSeen;
    private boolean connectionClose;
    private boolean connectionKeepAlive;
    private boolean expectContinue;
    private boolean expectOther;
    private boolean options;
    private int pathOffset;
    private @Nullable String targetAuthority;
    private @Nullable String correlationId;
    private @Nullable String requestId;

    private ErrorCode errorCode = ErrorCode.BAD_REQUEST;
    private String errorMessage = "";

    RequestHead(HttpLimits limits) {
        this.limits = limits;
        reset();
    }

    /** Forgets the request, for the next one. */
    void reset() {
        lineStart = 0;
        start = 0;
        emptyLines = 0;
        requestLineRead = false;
        headerBytes = 0;
        headerCount = 0;
        http10 = false;
        chunked = false;
        transferEncodingSeen = false;
        contentLength = -1;
        hostSeen = false;
        connectionClose = false;
        connectionKeepAlive = false;
        expectContinue = false;
        expectOther = false;
        options = false;
        pathOffset = 0;
        targetAuthority = null;
        correlationId = null;
        requestId = null;
    }

    /** Offset of the request line from the reader index: empty lines come before it. */
    int start() {
        return start;
    }

    /** Offset behind the head's last CRLF from the reader index, after {@link Step#DONE}. */
    int end() {
        return lineStart;
    }

    boolean http10() {
        return http10;
    }

    boolean chunked() {
        return chunked;
    }

    /** Content-Length, or −1. */
    long contentLength() {
        return contentLength;
    }

    /** Whether the client asked for a connection that outlives the answer (RFC 9112 §9.3). */
    boolean keepAlive() {
        return !connectionClose && (!http10 || connectionKeepAlive);
    }

    /** Whether the client waits for 100 before it sends its body. Ignored in HTTP/1.0 (RFC 9110 §10.1.1). */
    boolean expectContinue() {
        return expectContinue && !http10;
    }

    boolean expectOther() {
        return expectOther && !http10;
    }

    /** Where the path begins in the request target: behind the authority of an absolute-form. */
    int pathOffset() {
        return pathOffset;
    }

    /** The client's correlation id, where it sent a sane one. */
    @Nullable
    String correlationId() {
        return correlationId != null ? correlationId : requestId;
    }

    ErrorCode errorCode() {
        return errorCode;
    }

    String errorMessage() {
        return errorMessage;
    }

    /** Reads on. The buffer's indices stay; its reader index must be where it was at the first call. */
    Step read(ByteBuf in) {
        byte[] bytes = scratch();
        int origin = lineStart;
        int end = Math.min(in.readableBytes() - origin, bytes.length);
        in.getBytes(in.readerIndex() + origin, bytes, 0, end);
        int at = 0;
        while (true) {
            int next = requestLineRead ? headerLine(bytes, at, end) : firstLine(bytes, at, end);
            if (next == NEED_MORE) {
                lineStart = origin + at;
                return Step.MORE;
            }
            if (next == BAD) {
                return Step.REFUSED;
            }
            boolean blank = next == at + 2;
            at = next;
            if (!blank) {
                continue;
            }
            if (requestLineRead) {
                lineStart = origin + at;
                return finish() ? Step.DONE : Step.REFUSED;
            }
            start = origin + at;
        }
    }

    private byte[] scratch() {
        byte[] bytes = SCRATCH.get();
        int size = limits.requestLineBytesMax() + limits.headerBytesMax() + 16;
        if (bytes == null || bytes.length < size) {
            bytes = new byte[size];
            SCRATCH.set(bytes);
        }
        return bytes;
    }

    /** An empty line or the request line; the offset behind it, or NEED_MORE, or BAD. */
    private int firstLine(byte[] bytes, int at, int end) {
        if (at == end) {
            return NEED_MORE;
        }
        if (bytes[at] == '\r') {
            if (at + 1 == end) {
                return NEED_MORE;
            }
            if (bytes[at + 1] != '\n') {
                return bad("a CR without LF before the request line");
            }
            if (++emptyLines > LEADING_EMPTY_LINES_MAX) {
                return bad("more than two empty lines before the request line");
            }
            return at + 2;
        }
        int cap = at + limits.requestLineBytesMax();
        int stop = Math.min(end, cap);

        int i = at;
        while (i < stop && HttpBytes.TOKEN[bytes[i] & 0xff]) {
            i++;
        }
        if (i == end) {
            return NEED_MORE;
        }
        if (i == cap) {
            return targetTooLong();
        }
        if (bytes[i] != ' ' || i == at) {
            return bad("the request line does not begin with a method and one space");
        }
        int methodEnd = i;

        int target = ++i;
        while (i < stop && HttpBytes.TARGET[bytes[i] & 0xff]) {
            i++;
        }
        if (i == end) {
            return NEED_MORE;
        }
        if (i >= cap) {
            return targetTooLong();
        }
        if (bytes[i] != ' ' || i == target) {
            return bad("the request target is empty, holds a character that a URI may not hold, or has no version");
        }
        int targetEnd = i;

        int version = ++i;
        while (i < stop && bytes[i] > ' ' && bytes[i] < 127 && i - version < 9) {
            i++;
        }
        if (i == end) {
            return NEED_MORE;
        }
        if (i >= cap && bytes[i] != '\r') {
            return targetTooLong();
        }
        if (bytes[i] != '\r') {
            return bad("the request line does not end with a version and CRLF");
        }
        if (i + 1 == end) {
            return NEED_MORE;
        }
        if (bytes[i + 1] != '\n') {
            return bad("a CR without LF in the request line");
        }
        requestLineRead = true;
        return version(bytes, version, i) && target(bytes, at, methodEnd, target, targetEnd) ? i + 2 : BAD;
    }

    private boolean version(byte[] bytes, int from, int to) {
        boolean wellFormed = to - from == 8
                && bytes[from] == 'H'
                && bytes[from + 1] == 'T'
                && bytes[from + 2] == 'T'
                && bytes[from + 3] == 'P'
                && bytes[from + 4] == '/'
                && isDigit(bytes[from + 5])
                && bytes[from + 6] == '.'
                && isDigit(bytes[from + 7]);
        if (!wellFormed) {
            return refuse("the HTTP version is malformed; send HTTP/1.1");
        }
        if (bytes[from + 5] != '1' || bytes[from + 7] > '1') {
            return refuse(
                    ErrorCode.HTTP_VERSION_NOT_SUPPORTED,
                    "HTTP " + (char) bytes[from + 5] + "." + (char) bytes[from + 7] + " is not served; send HTTP/1.1");
        }
        http10 = bytes[from + 7] == '0';
        return true;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** The four forms of RFC 9112 §3.2; authority-form belongs to CONNECT, which is not served. */
    private boolean target(byte[] bytes, int method, int methodEnd, int from, int to) {
        if (equalsExactly(bytes, method, methodEnd, "CONNECT")) {
            return refuse(ErrorCode.NOT_IMPLEMENTED, "CONNECT is not served");
        }
        options = equalsExactly(bytes, method, methodEnd, "OPTIONS");
        if (bytes[from] == '/') {
            return true;
        }
        if (to - from == 1 && bytes[from] == '*') {
            return options || refuse("the target * is for OPTIONS alone");
        }
        int authority = absoluteAuthority(bytes, from, to);
        if (authority < 0) {
            return refuse("the request target is neither a path nor an http URI");
        }
        int end = authority;
        while (end < to && bytes[end] != '/' && bytes[end] != '?') {
            end++;
        }
        if (!HttpBytes.isAuthority(bytes, authority, end)) {
            return refuse("the authority in the request target is malformed");
        }
        if (end == to || bytes[end] != '/') {
            return refuse("the absolute request target has no path");
        }
        targetAuthority = HttpBytes.text(bytes, authority, end);
        pathOffset = end - from;
        return true;
    }

    private static int absoluteAuthority(byte[] bytes, int from, int to) {
        if (to - from > 7 && HttpBytes.equalsIgnoreCase(bytes, from, from + 7, "http://")) {
            return from + 7;
        }
        if (to - from > 8 && HttpBytes.equalsIgnoreCase(bytes, from, from + 8, "https://")) {
            return from + 8;
        }
        return -1;
    }

    private static boolean equalsExactly(byte[] bytes, int from, int to, String text) {
        if (to - from != text.length()) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (bytes[i] != text.charAt(i - from)) {
                return false;
            }
        }
        return true;
    }

    /** A header line or the empty line that ends the head. */
    private int headerLine(byte[] bytes, int at, int end) {
        if (at == end) {
            return NEED_MORE;
        }
        if (bytes[at] == '\r') {
            if (at + 1 == end) {
                return NEED_MORE;
            }
            return bytes[at + 1] == '\n' ? at + 2 : bad("a CR without LF between header lines");
        }
        if (bytes[at] == ' ' || bytes[at] == '\t') {
            return bad("a folded header line, or whitespace before a header name");
        }
        if (headerCount == limits.headerCountMax()) {
            return headersTooLarge("more than " + limits.headerCountMax() + " header lines");
        }
        int cap = at + Math.min(limits.headerLineBytesMax(), limits.headerBytesMax() - headerBytes - 2);
        int stop = Math.min(end, cap);

        int i = at;
        while (i < stop && HttpBytes.TOKEN[bytes[i] & 0xff]) {
            i++;
        }
        if (i == end) {
            return NEED_MORE;
        }
        if (i >= cap) {
            return headersTooLarge(null);
        }
        if (bytes[i] != ':' || i == at) {
            return bad("a header name is empty, holds a character that a token may not hold, or has no colon");
        }
        int nameEnd = i;

        i++;
        while (i < stop && HttpBytes.VALUE[bytes[i] & 0xff]) {
            i++;
        }
        if (i == end) {
            return NEED_MORE;
        }
        if (bytes[i] != '\r') {
            return i >= cap
                    ? headersTooLarge(null)
                    : bad("a header value holds a control character or ends without CR");
        }
        if (i + 1 == end) {
            return NEED_MORE;
        }
        if (bytes[i + 1] != '\n') {
            return bad("a CR without LF in a header value");
        }
        int from = nameEnd + 1;
        int to = i;
        while (from < to && (bytes[from] == ' ' || bytes[from] == '\t')) {
            from++;
        }
        while (to > from && (bytes[to - 1] == ' ' || bytes[to - 1] == '\t')) {
            to--;
        }
        headerCount++;
        headerBytes += i + 2 - at;
        return field(bytes, at, nameEnd, from, to) ? i + 2 : BAD;
    }

    private boolean field(byte[] bytes, int name, int nameEnd, int from, int to) {
        return switch (nameEnd - name) {
            case 4 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "host") || host(bytes, from, to);
            case 6 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "expect") || expect(bytes, from, to);
            case 10 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "connection") || connection(bytes, from, to);
            case 12 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "x-request-id") || requestId(bytes, from, to);
            case 14 ->
                !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "content-length") || contentLength(bytes, from, to);
            case 16 ->
                !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "x-correlation-id") || correlationId(bytes, from, to);
            case 17 ->
                !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "transfer-encoding")
                        || transferEncoding(bytes, from, to);
            default -> true;
        };
    }

    private boolean expect(byte[] bytes, int from, int to) {
        boolean known = HttpBytes.equalsIgnoreCase(bytes, from, to, "100-continue");
        expectContinue |= known;
        expectOther |= !known;
        return true;
    }

    private boolean requestId(byte[] bytes, int from, int to) {
        if (requestId == null) {
            requestId = saneId(bytes, from, to);
        }
        return true;
    }

    private boolean correlationId(byte[] bytes, int from, int to) {
        if (correlationId == null) {
            correlationId = saneId(bytes, from, to);
        }
        return true;
    }

    private boolean host(byte[] bytes, int from, int to) {
        if (hostSeen) {
            return refuse("more than one Host");
        }
        hostSeen = true;
        if (!HttpBytes.isAuthority(bytes, from, to)) {
            return refuse("the Host is not a host with an optional port");
        }
        if (targetAuthority != null && !targetAuthority.equalsIgnoreCase(HttpBytes.text(bytes, from, to))) {
            return refuse("the Host differs from the authority in the request target");
        }
        return true;
    }

    private boolean connection(byte[] bytes, int from, int to) {
        int i = from;
        while (i < to) {
            int option = i;
            while (i < to && bytes[i] != ',') {
                i++;
            }
            int optionEnd = i++;
            while (option < optionEnd && (bytes[option] == ' ' || bytes[option] == '\t')) {
                option++;
            }
            while (optionEnd > option && (bytes[optionEnd - 1] == ' ' || bytes[optionEnd - 1] == '\t')) {
                optionEnd--;
            }
            connectionClose |= HttpBytes.equalsIgnoreCase(bytes, option, optionEnd, "close");
            connectionKeepAlive |= HttpBytes.equalsIgnoreCase(bytes, option, optionEnd, "keep-alive");
        }
        return true;
    }

    private boolean contentLength(byte[] bytes, int from, int to) {
        if (contentLength >= 0) {
            return refuse("more than one Content-Length");
        }
        if (from == to || to - from > LENGTH_DIGITS_MAX) {
            return refuse("the Content-Length is empty or has more than 18 digits");
        }
        long value = 0;
        for (int i = from; i < to; i++) {
            if (!isDigit(bytes[i])) {
                return refuse("the Content-Length holds something other than digits");
            }
            value = value * 10 + (bytes[i] - '0');
        }
        contentLength = value;
        return true;
    }

    private boolean transferEncoding(byte[] bytes, int from, int to) {
        if (transferEncodingSeen) {
            return refuse("more than one Transfer-Encoding");
        }
        transferEncodingSeen = true;
        if (http10) {
            return refuse("Transfer-Encoding in an HTTP/1.0 request");
        }
        if (HttpBytes.equalsIgnoreCase(bytes, from, to, "chunked")) {
            chunked = true;
            return true;
        }
        if (from < to && HttpBytes.all(HttpBytes.TOKEN, bytes, from, to)) {
            return refuse(ErrorCode.NOT_IMPLEMENTED, "this Transfer-Encoding is not served; send chunked");
        }
        return refuse("the Transfer-Encoding is not exactly chunked");
    }

    private static @Nullable String saneId(byte[] bytes, int from, int to) {
        if (from == to || to - from > CORRELATION_CHARS_MAX) {
            return null;
        }
        for (int i = from; i < to; i++) {
            if (bytes[i] <= ' ' || bytes[i] == 127) {
                return null;
            }
        }
        return HttpBytes.text(bytes, from, to);
    }

    private boolean finish() {
        if (chunked && contentLength >= 0) {
            return refuse("both Transfer-Encoding and Content-Length");
        }
        if (!http10 && !hostSeen) {
            return refuse("no Host");
        }
        return true;
    }

    private int bad(String message) {
        refuse(message);
        return BAD;
    }

    private int targetTooLong() {
        refuse(
                ErrorCode.URI_TOO_LONG,
                "the request line is longer than " + limits.requestLineBytesMax() + " bytes; shorten the target");
        return BAD;
    }

    private int headersTooLarge(@Nullable String what) {
        refuse(
                ErrorCode.HEADERS_TOO_LARGE,
                what != null
                        ? what
                        : "a header line is longer than " + limits.headerLineBytesMax() + " bytes or all together than "
                                + limits.headerBytesMax());
        return BAD;
    }

    private boolean refuse(String message) {
        return refuse(ErrorCode.BAD_REQUEST, "Malformed HTTP request: " + message + ".");
    }

    private boolean refuse(ErrorCode code, String message) {
        errorCode = code;
        errorMessage = message;
        return false;
    }
}
