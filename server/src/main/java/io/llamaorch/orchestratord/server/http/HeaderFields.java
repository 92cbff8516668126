package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * What the header fields of one request say about its framing and its connection (RFC 9112 §6, §9; RFC 9110 §7, §10).
 *
 * <p>Stricter than the RFCs on purpose: one Content-Length of digits alone; {@code Transfer-Encoding: chunked} or none; a
 * valid Host. Obs-text is opaque in field values and not allowed in those that this class reads. Owner: the channel's
 * event loop.
 */
final class HeaderFields {
    private static final int LENGTH_DIGITS_MAX = 18;
    private static final int CORRELATION_CHARS_MAX = 128;

    private final HeadFault fault;

    private boolean http10;
    private boolean chunked;
    private boolean transferEncodingSeen;
    private long contentLength;
    private boolean hostSeen;
    private boolean connectionClose;
    private boolean connectionKeepAlive;
    private boolean expectContinue;
    private boolean expectOther;
    private int credentials;
    private @Nullable String targetAuthority;
    private @Nullable String correlationId;
    private @Nullable String requestId;

    HeaderFields(HeadFault fault) {
        this.fault = fault;
        reset();
    }

    /** Forgets the request, for the next one. */
    void reset() {
        http10 = false;
        chunked = false;
        transferEncodingSeen = false;
        contentLength = -1;
        hostSeen = false;
        connectionClose = false;
        connectionKeepAlive = false;
        expectContinue = false;
        expectOther = false;
        credentials = 0;
        targetAuthority = null;
        correlationId = null;
        requestId = null;
    }

    /** The request line's version. */
    void http10(boolean old) {
        http10 = old;
    }

    /** The authority of an absolute-form target, which Host must repeat. */
    void targetAuthority(String authority) {
        targetAuthority = authority;
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

    /** Lines of {@code X-API-Key} and {@code Authorization}. */
    int credentials() {
        return credentials;
    }

    /** The client's correlation id, where it sent a sane one. */
    @Nullable
    String correlationId() {
        return correlationId != null ? correlationId : requestId;
    }

    /** Reads a field's value {@code bytes[from, to)}; false where it is refused. */
    boolean read(byte[] bytes, int name, int nameEnd, int from, int to) {
        return switch (nameEnd - name) {
            case 4 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "host") || host(bytes, from, to);
            case 6 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "expect") || expect(bytes, from, to);
            case 9 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "x-api-key") || credential();
            case 10 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "connection") || connection(bytes, from, to);
            case 12 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "x-request-id") || requestId(bytes, from, to);
            case 13 -> !HttpBytes.equalsIgnoreCase(bytes, name, nameEnd, "authorization") || credential();
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

    private boolean credential() {
        credentials++;
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
            return fault.refuse("more than one Host");
        }
        hostSeen = true;
        if (!HttpBytes.isAuthority(bytes, from, to)) {
            return fault.refuse("the Host is not a host with an optional port");
        }
        if (targetAuthority != null && !targetAuthority.equalsIgnoreCase(HttpBytes.text(bytes, from, to))) {
            return fault.refuse("the Host differs from the authority in the request target");
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
            return fault.refuse("more than one Content-Length");
        }
        if (from == to || to - from > LENGTH_DIGITS_MAX) {
            return fault.refuse("the Content-Length is empty or has more than 18 digits");
        }
        long value = 0;
        for (int i = from; i < to; i++) {
            if (!HttpBytes.isDigit(bytes[i])) {
                return fault.refuse("the Content-Length holds something other than digits");
            }
            value = value * 10 + (bytes[i] - '0');
        }
        contentLength = value;
        return true;
    }

    private boolean transferEncoding(byte[] bytes, int from, int to) {
        if (transferEncodingSeen) {
            return fault.refuse("more than one Transfer-Encoding");
        }
        transferEncodingSeen = true;
        if (http10) {
            return fault.refuse("Transfer-Encoding in an HTTP/1.0 request");
        }
        if (HttpBytes.equalsIgnoreCase(bytes, from, to, "chunked")) {
            chunked = true;
            return true;
        }
        if (from < to && HttpBytes.all(HttpBytes.TOKEN, bytes, from, to)) {
            return fault.refuse(ErrorCode.NOT_IMPLEMENTED, "this Transfer-Encoding is not served; send chunked");
        }
        return fault.refuse("the Transfer-Encoding is not exactly chunked");
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

    /** The head has ended; false where its fields do not go together. */
    boolean finish() {
        if (chunked && contentLength >= 0) {
            return fault.refuse("both Transfer-Encoding and Content-Length");
        }
        if (!http10 && !hostSeen) {
            return fault.refuse("no Host");
        }
        return true;
    }
}
