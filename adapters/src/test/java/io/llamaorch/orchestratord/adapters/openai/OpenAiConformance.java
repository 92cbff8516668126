package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.testing.EngineConformanceSuite;
import io.llamaorch.orchestratord.adapters.testing.EngineDouble;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import java.util.HashMap;
import java.util.Map;

/** What the doubles of OpenAI-compatible servers have in common. */
public abstract class OpenAiConformance extends EngineConformanceSuite {
    private final String flavour;

    /** A suite against the double of that name. */
    protected OpenAiConformance(String flavour) {
        this.flavour = flavour;
    }

    @Override
    protected EngineDouble newDouble(Map<String, String> knobs) {
        Map<String, String> all = new HashMap<>(knobs);
        all.put("engine", flavour);
        return EngineDouble.start(all);
    }

    @Override
    protected Map<String, ErrorCode> streamFaults() {
        return Map.of(
                "close", ErrorCode.WORKER_RESET,
                "rst", ErrorCode.WORKER_RESET,
                "garbage", ErrorCode.INTERNAL,
                "badchunk", ErrorCode.INTERNAL,
                "inband_error", ErrorCode.INTERNAL,
                "inband_full", ErrorCode.ADMISSION_REJECT,
                "abort", ErrorCode.WORKER_RESET,
                "done_only", ErrorCode.WORKER_RESET,
                "eof_no_terminal", ErrorCode.WORKER_RESET,
                "midutf8", ErrorCode.WORKER_RESET);
    }

    @Override
    protected Map<String, ErrorCode> refusals() {
        return Map.of(
                "http400", ErrorCode.INVALID_PARAMS,
                "http401", ErrorCode.POOL_UNAVAILABLE,
                "http429", ErrorCode.ADMISSION_REJECT,
                "http500", ErrorCode.INTERNAL,
                "http503", ErrorCode.POOL_UNREADY,
                "queuefull", ErrorCode.ADMISSION_REJECT,
                "dead", ErrorCode.WORKER_RESET,
                "toolong", ErrorCode.INVALID_PARAMS);
    }

    @Override
    protected EngineUsage usage(String prompt, int tokens, FinishReason reason) {
        return new EngineUsage(reason, prompt.length() / 4, tokens, Double.NaN, Double.NaN);
    }

    @Override
    protected FrameReader reader() {
        return new OpenAiReader("the engine", "p");
    }

    @Override
    protected String frame(int i) {
        return "data: {\"id\":\"cmpl-" + i
                + "\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":"
                + "[{\"index\":0,\"text\":\" tok\",\"logprobs\":null,\"finish_reason\":null,\"stop_reason\":null,"
                + "\"prompt_token_ids\":null,\"token_ids\":null}],\"usage\":{\"prompt_tokens\":0}}\n\n";
    }
}
