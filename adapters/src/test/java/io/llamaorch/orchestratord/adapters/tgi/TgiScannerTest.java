package io.llamaorch.orchestratord.adapters.tgi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TgiScannerTest {
    private static final List<String> FRAMES = List.of(
            "{\"index\":1,\"token\":{\"id\":42,\"text\":\" Hel\",\"logprob\":-0.5,\"special\":false},\"generated_text\":null,\"details\":null}",
            "{\"index\":9,\"token\":{\"id\":7,\"text\":\"\",\"logprob\":null,\"special\":false},\"generated_text\":null,\"details\":null}",
            "{ \"details\" : null , \"token\" : { \"special\" : false , \"text\" : \"é中🙂\\n\\\"special\\\":true\\u00e9\" } }",
            "{\"token\":{\"text\":\"\\\"generated_text\\\":\\\"x\\\"\",\"special\":false},\"generated_text\":null,\"x\":[1,\"a\"]}");

    private final TgiScanner frames = TgiScanner.ofThread();

    private int scan(byte[] bytes) {
        ByteBuf buf = Unpooled.wrappedBuffer(bytes);
        int found = frames.scan(buf, 0, bytes.length);
        buf.release();
        return found;
    }

    private int scan(String frame) {
        return scan(frame.getBytes(StandardCharsets.UTF_8));
    }

    /** Whatever the scanner accepts, jackson reads the same. */
    private void agree(byte[] bytes, String as) {
        int found = scan(bytes);
        TgiFrame slow = TgiFrame.read(bytes);
        if (found == FrameScanner.ODD) {
            return;
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        assertThat(slow.kind()).as("%s: %s", as, text).isEqualTo(TgiFrame.Kind.PARTIAL);
        if (found == FrameScanner.TEXT) {
            assertThat(slow.textFrom()).as("%s: %s", as, text).isEqualTo(frames.textFrom());
            assertThat(slow.textTo()).as("%s: %s", as, text).isEqualTo(frames.textTo());
        } else {
            assertThat(slow.textTo()).as("%s: %s", as, text).isEqualTo(slow.textFrom());
        }
    }

    @Test
    void shouldAcceptWhenTheFrameIsCommon() {
        int[] found = {FrameScanner.TEXT, FrameScanner.EMPTY, FrameScanner.TEXT, FrameScanner.TEXT};
        for (int i = 0; i < found.length; i++) {
            assertThat(scan(FRAMES.get(i))).as(FRAMES.get(i)).isEqualTo(found[i]);
            agree(FRAMES.get(i).getBytes(StandardCharsets.UTF_8), "as is");
        }
    }

    @Test
    void shouldLeaveToTheSlowPathWhatIsOdd() {
        for (String frame : List.of(
                "[DONE]",
                "{}",
                "{\"token\":{\"text\":\"a\"}}",
                "{\"token\":{\"special\":false}}",
                "{\"token\":null}",
                "{\"token\":{\"id\":2,\"text\":\"</s>\",\"logprob\":-1e-3,\"special\":true},\"generated_text\":null}",
                "{\"token\":{\"text\":\"a\",\"special\":false},\"generated_text\":\"a\"}",
                "{\"token\":{\"text\":\"a\",\"special\":false},\"error\":\"a\"}",
                "{\"token\":{\"text\":\"a\",\"special\":false},\"token\":{\"text\":\"b\",\"special\":false}}",
                "{\"token\":{\"text\":\"a\",\"text\":\"b\",\"special\":false}}",
                "{\"token\":{\"text\":\"a\",\"special\":false,\"special\":true}}",
                "{\"token\":{\"text\":\"\\ud83d\",\"special\":false}}",
                "{\"tok\\u0065n\":{\"text\":\"a\",\"special\":false}}",
                "{\"token\":{\"text\":\"a\",\"special\":false}} x",
                "{\"token\":{\"text\":\"a\",\"special\":false}",
                "{\"token\":{\"text\":\"a\",\"special\":false},}",
                "{\"token\":{\"text\":\"a\",\"special\":false},\"n\":01}",
                "{\"error\":\"Model is overloaded\",\"error_type\":\"overloaded\"}")) {
            assertThat(scan(frame)).as(frame).isEqualTo(FrameScanner.ODD);
        }
    }

    @Test
    void shouldFindTheSameAsJacksonWhenFramesAreMutated() {
        long seed = 20260106;
        Random random = new Random(seed);
        String alphabet = "\"\\{}[],:0123456789-.eEfalstrunu tokenxspcigrd_\t\n\u00e4\u00b8\u00ad\u0001";
        for (int round = 0; round < 60_000; round++) {
            byte[] bytes = FRAMES.get(random.nextInt(FRAMES.size())).getBytes(StandardCharsets.UTF_8);
            for (int k = random.nextInt(4); k >= 0; k--) {
                bytes[random.nextInt(bytes.length)] = random.nextInt(3) == 0
                        ? (byte) random.nextInt(256)
                        : (byte) alphabet.charAt(random.nextInt(alphabet.length()));
            }
            agree(bytes, "seed " + seed + " round " + round);
        }
    }

    @Test
    void shouldReadTheLastFrameWithItsToken() {
        String frame = "{\"index\":2,\"token\":{\"id\":7,\"text\":\"lo\",\"logprob\":-0.1,\"special\":false},"
                + "\"generated_text\":\" Hello\",\"details\":{\"finish_reason\":\"length\",\"generated_tokens\":2,"
                + "\"seed\":18446744073709551615,\"input_length\":5}}";
        TgiFrame read = TgiFrame.read(frame.getBytes(StandardCharsets.UTF_8));
        assertThat(read.kind()).isEqualTo(TgiFrame.Kind.LAST);
        assertThat(frame.substring(read.textFrom(), read.textTo())).isEqualTo("lo");
        assertThat(read.usage()).isEqualTo(new TgiFrame.Usage("length", 5, 2));
    }

    @Test
    void shouldSkipTheTextOfASpecialTokenInTheLastFrame() {
        TgiFrame read = TgiFrame.read(
                "{\"token\":{\"text\":\"</s>\",\"special\":true},\"generated_text\":\"\",\"details\":null}"
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(read.kind()).isEqualTo(TgiFrame.Kind.LAST);
        assertThat(read.textFrom()).isNegative();
        assertThat(read.usage()).isEqualTo(new TgiFrame.Usage("", -1, -1));
    }

    @Test
    void shouldSkipTheTextOfASpecialTokenInAnyFrame() {
        TgiFrame read = TgiFrame.read("{\"token\":{\"text\":\"</s>\",\"special\":true},\"generated_text\":null}"
                .getBytes(StandardCharsets.UTF_8));
        assertThat(read.kind()).isEqualTo(TgiFrame.Kind.PARTIAL);
        assertThat(read.textFrom()).isNegative();
    }
}
