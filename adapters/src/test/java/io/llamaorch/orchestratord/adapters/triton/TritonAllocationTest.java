package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.StreamAllocation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TritonAllocationTest {

    private static long bytes(List<String> frames, TritonText.Mode mode) {
        return StreamAllocation.bytesOf(
                frames, () -> new TritonReader(mode, 1 << 20, List.of("p"), () -> {}), sink -> sink);
    }

    private static String frame(String text) {
        return "data: {\"model_name\":\"m\",\"model_version\":\"1\",\"sequence_end\":false,\"sequence_id\":0,"
                + "\"sequence_start\":false,\"text_output\":\"" + text + "\"}\n\n";
    }

    @Test
    void shouldNotAllocateForTokens() {
        List<String> frames = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            frames.add(frame(" tok"));
        }
        assertThat(bytes(frames, TritonText.Mode.DELTA)).isLessThanOrEqualTo(frames.size());
    }

    @Test
    void shouldAllocateNoMoreThanAFewTimesTheTextWhenItIsCumulative() {
        List<String> frames = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 4_000; i++) {
            frames.add(frame(text.append(" tok").toString()));
        }
        // What reads cut is carried over in buffers that grow with the frames: so many bytes a stream, not a frame.
        assertThat(bytes(frames, TritonText.Mode.CUMULATIVE)).isLessThanOrEqualTo(8L * text.length());
    }
}
