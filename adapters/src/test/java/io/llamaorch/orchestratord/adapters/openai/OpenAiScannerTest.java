package io.llamaorch.orchestratord.adapters.openai;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class OpenAiScannerTest {
    private static final List<String> FRAMES = List.of(
            "{\"id\":\"cmpl-abc\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"Hel\",\"logprobs\":null,\"finish_reason\":null,\"stop_reason\":null}]}",
            "{ \"choices\" : [ { \"finish_reason\" : \"\" , \"text\" : \"é中🙂\\n\\\"text\\\":\\ud83d\\ude42\" } ] , \"usage\" : { \"a\" : [ { \"b\" : -2.5e3 } , [ ] , { } ] } }",
            "{\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":null}],\"usage\":null}");

    private static int scan(byte[] bytes) {
        ByteBuf buf = Unpooled.wrappedBuffer(bytes);
        int found = OpenAiScanner.ofThread().scan(buf, 0, bytes.length);
        buf.release();
        return found;
    }

    /** Whatever the scanner accepts, jackson reads the same. */
    private static void agree(byte[] bytes, String as) {
        if (scan(bytes) == FrameScanner.ODD) {
            OpenAiFrame.read(bytes);
            return;
        }
        OpenAiFrame slow = OpenAiFrame.read(bytes);
        String text = new String(bytes, StandardCharsets.UTF_8);
        assertThat(slow).as("%s: %s", as, text).isNotNull();
        assertThat(slow.error()).as("%s: %s", as, text).isNull();
        assertThat(slow.finish()).as("%s: %s", as, text).isEmpty();
        assertThat(slow.textFrom())
                .as("%s: %s", as, text)
                .isEqualTo(OpenAiScanner.ofThread().textFrom());
        assertThat(slow.textTo())
                .as("%s: %s", as, text)
                .isEqualTo(OpenAiScanner.ofThread().textTo());
    }

    @Test
    void shouldAcceptWhenTheFrameIsCommon() {
        for (String frame : FRAMES) {
            byte[] bytes = frame.getBytes(StandardCharsets.UTF_8);
            assertThat(scan(bytes)).as(frame).isNotEqualTo(FrameScanner.ODD);
            agree(bytes, "as is");
        }
        assertThat(scan(FRAMES.get(2).getBytes(StandardCharsets.UTF_8))).isEqualTo(FrameScanner.EMPTY);
    }

    @Test
    void shouldLeaveToTheSlowPathWhatIsOdd() {
        for (String frame : List.of(
                "[DONE]",
                "{}",
                "{\"choices\":[]}",
                "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}]}",
                "{\"choices\":[{\"text\":\"a\"},{\"text\":\"b\"}]}",
                "{\"choices\":[{\"text\":\"a\",\"text\":\"b\"}]}",
                "{\"choices\":[{\"text\":null}]}",
                "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
                "{\"choices\":[{\"text\":\"a\"}],\"error\":null}",
                "{\"choices\":[{\"text\":\"a\"}],\"choices\":[]}",
                "{\"choices\":[{\"t\\u0065xt\":\"a\"}]}",
                "{\"choices\":[{\"text\":\"\\ud83d\"}]}",
                "{\"choices\":[{\"text\":\"a\"}]} x",
                "{\"choices\":[{\"text\":\"a\"}],\"n\":01}",
                "{\"choices\":[{\"text\":\"a\"}],\"deep\":[[[[[[[[[[0]]]]]]]]]]}")) {
            assertThat(scan(frame.getBytes(StandardCharsets.UTF_8))).as(frame).isEqualTo(FrameScanner.ODD);
        }
    }

    @Test
    void shouldFindTheSameAsJacksonWhenFramesAreMutated() {
        long seed = 20261123;
        Random random = new Random(seed);
        String alphabet = "\"\\{}[],:0123456789-.eEfalstrunu textchoicesfinish_error\t\n\u00e4\u00b8\u00ad\u0001";
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
}
