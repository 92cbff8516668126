package io.llamaorch.orchestratord.bench.engine;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * Requests out of a connection's bytes, for peers that are trusted to speak HTTP/1.1: a head, and a body framed by
 * {@code Content-Length}.
 *
 * <pre>
 *   limit                                       value
 *   bytes of a request, and of what follows it  1 MiB
 * </pre>
 *
 * <p><b>Owner thread:</b> the loop.
 */
final class RequestReader {
    private static final int BYTES_MAX = 1 << 20;

    private byte[] bytes = new byte[1024];
    private int length;
    private int headBytes;
    private int bodyBytes;

    /** Takes what was read; false when it is too much. */
    boolean append(ByteBuf read) {
        int needed = length + read.readableBytes();
        if (needed > BYTES_MAX) {
            return false;
        }
        if (needed > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(needed, bytes.length * 2));
        }
        int count = read.readableBytes();
        read.readBytes(bytes, length, count);
        length += count;
        return true;
    }

    /**
     * Whether a whole request lies here; {@link #line} and {@link #number} then speak of it.
     *
     * @throws IllegalArgumentException when it is none, or has a transfer coding
     */
    boolean ready() {
        if (headBytes == 0 && !head()) {
            return false;
        }
        return length >= headBytes + bodyBytes;
    }

    private boolean head() {
        for (int at = 3; at < length; at++) {
            if (bytes[at] == '\n' && bytes[at - 1] == '\r' && bytes[at - 2] == '\n' && bytes[at - 3] == '\r') {
                headBytes = at + 1;
                bodyBytes = bodyBytes();
                return true;
            }
        }
        return false;
    }

    private int bodyBytes() {
        for (int at = 0; at < headBytes - 2; at++) {
            if (bytes[at] == '\n') {
                if (isHeader(at + 1, "content-length:")) {
                    long value = digits(at + 1 + "content-length:".length(), headBytes);
                    if (value < 0 || value > BYTES_MAX) {
                        throw new IllegalArgumentException("bad Content-Length");
                    }
                    return (int) value;
                }
                if (isHeader(at + 1, "transfer-encoding:")) {
                    throw new IllegalArgumentException("transfer codings of requests are not understood here");
                }
            }
        }
        return 0;
    }

    private boolean isHeader(int from, String lowerCase) {
        if (from + lowerCase.length() > headBytes) {
            return false;
        }
        for (int i = 0; i < lowerCase.length(); i++) {
            if (Character.toLowerCase(bytes[from + i]) != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether the request begins with these, for example {@code GET /health}, and a space. */
    boolean line(String methodAndTarget) {
        if (headBytes <= methodAndTarget.length() || bytes[methodAndTarget.length()] != ' ') {
            return false;
        }
        for (int i = 0; i < methodAndTarget.length(); i++) {
            if (bytes[i] != methodAndTarget.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** The number that is the value of a member of the body; -1 when there is none. */
    long number(String member) {
        byte[] wanted = ("\"" + member + "\":").getBytes(StandardCharsets.US_ASCII);
        int end = headBytes + bodyBytes;
        for (int at = headBytes; at <= end - wanted.length; at++) {
            if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                return digits(at + wanted.length, end);
            }
        }
        return -1;
    }

    /** Drops the request; what came after it becomes the next. */
    void consume() {
        int rest = length - headBytes - bodyBytes;
        System.arraycopy(bytes, headBytes + bodyBytes, bytes, 0, rest);
        length = rest;
        headBytes = 0;
        bodyBytes = 0;
    }

    private long digits(int from, int to) {
        int at = from;
        while (at < to && bytes[at] == ' ') {
            at++;
        }
        int first = at;
        long value = 0;
        while (at < to && bytes[at] >= '0' && bytes[at] <= '9' && at - first < 15) {
            value = value * 10 + bytes[at++] - '0';
        }
        return at == first ? -1 : value;
    }

    @Override
    public String toString() {
        int end = Math.min(length, 80);
        return new String(bytes, 0, end, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
    }
}
