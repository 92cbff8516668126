package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.wire.JsonWalk;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TritonFramesTest {
    private static final List<String> FRAMES = List.of(
            "{\"model_name\":\"ensemble\",\"model_version\":\"1\",\"sequence_end\":false,\"sequence_id\":0,\"sequence_start\":false,\"text_output\":\" Hel\"}",
            "{\"batch_index\":0,\"context_logits\":0.0,\"cum_log_probs\":-1.5e-3,\"model_name\":\"e\",\"output_log_probs\":[0.0,-1.0],\"text_output\":\"\"}",
            "{\"finish_reason\":\"None\",\"model_name\":\"tensorrt_llm\",\"num_input_tokens\":12,\"text_output\":\"é中🙂\\n\\\"error\\\":1\\u00e9\"}",
            "{ \"stop_reason\" : [ \"None\" , null ] , \"text_output\" : \"\\\"text_output\\\":\\\"x\\\"\" }");

    private final JsonWalk walk = JsonWalk.ofThread();
    private TritonFrames frames = new TritonFrames(new TritonText(TritonText.Mode.DELTA));

    private int scan(byte[] bytes) {
        ByteBuf buf = Unpooled.wrappedBuffer(bytes);
        int found = frames.scan(walk, buf, 0, bytes.length);
        buf.release();
        return found;
    }

    private int scan(String frame) {
        return scan(frame.getBytes(StandardCharsets.UTF_8));
    }

    private String found() {
        return new String(walk.bytes(), frames.textFrom(), frames.textTo() - frames.textFrom(), StandardCharsets.UTF_8);
    }

    private static String frame(String text) {
        return "{\"model_name\":\"m\",\"text_output\":\"" + text + "\"}";
    }

    /** Whatever the scanner accepts, jackson reads the same. */
    private void agree(byte[] bytes, String as) {
        int found = scan(bytes);
        TritonFrame slow = TritonFrame.read(bytes);
        if (found == TritonFrames.ODD) {
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
        int[] found = {TritonFrames.TEXT, TritonFrames.EMPTY, TritonFrames.TEXT, TritonFrames.TEXT};
        for (int i = 0; i < found.length; i++) {
            assertThat(scan(FRAMES.get(i))).as(FRAMES.get(i)).isEqualTo(found[i]);
            agree(FRAMES.get(i).getBytes(StandardCharsets.UTF_8), "as is");
        }
        assertThat(frames.inputTokens()).isEqualTo(12);
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
                "{\"num_input_tokens\":1.5,\"text_output\":\"a\"}",
                "{\"num_input_tokens\":99999999999,\"text_output\":\"a\"}",
                "{\"text_output\":\"\\ud83d\"}",
                "{\"text_outpu\\u0074\":\"a\"}",
                "{\"text_output\":\"a\"} x",
                "{\"text_output\":\"a\"",
                "{\"text_output\":\"a\",}",
                "{\"text_output\":\"a\",\"n\":{}}")) {
            assertThat(scan(frame)).as(frame).isEqualTo(TritonFrames.ODD);
        }
        assertThat(frames.inputTokens()).isEqualTo(-1);
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
    void shouldFindTheNewPartWhenTextIsCumulative() {
        frames = new TritonFrames(new TritonText(TritonText.Mode.CUMULATIVE));
        assertThat(scan(frame(""))).isEqualTo(TritonFrames.EMPTY);
        assertThat(scan(frame("a\\n"))).isEqualTo(TritonFrames.TEXT);
        assertThat(found()).isEqualTo("a\\n");
        assertThat(scan(frame("a\\n"))).isEqualTo(TritonFrames.EMPTY);
        assertThat(scan(frame("a\\n中\\\"b"))).isEqualTo(TritonFrames.TEXT);
        assertThat(found()).isEqualTo("中\\\"b");
    }

    @Test
    void shouldHoldBackAReplacementUntilItIsConfirmed() {
        frames = new TritonFrames(new TritonText(TritonText.Mode.CUMULATIVE));
        assertThat(scan(frame("a\ufffd\ufffd"))).isEqualTo(TritonFrames.TEXT);
        assertThat(found()).isEqualTo("a");
        assertThat(scan(frame("a中"))).isEqualTo(TritonFrames.TEXT);
        assertThat(found()).isEqualTo("中");
        assertThat(scan(frame("a中\ufffd"))).isEqualTo(TritonFrames.EMPTY);
        assertThat(scan(frame("a中\ufffdb"))).isEqualTo(TritonFrames.TEXT);
        assertThat(found()).isEqualTo("\ufffdb");
    }

    @Test
    void shouldBeOddWhenCumulativeTextDoesNotGoOn() {
        frames = new TritonFrames(new TritonText(TritonText.Mode.CUMULATIVE));
        assertThat(scan(frame("Hello"))).isEqualTo(TritonFrames.TEXT);
        assertThat(scan(frame("Hell"))).isEqualTo(TritonFrames.ODD);
        assertThat(scan(frame("Jello you"))).isEqualTo(TritonFrames.ODD);
        assertThat(scan(frame("Hello you"))).isEqualTo(TritonFrames.TEXT);
        assertThat(found()).isEqualTo(" you");
    }

    @Test
    void shouldFollowALongTextWithoutLosingAByte() {
        frames = new TritonFrames(new TritonText(TritonText.Mode.CUMULATIVE));
        StringBuilder whole = new StringBuilder();
        StringBuilder got = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            whole.append(i % 7 == 0 ? " \\\"中\\\\" : " token");
            assertThat(scan(frame(whole.toString()))).isEqualTo(TritonFrames.TEXT);
            got.append(found());
        }
        assertThat(got.toString()).isEqualTo(whole.toString());
    }

    @Test
    void shouldSuspectCumulativeTextOnlyWhenFramesKeepGrowingOutOfEachOther() {
        TritonText text = new TritonText(TritonText.Mode.DELTA);
        frames = new TritonFrames(text);
        for (int i = 0; i < 9; i++) {
            scan(frame("        "));
            scan(frame("a longer piece"));
        }
        assertThat(text.isLikelyCumulative()).isFalse();
        StringBuilder whole = new StringBuilder("something");
        for (int i = 0; i < 4; i++) {
            assertThat(text.isLikelyCumulative()).isFalse();
            scan(frame(whole.append(" more").toString()));
            assertThat(found()).isEqualTo(whole.toString());
        }
        scan(frame(whole.append(" more").toString()));
        assertThat(text.isLikelyCumulative()).isTrue();
    }

    @Test
    void shouldReadBodiesInEitherShape() {
        for (String body : List.of(
                "{\"error\":\"Exceeds maximum queue size\"}",
                "data: {\"error\":\"Exceeds maximum queue size\"}\n\n",
                "data:{\"error\":\"Exceeds maximum queue size\"}")) {
            TritonFrame frame = TritonFrame.readBody(body.getBytes(StandardCharsets.UTF_8));
            assertThat(frame.kind()).isEqualTo(TritonFrame.Kind.ERROR);
            assertThat(frame.message()).isEqualTo("Exceeds maximum queue size");
        }
        assertThat(TritonFrame.readBody("Not Found".getBytes(StandardCharsets.UTF_8))
                        .kind())
                .isEqualTo(TritonFrame.Kind.UNREADABLE);
    }
}
