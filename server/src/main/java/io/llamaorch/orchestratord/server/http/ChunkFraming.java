package io.llamaorch.orchestratord.server.http;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Follows a chunked body (RFC 9112 §7.1) strictly, from bytes that may be cut anywhere, and finds its end.
 *
 * <table>
 * <caption>Limits; what passes them is a 400 and the end of the connection</caption>
 * <tr><th>what</th><th>most</th></tr>
 * <tr><td>digits of a chunk size</td><td>8 hex digits, no sign, no whitespace</td></tr>
 * <tr><td>chunk extensions of one chunk</td><td>256 bytes; {@code ;name}, {@code ;name=token} or {@code ;name="text"}, no
 *     whitespace around them</td></tr>
 * <tr><td>chunk extensions of one body</td><td>4 KiB</td></tr>
 * <tr><td>trailer section</td><td>4 KiB and 16 lines</td></tr>
 * </table>
 *
 * <p>Extensions and trailers are checked and ignored. Owner: the channel's event loop.
 */
final class ChunkFraming {
    static final int SIZE_DIGITS_MAX = 8;
    static final int EXTENSION_BYTES_MAX = 256;
    static final int EXTENSIONS_BYTES_MAX = 4096;
    static final int TRAILER_BYTES_MAX = 4096;
    static final int TRAILER_LINES_MAX = 16;

    private enum At {
        SIZE,
        EXTENSION_START,
        EXTENSION_NAME,
        EXTENSION_VALUE_START,
        EXTENSION_VALUE,
        EXTENSION_TEXT,
        EXTENSION_ESCAPED,
        EXTENSION_END,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER_START,
        TRAILER_NAME,
        TRAILER_VALUE,
        TRAILER_LF,
        END_LF,
        DONE
    }

    private At at = At.SIZE;
    private int digits;
    private long chunkBytes;
    private int extensionBytes;
    private int extensionsBytes;
    private int trailerBytes;
    private int trailerLines;
    private String error = "";

    void reset() {
        at = At.SIZE;
        digits = 0;
        chunkBytes = 0;
        extensionBytes = 0;
        extensionsBytes = 0;
        trailerBytes = 0;
        trailerLines = 0;
        error = "";
    }

    /** Whether the body's last byte was seen. */
    boolean done() {
        return at == At.DONE;
    }

    /** Whether the last call met a byte that may not be there. */
    boolean refused() {
        return !error.isEmpty();
    }

    /** Why the last call refused, or empty. */
    String error() {
        return error;
    }

    /**
     * Follows the bytes from {@code index} to {@code end} as far as the body goes.
     *
     * @return index behind the body's bytes; where {@link #refused()}, the index of the first that is no part of it
     */
    int follow(ByteBuf in, int index, int end) {
        int i = index;
        while (i < end && at != At.DONE) {
            if (at == At.DATA) {
                int step = (int) Math.min(end - i, chunkBytes);
                i += step;
                chunkBytes -= step;
                if (chunkBytes == 0) {
                    at = At.DATA_CR;
                }
                continue;
            }
            if (!octet(in.getByte(i) & 0xff)) {
                return i;
            }
            i++;
        }
        return i;
    }

    private boolean octet(int b) {
        return switch (at) {
            case SIZE -> size(b);
            case EXTENSION_START,
                    EXTENSION_NAME,
                    EXTENSION_VALUE_START,
                    EXTENSION_VALUE,
                    EXTENSION_TEXT,
                    EXTENSION_ESCAPED,
                    EXTENSION_END -> extension(b);
            case SIZE_LF -> expect(b, '\n', chunkBytes == 0 ? At.TRAILER_START : At.DATA);
            case DATA_CR -> expect(b, '\r', At.DATA_LF);
            case DATA_LF -> {
                digits = 0;
                extensionBytes = 0;
                yield expect(b, '\n', At.SIZE);
            }
            case TRAILER_START, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF -> trailer(b);
            case END_LF -> expect(b, '\n', At.DONE);
            case DATA, DONE -> throw new IllegalStateException("an octet in state " + at);
        };
    }

    private boolean extension(int b) {
        boolean mayEnd = at == At.EXTENSION_NAME || at == At.EXTENSION_VALUE || at == At.EXTENSION_END;
        if (mayEnd && b == '\r') {
            at = At.SIZE_LF;
            return true;
        }
        extensionBytes++;
        extensionsBytes++;
        if (extensionBytes > EXTENSION_BYTES_MAX || extensionsBytes > EXTENSIONS_BYTES_MAX) {
            return refuse("chunk extensions are too long");
        }
        if (mayEnd && b == ';') {
            at = At.EXTENSION_START;
            return true;
        }
        At next = afterExtensionOctet(b);
        if (next == null) {
            return refuse("a chunk extension is not a name, or a name and a value");
        }
        at = next;
        return true;
    }

    /** {@code chunk-ext} of RFC 9112 §7.1.1; null where the octet may not stand there. */
    private @Nullable At afterExtensionOctet(int b) {
        return switch (at) {
            case EXTENSION_START -> HttpBytes.TOKEN[b] ? At.EXTENSION_NAME : null;
            case EXTENSION_NAME -> b == '=' ? At.EXTENSION_VALUE_START : HttpBytes.TOKEN[b] ? At.EXTENSION_NAME : null;
            case EXTENSION_VALUE_START -> b == '"' ? At.EXTENSION_TEXT : HttpBytes.TOKEN[b] ? At.EXTENSION_VALUE : null;
            case EXTENSION_VALUE -> HttpBytes.TOKEN[b] ? At.EXTENSION_VALUE : null;
            case EXTENSION_TEXT -> {
                if (b == '"') {
                    yield At.EXTENSION_END;
                }
                yield b == '\\' ? At.EXTENSION_ESCAPED : isText(b) ? At.EXTENSION_TEXT : null;
            }
            case EXTENSION_ESCAPED -> isText(b) ? At.EXTENSION_TEXT : null;
            default -> null;
        };
    }

    private static boolean isText(int b) {
        return b < 128 && HttpBytes.VALUE[b];
    }

    private boolean trailer(int b) {
        if (at == At.TRAILER_START && b == '\r') {
            at = At.END_LF;
            return true;
        }
        if (++trailerBytes > TRAILER_BYTES_MAX) {
            return refuse("the trailer section is longer than " + TRAILER_BYTES_MAX + " bytes");
        }
        if (at == At.TRAILER_START) {
            at = At.TRAILER_NAME;
            if (++trailerLines > TRAILER_LINES_MAX) {
                return refuse("more than " + TRAILER_LINES_MAX + " trailer lines");
            }
            return HttpBytes.TOKEN[b] || refuse("a trailer name is malformed");
        }
        if (at == At.TRAILER_NAME) {
            if (b == ':') {
                at = At.TRAILER_VALUE;
                return true;
            }
            return HttpBytes.TOKEN[b] || refuse("a trailer name is malformed");
        }
        if (at == At.TRAILER_LF) {
            return expect(b, '\n', At.TRAILER_START);
        }
        if (b == '\r') {
            at = At.TRAILER_LF;
            return true;
        }
        return HttpBytes.VALUE[b] || refuse("a trailer value holds a control character");
    }

    private boolean size(int b) {
        int digit = HttpBytes.HEX[b];
        if (digit >= 0) {
            chunkBytes = chunkBytes << 4 | digit;
            return ++digits <= SIZE_DIGITS_MAX || refuse("a chunk size has more than 8 digits");
        }
        if (digits == 0) {
            return refuse("a chunk size does not begin with a hex digit");
        }
        if (b == '\r') {
            at = At.SIZE_LF;
            return true;
        }
        if (b == ';') {
            at = At.EXTENSION_START;
            return true;
        }
        return refuse("a chunk size holds something other than hex digits");
    }

    private boolean expect(int b, int wanted, At next) {
        if (b != wanted) {
            return refuse("a line of the chunked body does not end with CRLF");
        }
        at = next;
        return true;
    }

    private boolean refuse(String message) {
        error = message;
        return false;
    }
}
