package io.llamaorch.orchestratord.server.sse;

import java.nio.charset.StandardCharsets;

/**
 * Builds frames: each is one server-sent event inside one HTTP chunk.
 *
 * <pre>
 *   36 CRLF  id: 7 LF  event: token LF  data: {"t":" hello","i":5} LF LF  CRLF
 * </pre>
 *
 * <p>The bytes of the newest frame are {@code bytes()[0, length)} until the next one is built. One writer a loop: built
 * in a byte array, because single-byte writes to a buffer are slow, and copied once. <b>Owner thread:</b> the loop.
 */
final class FrameWriter {
    private static final byte[] HEX = ascii("0123456789abcdef");
    private static final byte[] ID = ascii("id: ");
    private static final byte[] TOKEN = ascii("\nevent: token\ndata: {\"t\":\"");
    private static final byte[] INDEX = ascii("\",\"i\":");
    private static final byte[] TOKEN_END = ascii("}\n\n\r\n");
    private static final int CRLF_BYTES = 2;
    private static final int KEPT_BYTES_MAX = 256 << 10;

    private byte[] bytes = new byte[4096];
    private int length;

    /** The array that holds the newest frame from index 0. */
    byte[] bytes() {
        return bytes;
    }

    /** Bytes of the newest frame. */
    int length() {
        return length;
    }

    /**
     * Builds a token frame.
     *
     * @param eventId id of the event
     * @param text holds the inside of the JSON string, {@code text[offset, offset + textLength)}
     * @param index i of the token, from 0
     */
    void token(int eventId, byte[] text, int offset, int textLength, int index) {
        int event = ID.length
                + digits(eventId)
                + TOKEN.length
                + textLength
                + INDEX.length
                + digits(index)
                + TOKEN_END.length
                - CRLF_BYTES;
        ensure(event + 16);
        int at = chunkSize(event);
        at = put(at, ID);
        at = putNumber(at, eventId);
        at = put(at, TOKEN);
        System.arraycopy(text, offset, bytes, at, textLength);
        at += textLength;
        at = put(at, INDEX);
        at = putNumber(at, index);
        length = put(at, TOKEN_END);
    }

    /**
     * Builds any other frame.
     *
     * @param eventId id of the event
     * @param event its name
     * @param data its JSON, on one line
     */
    void event(int eventId, String event, CharSequence data) {
        chunk("id: " + eventId + "\nevent: " + event + "\ndata: " + data + "\n\n");
    }

    /** Builds a frame that is a comment: no event, no id, never part of a log. */
    void comment(String text) {
        chunk(": " + text + "\n\n");
    }

    /** Builds the frame that starts a stream: how long a client should wait before it comes back, ms. */
    void retry(int ms) {
        chunk("retry: " + ms + "\n\n");
    }

    private void chunk(String event) {
        byte[] utf8 = event.getBytes(StandardCharsets.UTF_8);
        ensure(utf8.length + 16);
        int at = chunkSize(utf8.length);
        at = put(at, utf8);
        bytes[at++] = '\r';
        bytes[at++] = '\n';
        length = at;
    }

    /** Makes room for a frame of that size, whose bytes are about to be written; a rare large one is not kept. */
    private void ensure(int size) {
        if (bytes.length < size) {
            bytes = new byte[Math.max(size, bytes.length * 2)];
        } else if (bytes.length > KEPT_BYTES_MAX && size <= KEPT_BYTES_MAX) {
            bytes = new byte[KEPT_BYTES_MAX];
        }
    }

    private int chunkSize(int size) {
        int at = 0;
        int shift = (31 - Integer.numberOfLeadingZeros(size)) & ~3;
        for (; shift >= 0; shift -= 4) {
            bytes[at++] = HEX[(size >>> shift) & 15];
        }
        bytes[at++] = '\r';
        bytes[at++] = '\n';
        return at;
    }

    private int put(int at, byte[] source) {
        System.arraycopy(source, 0, bytes, at, source.length);
        return at + source.length;
    }

    private int putNumber(int at, int value) {
        int end = at + digits(value);
        int rest = value;
        for (int i = end - 1; i >= at; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return end;
    }

    private static int digits(int value) {
        int count = 1;
        for (long bound = 10; value >= bound; bound *= 10) {
            count++;
        }
        return count;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
