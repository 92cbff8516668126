package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * Reads the lines of one request head (RFC 9112 §2–§5) strictly, from bytes that may be cut anywhere.
 *
 * <p>Every decision is a function of the bytes up to it, so the same bytes get the same answer however they are cut.
 * Stricter than the RFC on purpose: only CRLF ends a line; no folding; one SP between the parts of the request line.
 * What the fields mean: {@link HeaderFields}.
 *
 * <p>Limits: see {@link HttpLimits}; at most two empty lines before a request line. Owner: the channel's event loop.
 */
final class RequestHead {
    enum Step {
        /** The head goes on behind the bytes so far. */
        MORE,
        /** The head is whole: {@link #end()} bytes. */
        DONE,
        /** The bytes are refused: {@link #fault()}. */
        REFUSED
    }

    private static final int NEED_MORE = -1;
    private static final int BAD = -2;
    private static final int LEADING_EMPTY_LINES_MAX = 2;

    private static final FastThreadLocal<byte[]> SCRATCH = new FastThreadLocal<>();

    private final HttpLimits limits;

    // Where the reading stands; offsets from the buffer's reader index.
    private int lineStart;
    private int start;
    private int emptyLines;
    private boolean requestLineRead;
    private int headerBytes;
    private int headerCount;

    private final HeadFault fault = new HeadFault();
    private final HeaderFields fields = new HeaderFields(fault);
    private int pathOffset;

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
        pathOffset = 0;
        fields.reset();
    }

    /** Offset of the request line from the reader index: empty lines come before it. */
    int start() {
        return start;
    }

    /** Offset behind the head's last CRLF from the reader index, after {@link Step#DONE}. */
    int end() {
        return lineStart;
    }

    /** Where the path begins in the request target: behind the authority of an absolute-form. */
    int pathOffset() {
        return pathOffset;
    }

    /** Framing and what else the fields say, after {@link Step#DONE}; the correlation id also after a refusal. */
    HeaderFields fields() {
        return fields;
    }

    /** Why the bytes are refused, after {@link Step#REFUSED}. */
    HeadFault fault() {
        return fault;
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
                return fields.finish() ? Step.DONE : Step.REFUSED;
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
                && HttpBytes.isDigit(bytes[from + 5])
                && bytes[from + 6] == '.'
                && HttpBytes.isDigit(bytes[from + 7]);
        if (!wellFormed) {
            return fault.refuse("the HTTP version is malformed; send HTTP/1.1");
        }
        if (bytes[from + 5] != '1' || bytes[from + 7] > '1') {
            return fault.refuse(
                    ErrorCode.HTTP_VERSION_NOT_SUPPORTED,
                    "HTTP " + (char) bytes[from + 5] + "." + (char) bytes[from + 7] + " is not served; send HTTP/1.1");
        }
        fields.http10(bytes[from + 7] == '0');
        return true;
    }

    /** The four forms of RFC 9112 §3.2; authority-form belongs to CONNECT, which is not served. */
    private boolean target(byte[] bytes, int method, int methodEnd, int from, int to) {
        if (equalsExactly(bytes, method, methodEnd, "CONNECT")) {
            return fault.refuse(ErrorCode.NOT_IMPLEMENTED, "CONNECT is not served");
        }
        boolean options = equalsExactly(bytes, method, methodEnd, "OPTIONS");
        if (bytes[from] == '/') {
            return true;
        }
        if (to - from == 1 && bytes[from] == '*') {
            return options || fault.refuse("the target * is for OPTIONS alone");
        }
        int authority = absoluteAuthority(bytes, from, to);
        if (authority < 0) {
            return fault.refuse("the request target is neither a path nor an http URI");
        }
        int end = authority;
        while (end < to && bytes[end] != '/' && bytes[end] != '?') {
            end++;
        }
        if (!HttpBytes.isAuthority(bytes, authority, end)) {
            return fault.refuse("the authority in the request target is malformed");
        }
        if (end == to || bytes[end] != '/') {
            return fault.refuse("the absolute request target has no path");
        }
        fields.targetAuthority(HttpBytes.text(bytes, authority, end));
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
        return fields.read(bytes, at, nameEnd, from, to) ? i + 2 : BAD;
    }

    private int bad(String message) {
        fault.refuse(message);
        return BAD;
    }

    private int targetTooLong() {
        fault.refuse(
                ErrorCode.URI_TOO_LONG,
                "the request line is longer than " + limits.requestLineBytesMax() + " bytes; shorten the target");
        return BAD;
    }

    private int headersTooLarge(@Nullable String what) {
        fault.refuse(
                ErrorCode.HEADERS_TOO_LARGE,
                what != null
                        ? what
                        : "a header line is longer than " + limits.headerLineBytesMax() + " bytes or all together than "
                                + limits.headerBytesMax());
        return BAD;
    }
}
