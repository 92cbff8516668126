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
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Measures what the tokens of a stream cost in heap, from the engine's bytes to the sink, sockets apart. */
public final class StreamAllocation {
    private static final int ROUNDS = 12;
    private static final int READ_BYTES = 16 << 10;
    /** Without the leak detector, whose records are allocations too. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(true, true);

    private StreamAllocation() {}

    /**
     * Heap bytes that a stream of these frames takes after its first read: the least of some rounds.
     *
     * @param frames whole frames, {@code data:} and the empty line included, a token each
     * @param reader of one stream
     * @param before what stands between the call and the sink
     */
    public static long bytesOf(List<String> frames, Supplier<FrameReader> reader, UnaryOperator<EngineSink> before) {
        StringBuilder text = new StringBuilder(String.join(
                "\r\n", "HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "", ""));
        int head = text.length();
        for (String frame : frames) {
            text.append(Integer.toHexString(frame.length()))
                    .append("\r\n")
                    .append(frame)
                    .append("\r\n");
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.US_ASCII);
        ByteBuf in = ALLOCATOR.directBuffer(bytes.length).writeBytes(bytes);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            CountingSink sink = new CountingSink();
            Decoding decoding = new Decoding(StreamCall.unsent(before.apply(sink), ALLOCATOR, reader.get()));
            in.setIndex(0, head);
            decoding.parser.parse(in);
            in.writerIndex(Math.min(bytes.length, head + READ_BYTES));
            decoding.parser.parse(in);
            long start = threads.getCurrentThreadAllocatedBytes();
            while (in.writerIndex() < bytes.length) {
                in.writerIndex(Math.min(bytes.length, in.writerIndex() + READ_BYTES));
                decoding.parser.parse(in);
                decoding.call.onBatchEnd();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - start);
            if (sink.tokens != frames.size()) {
                throw new AssertionError(sink.tokens + " tokens of " + frames.size() + " frames");
            }
            decoding.call.abort();
        }
        in.release();
        return least;
    }

    /** The parser and one call, as the exchange drives them. */
    private static final class Decoding {
        final StreamCall call;
        final HttpResponseParser[] self = new HttpResponseParser[1];
        final HttpResponseParser parser = new HttpResponseParser(new HttpResponseParser.Listener() {
            @Override
            public void onHead() {
                call.onHead(self[0]);
            }

            @Override
            public void onBody(ByteBuf buf, int offset, int length) {
                call.onBody(buf, offset, length);
            }
        });

        Decoding(StreamCall call) {
            this.call = call;
            self[0] = parser;
        }
    }

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
}
