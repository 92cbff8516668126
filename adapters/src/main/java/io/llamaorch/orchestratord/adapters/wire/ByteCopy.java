package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/** Copying out of a buffer without making objects. */
public final class ByteCopy {
    private ByteCopy() {}

    /**
     * Copies {@code buf[offset, offset + length)} (absolute index) to {@code to[at, at + length)}.
     *
     * <p>{@code ByteBuf.getBytes} and buffer-to-buffer copies make a duplicate of the NIO buffer for each call where
     * Netty runs without Unsafe, as it does here (64 B a token, LlamaAllocationTest); the buffer's own internal view is
     * made once. Only for a buffer that the calling thread alone uses.
     */
    public static void copy(ByteBuf buf, int offset, byte[] to, int at, int length) {
        if (!buf.isDirect() || buf.nioBufferCount() != 1) {
            buf.getBytes(offset, to, at, length);
            return;
        }
        ByteBuffer view = buf.internalNioBuffer(offset, length);
        view.get(to, at, length);
    }

    /** Appends {@code buf[offset, offset + length)} to {@code out}, a heap buffer. */
    static void append(ByteBuf out, ByteBuf buf, int offset, int length) {
        out.ensureWritable(length);
        int end = out.writerIndex();
        copy(buf, offset, out.array(), out.arrayOffset() + end, length);
        out.writerIndex(end + length);
    }
}
