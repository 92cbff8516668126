package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.SseDecoder.Result;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SseDecoderTest {
    private static final String STREAM = "\ufeffdata: one é中🙂\n\n" // LF
            + ":\n\n: ping\r\n\r\n"
            + "data:no space\r\n\r\n"
            + "data:  two spaces\r\rdata\r\r"
            + "event: x\nid: 7\ndata: a\ndata: b\nretry: 1\n\n"
            + "nodata: 1\n\ndatax: 1\n\n"
            + "error: {\"code\":500}\n\n"
            + "data: last\n\ndata: cut";
    private static final List<String> FRAMES =
            List.of("one é中🙂", "no space", " two spaces", "", "a\nb", "!{\"code\":500}", "last");

    private static final class Seen implements SseDecoder.Listener {
        final List<String> frames = new ArrayList<>();

        @Override
        public void onData(ByteBuf buf, int offset, int length) {
            frames.add(buf.toString(offset, length, StandardCharsets.UTF_8));
        }

        @Override
        public void onErrorField(ByteBuf buf, int offset, int length) {
            frames.add("!" + buf.toString(offset, length, StandardCharsets.UTF_8));
        }
    }

    private static List<String> decode(byte[] bytes, int... cuts) {
        Seen seen = new Seen();
        try (SseDecoder decoder = new SseDecoder(UnpooledByteBufAllocator.DEFAULT, seen)) {
            int from = 0;
            for (int k = 0; k <= cuts.length; k++) {
                int to = k < cuts.length ? cuts[k] : bytes.length;
                ByteBuf buf = Unpooled.copiedBuffer(bytes, from, to - from);
                assertThat(decoder.feed(buf, 0, to - from)).isEqualTo(Result.OK);
                buf.setZero(0, buf.capacity()).release();
                from = to;
            }
            assertThat(decoder.isWithinFrame()).isTrue();
        }
        return seen.frames;
    }

    @Test
    void shouldReadTheSameWhereverTheBytesAreCut() {
        byte[] bytes = STREAM.getBytes(StandardCharsets.UTF_8);
        for (int a = 0; a <= bytes.length; a++) {
            assertThat(decode(bytes, a)).as("cut at %d", a).isEqualTo(FRAMES);
            for (int b = a; b <= bytes.length; b += 3) {
                assertThat(decode(bytes, a, b)).as("cut at %d, %d", a, b).isEqualTo(FRAMES);
            }
        }
    }

    @Test
    void shouldReadTheSameWhenEachByteComesAlone() {
        byte[] bytes = STREAM.getBytes(StandardCharsets.UTF_8);
        int[] cuts = new int[bytes.length - 1];
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = i + 1;
        }
        assertThat(decode(bytes, cuts)).isEqualTo(FRAMES);
    }

    @Test
    void shouldHandOverInPlaceWhenTheFrameIsWhole() {
        ByteBuf whole = Unpooled.copiedBuffer("data: abc\n\n", StandardCharsets.UTF_8);
        List<Object> seen = new ArrayList<>();
        SseDecoder.Listener listener = new SseDecoder.Listener() {
            @Override
            public void onData(ByteBuf buf, int offset, int length) {
                seen.add(System.identityHashCode(buf) == System.identityHashCode(whole));
                seen.add(offset);
                seen.add(length);
            }

            @Override
            public void onErrorField(ByteBuf buf, int offset, int length) {}
        };
        try (SseDecoder decoder = new SseDecoder(UnpooledByteBufAllocator.DEFAULT, listener)) {
            decoder.feed(whole, 0, whole.readableBytes());
        }
        whole.release();
        assertThat(seen).isEqualTo(List.of(true, 6, 3));
    }

    @Test
    void shouldRefuseWhenALineOrAFramePassesTheLimit() {
        for (String text :
                List.of("data: " + "x".repeat(100), "data: " + "x".repeat(40) + "\ndata: " + "y".repeat(40) + "\n\n")) {
            for (int step : new int[] {1, 7, text.length()}) {
                try (SseDecoder decoder = new SseDecoder(UnpooledByteBufAllocator.DEFAULT, new Seen(), 64)) {
                    ByteBuf buf = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
                    Result result = Result.OK;
                    for (int i = 0; i < text.length(); i += step) {
                        result = decoder.feed(buf, i, Math.min(step, text.length() - i));
                    }
                    buf.release();
                    assertThat(result).isEqualTo(Result.TOO_LONG);
                }
            }
        }
    }

    @Test
    void shouldNeverThrowWhenBytesAreMutated() {
        long seed = 20260102;
        Random random = new Random(seed);
        byte[] origin = STREAM.getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = origin.clone();
            for (int k = random.nextInt(5); k >= 0; k--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Seen whole = new Seen();
            Seen cut = new Seen();
            ByteBuf buf = Unpooled.wrappedBuffer(bytes);
            try (SseDecoder a = new SseDecoder(UnpooledByteBufAllocator.DEFAULT, whole);
                    SseDecoder b = new SseDecoder(UnpooledByteBufAllocator.DEFAULT, cut)) {
                a.feed(buf, 0, bytes.length);
                int at = random.nextInt(bytes.length);
                b.feed(buf, 0, at);
                b.feed(buf, at, bytes.length - at);
            }
            buf.release();
            assertThat(cut.frames).as("seed %d round %d", seed, round).isEqualTo(whole.frames);
        }
    }
}
