package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TritonScannerTest {
    private static final List<String> FRAMES = List.of(
            "{\"model_name\":\"ensemble\",\"model_version\":\"1\",\"sequence_end\":false,\"sequence_id\":0,\"sequence_start\":false,\"text_output\":\" Hel\"}",
            "{\"batch_index\":0,\"context_logits\":0.0,\"cum_log_probs\":-1.5e-3,\"model_name\":\"e\",\"output_log_probs\":[0.0,-1.0],\"text_output\":\"\"}",
            "{\"finish_reason\":\"None\",\"model_name\":\"tensorrt_llm\",\"num_input_tokens\":12,\"text_output\":\"é中🙂\\n\\\"error\\\":1\\u00e9\"}",
            "{ \"stop_reason\" : [ \"None\" , null ] , \"text_output\" : \"\\\"text_output\\\":\\\"x\\\"\" }");

    private final TritonScanner frames = TritonScanner.ofThread();

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
        TritonFrame slow = TritonFrame.read(bytes);
        if (found == FrameScanner.ODD) {
            return;
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        assertThat(slow.kind()).as("%s: %s", as, text).isEqualTo(TritonFrame.Kind.DATA);
        assertThat(slow.finishReason()).as("%s: %s", as, text).isEmpty();
        assertThat(slow.textFrom()).as("%s: %s", as, text).isEqualTo(frames.textFrom());
        assertThat(slow.textTo()).as("%s: %s", as, text).isEqualTo(frames.textTo());
    }

    @Test
    void shouldAcceptWhenTheFrameIsCommon() {
        int[] found = {FrameScanner.TEXT, FrameScanner.EMPTY, FrameScanner.TEXT, FrameScanner.TEXT};
        for (int i = 0; i < found.length; i++) {
            assertThat(scan(FRAMES.get(i))).as(FRAMES.get(i)).isEqualTo(found[i]);
            agree(FRAMES.get(i).getBytes(StandardCharsets.UTF_8), "as is");
        }
        assertThat(TritonFrame.read(FRAMES.get(2).getBytes(StandardCharsets.UTF_8))
                        .inputTokens())
                .isEqualTo(12);
    }

    @Test
    void shouldLeaveToTheSlowPathWhatIsOdd() {
        for (String frame : List.of(
                "[DONE]",
                "{}",
                "{\"text_output\":null}",
                "{\"text_output\":[\"a\",\"b\"]}",
                "{\"text_output\":\"a\",\"text_output\":\"b\"}",
                "{\"text_output\":\"a\",\"error\":\"b\"}",
                "{\"error\":\"b\"}",
                "{\"finish_reason\":\"length\",\"text_output\":\"a\"}",
                "{\"finish_reason\":null,\"text_output\":\"a\"}",
                "{\"text_output\":\"\\ud83d\"}",
                "{\"text_outpu\\u0074\":\"a\"}",
                "{\"text_output\":\"a\"} x",
                "{\"text_output\":\"a\"",
                "{\"text_output\":\"a\",}")) {
            assertThat(scan(frame)).as(frame).isEqualTo(FrameScanner.ODD);
        }
    }

    @Test
    void shouldFindTheSameAsJacksonWhenFramesAreMutated() {
        long seed = 20260108;
        Random random = new Random(seed);
        String alphabet = "\"\\{}[],:0123456789-.eEfalstrunu text_ouperron\t\n\u00e4\u00b8\u00ad\u0001";
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
    void shouldScanFramesLongerThanTheScratchArray() {
        String text = "long ".repeat(20_000);
        assertThat(scan("{\"text_output\":\"" + text + "\"}")).isEqualTo(FrameScanner.TEXT);
        assertThat(frames.textTo() - frames.textFrom()).isEqualTo(text.length());
        assertThat(scan("{\"text_output\":\"" + text.repeat(11) + "\"}")).isEqualTo(FrameScanner.ODD);
    }
}
