package io.llamaorch.orchestratord.adapters.tgi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.testing.StreamAllocation;
import io.llamaorch.orchestratord.adapters.wire.StopSink;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TgiAllocationTest {
    private static final int FRAMES = 10_000;

    private static long bytes(UnaryOperator<EngineSink> before) {
        List<String> frames = new ArrayList<>();
        for (int i = 0; i < FRAMES; i++) {
            frames.add(
                    "data:{\"index\":" + i + ",\"token\":{\"id\":" + (100 + i % 900)
                            + ",\"text\":\" tok\",\"logprob\":-0.5,\"special\":false},\"generated_text\":null,\"details\":null}\n\n");
        }
        return StreamAllocation.bytesOf(frames, () -> new TgiReader(List.of("p")), before);
    }

    @Test
    void shouldNotAllocateForTokens() {
        assertThat(bytes(sink -> sink)).isLessThanOrEqualTo(FRAMES);
    }

    @Test
    void shouldNotAllocateForTokensWhenStopStringsAreLookedFor() {
        assertThat(bytes(sink -> new StopSink(sink, List.of("token", "\n\n"), false)))
                .isLessThanOrEqualTo(FRAMES);
    }
}
