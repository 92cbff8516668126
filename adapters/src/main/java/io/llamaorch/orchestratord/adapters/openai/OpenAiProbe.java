package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.PromText;
import io.netty.channel.EventLoop;
import java.util.function.Consumer;

/** {@code GET /v1/models}, and what {@code /metrics} says where it is SGLang's. */
final class OpenAiProbe {
    private final EngineTarget target;
    private final EngineInquiry<ReplicaStatus> inquiry;

    OpenAiProbe(EngineHttpClient client, EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        this.target = target;
        this.inquiry = EngineInquiry.probe(client, target, loop, answer);
    }

    void begin() {
        inquiry.begin(() -> inquiry.get("/v1/models", this::onModels));
    }

    private void onModels(int status, byte[] body) {
        OpenAiModels models = status == 200 ? OpenAiModels.read(body, target.model()) : null;
        if (models == null || !models.found()) {
            inquiry.answer(OpenAiModels.problem(target, status, body, models));
            return;
        }
        inquiry.settle(ReplicaStatus.ready(null, 0, models.ctx(), EngineLoad.UNKNOWN));
        inquiry.get("/metrics", (metricsStatus, text) -> {
            EngineLoad load = metricsStatus == 200 ? load(new PromText(text)) : EngineLoad.UNKNOWN;
            inquiry.answer(ReplicaStatus.ready(null, 0, models.ctx(), load));
        });
    }

    private static EngineLoad load(PromText metrics) {
        return new EngineLoad(
                metrics.count("sglang:num_running_reqs"),
                metrics.count("sglang:num_queue_reqs"),
                metrics.max("sglang:token_usage"));
    }
}
