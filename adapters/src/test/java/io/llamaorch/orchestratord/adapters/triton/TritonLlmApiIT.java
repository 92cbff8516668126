package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.testing.TokenAllocation;
import io.llamaorch.orchestratord.adapters.testing.TritonDialect;
import io.llamaorch.orchestratord.adapters.testing.TritonDialect.Trait;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TritonLlmApiIT extends TritonConformance {
    private static final int CUMULATIVE_FRAMES = 4_000;

    TritonLlmApiIT() {
        super("tensorrt_llm");
    }

    @Override
    protected EngineUsage usage(String prompt, int tokens, FinishReason reason) {
        return new EngineUsage(reason, -1, -1, NONE, NONE);
    }

    /** A call before the first probe is asked as an ensemble; keys are the same for both, and shown there. */
    @Override
    protected boolean hasKeys() {
        return false;
    }

    /** This family has no input for two members, which only its metadata tell. */
    @Override
    protected boolean carries(String body, SamplingMember member) {
        return member == SamplingMember.REPEAT_PENALTY
                || member == SamplingMember.JSON_SCHEMA
                || super.carries(body, member);
    }

    @Override
    protected FrameReader reader() {
        return reader(TritonText.Mode.CUMULATIVE);
    }

    @Override
    protected String frame(int i) {
        return frame("c".repeat(i + 1));
    }

    /** What reads cut is carried over in buffers that grow with the frames: so many bytes a stream, not a frame. */
    @Override
    @Test
    protected void shouldNotAllocateForTokens() {
        double perToken = TokenAllocation.bytesPerToken(this::reader, this::frame, CUMULATIVE_FRAMES, sink -> sink);
        assertThat(perToken * CUMULATIVE_FRAMES).isLessThanOrEqualTo(16.0 * CUMULATIVE_FRAMES);
    }

    @Test
    void shouldFollowALongTextWithCharactersThatAreNotThereYet() {
        String prompt = "long [[cutchars=1]][[empty=50]]";
        for (Trait[] traits : List.of(new Trait[] {}, new Trait[] {Trait.NO_REASON})) {
            try (EngineDouble other = EngineDouble.start(new TritonDialect(traits), Map.of())) {
                EngineTarget target = target(other.url(), target().timeouts());
                probe(target);
                RecordingSink sink = new RecordingSink();
                EngineUsage usage = (EngineUsage) run(target, Requests.completion(prompt, 2_000, SEED), sink);
                assertThat(usage.finishReason()).isEqualTo(FinishReason.LENGTH);
                assertThat(sink.text()).isEqualTo(DoubleText.text(prompt, SEED, 2_000));
            }
        }
    }

    @Test
    void shouldWarnOnceWhenPiecesLookLikeWholeTexts() {
        EngineTarget wrong = target().withOptions(Map.of("text", "delta"));
        for (int i = 0; i < 3; i++) {
            assertThat(run(wrong, Requests.completion("warn", TOKENS, SEED), new RecordingSink()))
                    .isInstanceOf(EngineUsage.class);
        }
        assertThat(warnings).hasSize(1).allMatch(w -> w.contains("tensorrt_llm") && w.contains("cumulative"));
    }

    @Test
    void shouldRefuseWhatTheModelHasNoInputFor() {
        for (Sampling sampling : List.of(
                new Sampling(NONE, NONE, -1, NONE, 1.2, List.of(), null, null),
                new Sampling(NONE, NONE, -1, NONE, NONE, List.of(), null, "{}"))) {
            EngineFailure failure = (EngineFailure) run(target(), request("p", sampling), new RecordingSink());
            assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_PARAMS);
            assertThat(failure.retriable()).isFalse();
        }
    }
}
