package io.llamaorch.orchestratord.adapters.openai;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import org.junit.jupiter.api.Test;

class PlainOpenAiAdapterIT extends OpenAiConformance {
    PlainOpenAiAdapterIT() {
        super("openai");
    }

    @Override
    protected EngineAdapter newAdapter() {
        return new OpenAiAdapter(CLIENT);
    }

    @Override
    protected ReplicaStatus ready() {
        return ReplicaStatus.ready(null, 0, 4096, EngineLoad.UNKNOWN);
    }

    @Override
    protected ReplicaStatus.State whileLoading() {
        return ReplicaStatus.State.LOADING;
    }

    /** It never says: it refuses to be asked. */
    @Override
    protected EngineUsage usage(String prompt, int tokens, FinishReason reason) {
        return new EngineUsage(reason, -1, -1, Double.NaN, Double.NaN);
    }

    @Test
    void shouldAskOnceForTheUsageOfAServerThatRefuses() {
        run(target(), Requests.completion("first", 2, SEED), new RecordingSink());
        long before = requests();
        run(target(), Requests.completion("second", 2, SEED), new RecordingSink());
        assertThat(requests()).isEqualTo(before + 1);
        assertThat(engine.lastBody()).contains("second").doesNotContain("stream_options");
    }

    private long requests() {
        String stats = engine.stats();
        int at = stats.indexOf("\"requests\":") + 11;
        return Long.parseLong(stats.substring(at, stats.indexOf(',', at)));
    }
}
