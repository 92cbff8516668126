package io.llamaorch.orchestratord.adapters.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LlamaScannerTest {
    private static final List<String> FRAMES = List.of(
            "{\"index\":0,\"content\":\"Hel\",\"tokens\":[9906],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":1,\"tokens_evaluated\":5}",
            "{\"index\":0,\"content\":\" tok\",\"tokens\":[100],\"stop\":false,\"id_slot\":0,\"tokens_predicted\":1,\"tokens_evaluated\":8}",
            "{ \"stop\" : false , \"tokens\" : [ 1 , -2.5e3 ] , \"content\" : \"é中🙂\\n\\\"stop\\\":true\\u00e9\\ud83d\\ude42\" }",
            "{\"content\":\"\\\"content\\\":\\\"x\\\",\\\"stop\\\":true\",\"stop\":false,\"model\":\"\\\"content\\\":\\\"y\\\"\"}",
            "{\"index\":0,\"content\":\"\",\"tokens\":[],\"stop\":false}");

    private static int scan(byte[] bytes) {
        ByteBuf buf = Unpooled.wrappedBuffer(bytes);
        int found = LlamaScanner.ofThread().scan(buf, 0, bytes.length);
        buf.release();
        return found;
    }

    /** Whatever the scanner accepts, jackson reads the same. */
    private static void agree(byte[] bytes, String as) {
        int found = scan(bytes);
        if (found == FrameScanner.ODD) {
            LlamaFrame.read(bytes);
            return;
        }
        LlamaFrame slow = LlamaFrame.read(bytes);
        String text = new String(bytes, StandardCharsets.UTF_8);
        assertThat(slow.kind()).as("%s: %s", as, text).isEqualTo(LlamaFrame.Kind.PARTIAL);
        assertThat(slow.textFrom())
                .as("%s: %s", as, text)
                .isEqualTo(LlamaScanner.ofThread().textFrom());
        assertThat(slow.textTo())
                .as("%s: %s", as, text)
                .isEqualTo(LlamaScanner.ofThread().textTo());
    }

    @Test
    void shouldAcceptWhenTheFrameIsCommon() {
        for (String frame : FRAMES) {
            byte[] bytes = frame.getBytes(StandardCharsets.UTF_8);
            assertThat(scan(bytes)).as(frame).isNotEqualTo(FrameScanner.ODD);
            agree(bytes, "as is");
        }
        assertThat(scan(FRAMES.get(4).getBytes(StandardCharsets.UTF_8))).isEqualTo(FrameScanner.EMPTY);
    }

    @Test
    void shouldLeaveToTheSlowPathWhatIsOdd() {
        for (String frame : List.of(
                "[DONE]",
                "{}",
                "{\"content\":\"a\"}",
                "{\"content\":\"a\",\"stop\":true}",
                "{\"content\":\"a\",\"stop\":false,\"error\":{}}",
                "{\"content\":\"\",\"stop\":false,\"prompt_progress\":{\"total\":1}}",
                "{\"content\":\"a\",\"content\":\"b\",\"stop\":false}",
                "{\"content\":\"a\",\"stop\":false,\"stop\":true}",
                "{\"c\\u006fntent\":\"a\",\"stop\":false}",
                "{\"content\":\"\\ud83d\",\"stop\":false}",
                "{\"content\":\"\\x\",\"stop\":false}",
                "{\"content\":\"a\tb\",\"stop\":false}",
                "{\"content\":\"a\",\"stop\":false} x",
                "{\"content\":\"a\",\"stop\":false,}",
                "{\"content\":\"a\",\"stop\":false,\"n\":01}",
                "{\"content\":\"a\",\"stop\":false",
                "{\"content\":null,\"stop\":false}")) {
            assertThat(scan(frame.getBytes(StandardCharsets.UTF_8))).as(frame).isEqualTo(FrameScanner.ODD);
        }
    }

    @Test
    void shouldFindTheSameAsJacksonWhenFramesAreMutated() {
        long seed = 20260103;
        Random random = new Random(seed);
        String alphabet = "\"\\{}[],:0123456789-.eEfalstrunu contentstoperror\t\n\u00e4\u00b8\u00ad\u0001";
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
    void shouldReadTheLastFrame() {
        LlamaFrame frame = LlamaFrame.read(
                """
                {"index":0,"content":"","tokens":[],"id_slot":0,"stop":true,"model":"m","tokens_predicted":3,
                "tokens_evaluated":5,"generation_settings":{"stop":[],"content":"no","timings":{"prompt_ms":7}},
                "prompt":"stop","stop_type":"limit","stopping_word":"",
                "timings":{"prompt_n":5,"prompt_ms":9.5,"predicted_ms":20.25}}"""
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(frame.kind()).isEqualTo(LlamaFrame.Kind.LAST);
        assertThat(frame.usage()).isEqualTo(new LlamaFrame.Usage("limit", 3, 5, 9.5, 20.25));
    }
}
