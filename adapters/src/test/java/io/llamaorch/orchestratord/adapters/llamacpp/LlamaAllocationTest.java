package io.llamaorch.orchestratord.adapters.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.StreamAllocation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LlamaAllocationTest {
    private static final int FRAMES = 10_000;

    @Test
    void shouldNotAllocateForTokens() {
        List<String> frames = new ArrayList<>();
        for (int i = 0; i < FRAMES; i++) {
            frames.add("data: {\"index\":0,\"content\":\" tok\",\"tokens\":[" + (100 + i % 900)
                    + "],\"stop\":false,\"id_slot\":0,\"tokens_predicted\":" + (i + 1)
                    + ",\"tokens_evaluated\":8}\n\n");
        }
        long bytes = StreamAllocation.bytesOf(frames, () -> new LlamaReader("p"), sink -> sink);
        System.out.println("heap bytes per token, engine bytes to sink: " + (double) bytes / FRAMES);
        assertThat(bytes).isLessThanOrEqualTo(FRAMES);
    }
}
