package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Events as they come from the disk: found in their part, framed for the wire. */
public final class EventParts {
    private static final byte[] CRLF = "\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int FRAMING_BYTES =
            Integer.toHexString(TranscriptLog.PART_BYTES_MAX).length() + 4;

    private EventParts() {}

    /**
     * Where an event begins in a part.
     *
     * @param first the event that the part begins with
     * @param event one that begins in it
     */
    public static int indexOf(ByteBuffer part, int first, int event) {
        int at = 0;
        for (int id = first; id < event; id++) {
            at = next(part, at);
        }
        return at;
    }

    /** Where the frame at an offset of the log begins in a part whose first frame is at {@code start}. */
    static int indexAt(ByteBuffer part, int start, int offset) {
        int at = 0;
        int chunk = start;
        while (chunk < offset) {
            int end = next(part, at);
            chunk += frameLength(end - at);
            at = end;
        }
        return at;
    }

    /** Length of the frame of an event: its chunk's size line, itself, CRLF. */
    static int frameLength(int eventBytes) {
        return (31 - Integer.numberOfLeadingZeros(eventBytes)) / 4 + 1 + 2 + eventBytes + 2;
    }

    /** Behind the empty line that ends the event at {@code from}. */
    private static int next(ByteBuffer part, int from) {
        for (int at = from; at < part.limit() - 1; at++) {
            if (part.get(at) == '\n' && part.get(at + 1) == '\n') {
                return at + 2;
            }
        }
        return part.limit();
    }

    /** What is in a part from {@code from} on, as it is: for HTTP/1.0. */
    public static ByteBuf plain(ByteBuffer part, int from) {
        return Unpooled.copiedBuffer(part.slice(from, part.limit() - from));
    }

    /** What is in a part from {@code from} on, as one HTTP chunk, with the end of the body behind it where it is the last. */
    public static ByteBuf chunk(ByteBuffer part, int from, boolean last) {
        int length = part.limit() - from;
        ByteBuf out = Unpooled.directBuffer(length + FRAMING_BYTES + LAST_CHUNK.length);
        if (length > 0) {
            out.writeBytes(Integer.toHexString(length).getBytes(StandardCharsets.US_ASCII))
                    .writeBytes(CRLF)
                    .writeBytes(part.slice(from, length))
                    .writeBytes(CRLF);
        }
        return last ? out.writeBytes(LAST_CHUNK) : out;
    }
}
