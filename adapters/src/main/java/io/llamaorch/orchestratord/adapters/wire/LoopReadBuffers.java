package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import java.nio.ByteBuffer;

/**
 * Reads every socket of an event loop into one and the same buffer of {@value #BYTES} bytes, as long as what was read is
 * let go before the next read; who keeps it (a request that is held, a slow consumer) keeps that buffer, and the loop goes
 * on with a new one.
 *
 * <p>Netty's own guess shrinks to the size of the usual message; a read that fills its buffer is followed by another one
 * that finds nothing, which was two system calls in five where each token is a message. And an allocator's buffer a read
 * makes an object where Netty runs without Unsafe. Shared by all channels; each loop has its own buffer.
 */
public final class LoopReadBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
    /** Room for a hundred tokens. */
    public static final int BYTES = 16 * 1024;

    /** The only one there needs to be. */
    public static final LoopReadBuffers INSTANCE = new LoopReadBuffers();

    private final FastThreadLocal<ByteBuf> current = new FastThreadLocal<>() {
        @Override
        protected ByteBuf initialValue() {
            return fresh();
        }
    };

    private LoopReadBuffers() {}

    private static ByteBuf fresh() {
        return Unpooled.wrappedBuffer(ByteBuffer.allocateDirect(BYTES));
    }

    private ByteBuf take() {
        ByteBuf buffer = current.get();
        if (buffer.refCnt() != 1) {
            buffer.release(); // whoever holds it releases it for good
            buffer = fresh();
            current.set(buffer);
        }
        return buffer.clear().retain();
    }

    @Override
    @SuppressWarnings("deprecation") // the only constructor of what channels ask for
    public RecvByteBufAllocator.Handle newHandle() {
        return new MaxMessageHandle() {
            @Override
            public int guess() {
                return BYTES;
            }

            @Override
            public ByteBuf allocate(ByteBufAllocator allocator) {
                return take();
            }
        };
    }
}
