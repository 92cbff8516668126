package io.llamaorch.orchestratord.adapters.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.HttpResponseParser;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LlamaAllocationTest {
    private static final int FRAMES = 10_000;
    /** Without the leak detector, whose records are allocations too. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(true, true);

    private static final int READ_BYTES = 16 << 10;

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

    /** Sockets apart: the parser, the decoder and the frames of one call, as the exchange drives them. */
    private static final class Decoding {
        final CountingSink sink = new CountingSink();
        final StreamCall call = StreamCall.unsent(sink, ALLOCATOR, new LlamaReader("p"));
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

        Decoding() {
            self[0] = parser;
        }
    }

    @Test
    void shouldNotAllocateForTokens() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        StringBuilder text = new StringBuilder(String.join(
                "\r\n", "HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "", ""));
        int head = text.length();
        for (int i = 0; i < FRAMES; i++) {
            String frame = "data: {\"index\":0,\"content\":\" tok\",\"tokens\":[" + (100 + i % 900)
                    + "],\"stop\":false,\"id_slot\":0,\"tokens_predicted\":" + (i + 1) + ",\"tokens_evaluated\":8}\n\n";
            text.append(Integer.toHexString(frame.length()))
                    .append("\r\n")
                    .append(frame)
                    .append("\r\n");
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuf in = ALLOCATOR.directBuffer(bytes.length).writeBytes(bytes);
        double perToken = Double.MAX_VALUE;
        for (int round = 0; round < 12; round++) {
            Decoding decoding = new Decoding();
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
            assertThat(decoding.sink.tokens).isEqualTo(FRAMES);
            perToken = Math.min(perToken, (double) allocated / FRAMES);
            decoding.call.abort();
        }
        in.release();
        System.out.println("heap bytes per token, engine bytes to sink: " + perToken);
        assertThat(perToken).isLessThanOrEqualTo(1.0);
    }
}
