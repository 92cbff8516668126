package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The one decoder of server-sent events for all engines (WHATWG HTML §9.2.6, and what engines make of it).
 *
 * <p>Lines end in LF, CRLF or a lone CR; one space after the colon is dropped; comment lines, unknown fields,
 * {@code event}, {@code id} and {@code retry} are ignored; several {@code data} lines of a frame are joined with LF; a
 * frame without data is none. A field {@code error} (old llama.cpp builds) is handed over apart, when its frame ends.
 * Bytes may be cut anywhere.
 *
 * <p>A frame that lies whole within one {@link #feed} is handed over in place: no copy, no allocation. What a read cut
 * goes through a carry-over buffer (on the heap: copying between direct buffers makes objects) that grows as needed and is given back by {@link #close}.
 *
 * <table>
 *   <caption>Limits</caption>
 *   <tr><th>what</th><th>default</th><th>when passed</th></tr>
 *   <tr><td>one line, and all data of one frame</td><td>8 MiB</td><td>{@link Result#TOO_LONG}, final</td></tr>
 * </table>
 *
 * <p>Owned by the connection's loop.
 */
public final class SseDecoder implements AutoCloseable {
    /** What llama-server's clients allow for one line: its last frame echoes the prompt and every setting. */
    public static final int DEFAULT_FRAME_MAX_BYTES = 8 << 20;

    private static final int CARRY_KEPT_MAX_BYTES = 16 << 10;

    /** Where frames go. Each method may call {@link #abandon()}. */
    public interface Listener {
        /**
         * One frame's data, at absolute index {@code [offset, offset + length)}, valid until this returns.
         *
         * @param length bytes, may be 0
         */
        void onData(ByteBuf buf, int offset, int length);

        /** The value of an {@code error:} field; as {@link #onData}. */
        void onErrorField(ByteBuf buf, int offset, int length);
    }

    /** What is known after the bytes so far. */
    public enum Result {
        /** Go on. */
        OK,
        /** A line or a frame passed the limit. Final. */
        TOO_LONG,
        /** {@link #abandon()} was called. Final. */
        ABANDONED
    }

    private final Listener listener;
    private final ByteBufAllocator allocator;
    private final int frameMaxBytes;

    /** The start of a line whose end has not come. */
    private @Nullable ByteBuf partial;
    /** Data of the frame under way, where it is not one span of the buffer being read. */
    private @Nullable ByteBuf data;

    private @Nullable ByteBuf spanBuf;
    private int spanOffset;
    private int spanLength;

    private boolean hasData;
    private boolean isError;
    private boolean skipLf;
    private boolean firstLine = true;
    private Result result = Result.OK;

    /** A decoder with the default limit. */
    public SseDecoder(ByteBufAllocator allocator, Listener listener) {
        this(allocator, listener, DEFAULT_FRAME_MAX_BYTES);
    }

    /**
     * A decoder that tells {@code listener}.
     *
     * @param frameMaxBytes longest line, and most data of one frame, bytes
     */
    public SseDecoder(ByteBufAllocator allocator, Listener listener, int frameMaxBytes) {
        this.allocator = allocator;
        this.listener = listener;
        this.frameMaxBytes = frameMaxBytes;
    }

    /** Whether part of a frame was read and its end was not. */
    public boolean isWithinFrame() {
        return hasData || (partial != null && partial.isReadable());
    }

    /** Makes {@link #feed} return at once, now and from then on; for use within the listener. */
    public void abandon() {
        result = Result.ABANDONED;
    }

    /** Gives back the carry-over buffers. The decoder must not be fed after. */
    @Override
    public void close() {
        result = Result.ABANDONED;
        spanBuf = null;
        partial = freed(partial);
        data = freed(data);
    }

    /** Decodes {@code buf[offset, offset + length)} (absolute index); the buffer's indices are not touched. */
    public Result feed(ByteBuf buf, int offset, int length) {
        int at = offset;
        int end = offset + length;
        while (at < end && result == Result.OK) {
            if (skipLf) {
                skipLf = false;
                if (buf.getByte(at) == '\n') {
                    at++;
                    continue;
                }
            }
            int lineEnd = lineEnd(buf, at, end);
            if (lineEnd < 0) {
                carry(buf, at, end - at);
                break;
            }
            skipLf = buf.getByte(lineEnd) == '\r';
            ByteBuf head = partial;
            if (head != null && head.isReadable()) {
                if (carry(buf, at, lineEnd - at)) {
                    onLine(head, head.readerIndex(), head.readableBytes());
                    if (result != Result.OK) {
                        break;
                    }
                    keepSpan(head);
                    partial = emptied(head);
                }
            } else if (lineEnd - at > frameMaxBytes) {
                result = Result.TOO_LONG;
            } else {
                onLine(buf, at, lineEnd - at);
            }
            at = lineEnd + 1;
        }
        if (result == Result.OK) {
            keepSpan(buf);
        }
        spanBuf = null;
        return result;
    }

    /** Index of the first LF or CR in {@code [from, to)}, or −1. */
    private static int lineEnd(ByteBuf buf, int from, int to) {
        int lf = buf.indexOf(from, to, (byte) '\n');
        int cr = buf.indexOf(from, lf < 0 ? to : lf, (byte) '\r');
        return cr < 0 ? lf : cr;
    }

    private void onLine(ByteBuf buf, int offset, int length) {
        int at = offset;
        int end = offset + length;
        if (firstLine) {
            firstLine = false;
            if (length >= 3 && buf.getUnsignedMedium(at) == 0xefbbbf) {
                at += 3;
            }
        }
        if (at == end) {
            dispatch();
            return;
        }
        byte first = buf.getByte(at);
        if (first == 'd' && isField(buf, at, end, "data")) {
            onDataLine(buf, at + 4, end, false);
        } else if (first == 'e' && isField(buf, at, end, "error")) {
            onDataLine(buf, at + 5, end, true);
        }
    }

    private static boolean isField(ByteBuf buf, int at, int end, String name) {
        int length = name.length();
        if (end - at < length || (end - at > length && buf.getByte(at + length) != ':')) {
            return false;
        }
        for (int i = 1; i < length; i++) {
            if (buf.getByte(at + i) != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private void onDataLine(ByteBuf buf, int colon, int end, boolean error) {
        int at = colon;
        if (at < end) {
            at++;
            if (at < end && buf.getByte(at) == ' ') {
                at++;
            }
        }
        if (!hasData) {
            hasData = true;
            isError = error;
            spanBuf = buf;
            spanOffset = at;
            spanLength = end - at;
            return;
        }
        isError |= error;
        if (spanBuf != null) {
            keepSpan(spanBuf);
        }
        ByteBuf joined = data;
        if (joined == null) {
            throw new IllegalStateException("data without a place");
        }
        if (joined.readableBytes() + 1 + (end - at) > frameMaxBytes) {
            result = Result.TOO_LONG;
            return;
        }
        joined.writeByte('\n');
        ByteCopy.append(joined, buf, at, end - at);
    }

    private void dispatch() {
        if (!hasData) {
            return;
        }
        hasData = false;
        ByteBuf buf = spanBuf;
        int offset = spanOffset;
        int length = spanLength;
        boolean kept = buf == null;
        if (buf == null) {
            buf = data;
            if (buf == null) {
                throw new IllegalStateException("frame without a place");
            }
            offset = buf.readerIndex();
            length = buf.readableBytes();
        }
        spanBuf = null;
        if (isError) {
            listener.onErrorField(buf, offset, length);
        } else {
            listener.onData(buf, offset, length);
        }
        if (kept) {
            data = emptied(data);
        }
    }

    /** Copies the span out of {@code owner}, whose bytes are about to go, where it lies there. */
    @SuppressWarnings("ReferenceEquality") // the same buffer is meant, not the same bytes
    private void keepSpan(ByteBuf owner) {
        if (spanBuf != owner) {
            return;
        }
        ByteBuf kept = data;
        if (kept == null) {
            kept = allocator.heapBuffer(Math.max(256, spanLength));
            data = kept;
        }
        kept.clear();
        ByteCopy.append(kept, owner, spanOffset, spanLength);
        spanBuf = null;
    }

    private boolean carry(ByteBuf buf, int offset, int length) {
        ByteBuf head = partial;
        if ((head == null ? 0 : head.readableBytes()) + length > frameMaxBytes) {
            result = Result.TOO_LONG;
            return false;
        }
        if (head == null) {
            head = allocator.heapBuffer(Math.max(256, length));
            partial = head;
        }
        ByteCopy.append(head, buf, offset, length);
        return true;
    }

    private static @Nullable ByteBuf emptied(@Nullable ByteBuf buf) {
        if (buf != null && buf.capacity() > CARRY_KEPT_MAX_BYTES) {
            buf.release();
            return null;
        }
        return buf == null ? null : buf.clear();
    }

    private static @Nullable ByteBuf freed(@Nullable ByteBuf buf) {
        if (buf != null) {
            buf.release();
        }
        return null;
    }
}
