package io.llamaorch.orchestratord.server.sse;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The buffer in which a loop hands bytes to its sockets: one, used again and again.
 *
 * <p>Nearly every write goes into the kernel at once, so the buffer is free again when the write returns. Where a socket
 * does not take all, the buffer is left to Netty and the next one is new. An allocator's buffer a write would cost two
 * objects where Netty runs without Unsafe (a view for copying, one for the socket). <b>Owner thread:</b> the loop.
 */
final class SendBuffer {
    private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final int capacity;
    private ByteBuf buffer;
    private ByteBuffer bytes;

    /**
     * A send buffer.
     *
     * @param capacity most bytes of a usual write
     */
    SendBuffer(int capacity) {
        this.capacity = capacity;
        this.buffer = Unpooled.EMPTY_BUFFER;
        this.bytes = ByteBuffer.allocate(0);
    }

    /** An empty buffer with room for {@code size} bytes; the caller's to release, as any. */
    private ByteBuf take(int size) {
        if (size > capacity) {
            ByteBuf own = UnpooledByteBufAllocator.DEFAULT.directBuffer(size);
            bytes = own.internalNioBuffer(0, size);
            return own;
        }
        if (buffer.refCnt() != 1 || buffer.capacity() == 0) {
            // The first, or the last one is still on its way: whoever holds it releases it.
            buffer.release();
            buffer = Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(capacity));
        }
        bytes = buffer.clear().internalNioBuffer(0, capacity);
        return buffer.retain();
    }

    /** A frame, as it stands in a writer. */
    ByteBuf frame(FrameWriter writer) {
        ByteBuf out = take(writer.length());
        bytes.clear();
        bytes.put(0, writer.bytes(), 0, writer.length());
        return out.writerIndex(writer.length());
    }

    /** A part of a log, with the end of the body behind it where it is the last. */
    ByteBuf log(FrameLog log, int offset, int length, boolean last) {
        int size = length + (last ? LAST_CHUNK.length : 0);
        ByteBuf out = take(size);
        bytes.clear();
        log.copyTo(bytes, 0, offset, length);
        if (last) {
            bytes.put(length, LAST_CHUNK);
        }
        return out.writerIndex(size);
    }
}
