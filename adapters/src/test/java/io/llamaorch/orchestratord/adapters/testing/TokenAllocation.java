package io.llamaorch.orchestratord.adapters.testing;

import com.sun.management.ThreadMXBean;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.HttpResponseParser;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Heap bytes that a token costs from the engine's bytes to the sink: parser, decoder and frames, sockets apart. */
public final class TokenAllocation {
    private static final int FRAMES = 10_000;
    private static final int READ_BYTES = 16 << 10;
    private static final int ROUNDS = 12;
    /** Without the leak detector, whose records are allocations too. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(true, true);

    private TokenAllocation() {}

    private static final class CountingSink implements EngineSink {
        int tokens;

        @Override
        public void accepted() {}

        @Override
        public boolean token(ByteBuf text, int offset, int length) {
            tokens++;
            return true;
        }

        @Override
        public void batchEnd() {}

        @Override
        public void output(EngineOutput output) {}

        @Override
        public void end(EngineUsage usage) {}

        @Override
        public void failed(EngineFailure failure) {
            throw new AssertionError(failure);
        }
    }

    /** One call's answer, as the exchange drives it. */
    private static final class Decoding implements HttpResponseParser.Listener {
        final CountingSink sink = new CountingSink();
        final StreamCall call;
        final HttpResponseParser parser = new HttpResponseParser(this);

        Decoding(FrameReader reader, UnaryOperator<EngineSink> between) {
            call = StreamCall.unsent(between.apply(sink), ALLOCATOR, reader);
        }

        @Override
        public void onHead() {
            call.onHead(parser);
        }

        @Override
        public void onBody(ByteBuf buf, int offset, int length) {
            call.onBody(buf, offset, length);
        }
    }

    /** {@link #bytesPerToken(Supplier, IntFunction, int, UnaryOperator)} of 10,000 frames. */
    public static double bytesPerToken(Supplier<FrameReader> readers, IntFunction<String> frames) {
        return bytesPerToken(readers, frames, FRAMES, sink -> sink);
    }

    /**
     * The least of several rounds, bytes a token.
     *
     * @param readers makes a new call's reader
     * @param frames frame i with one token, with its {@code data:} and its empty line
     * @param count how many of them
     * @param between what stands between the call and the sink
     */
    public static double bytesPerToken(
            Supplier<FrameReader> readers, IntFunction<String> frames, int count, UnaryOperator<EngineSink> between) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        StringBuilder text = new StringBuilder(String.join(
                "\r\n", "HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "", ""));
        int head = text.length();
        for (int i = 0; i < count; i++) {
            String frame = frames.apply(i);
            text.append(Integer.toHexString(frame.length()))
                    .append("\r\n")
                    .append(frame)
                    .append("\r\n");
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.US_ASCII);
        ByteBuf in = ALLOCATOR.directBuffer(bytes.length).writeBytes(bytes);
        double perToken = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            Decoding decoding = new Decoding(readers.get(), between);
            in.setIndex(0, head);
            decoding.parser.parse(in);
            in.writerIndex(Math.min(bytes.length, head + READ_BYTES));
            decoding.parser.parse(in);
            long before = threads.getCurrentThreadAllocatedBytes();
            while (in.writerIndex() < bytes.length) {
                in.writerIndex(Math.min(bytes.length, in.writerIndex() + READ_BYTES));
                decoding.parser.parse(in);
                decoding.call.onBatchEnd();
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            if (decoding.sink.tokens != count) {
                throw new AssertionError(decoding.sink.tokens + " tokens of " + count);
            }
            perToken = Math.min(perToken, (double) allocated / count);
            decoding.call.abort();
        }
        in.release();
        return perToken;
    }
}
