package io.llamaorch.orchestratord.adapters.vllm;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.openai.OpenAiModels;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import io.llamaorch.orchestratord.adapters.wire.PromText;
import io.netty.channel.EventLoop;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code /health}, {@code /v1/models}, then {@code /version} and {@code /metrics} where they are given: how a vLLM server
 * is. It listens only once its model is loaded: a refused connection while it starts is not told from a dead server here.
 */
final class VllmProbe {
    private final EngineTarget target;
    private final EngineInquiry<ReplicaStatus> inquiry;

    VllmProbe(EngineHttpClient client, EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        this.target = target;
        this.inquiry = EngineInquiry.probe(client, target, loop, answer);
    }

    void begin() {
        inquiry.begin(() -> inquiry.get("/health", this::onHealth));
    }

    private void onHealth(int status, byte[] body) {
        if (status == 200) {
            inquiry.get("/v1/models", this::onModels);
        } else {
            // 503 is not loading here: its engine is dead.
            inquiry.answer(ReplicaStatus.down("/health answered " + status));
        }
    }

    private void onModels(int status, byte[] body) {
        OpenAiModels models = status == 200 ? OpenAiModels.read(body, target.model()) : null;
        if (models == null || !models.found()) {
            inquiry.answer(OpenAiModels.problem(target, status, body, models));
            return;
        }
        inquiry.settle(ReplicaStatus.ready(null, 0, models.ctx(), EngineLoad.UNKNOWN));
        inquiry.get("/version", (versionStatus, text) -> {
            String version = versionStatus == 200 ? version(text) : null;
            inquiry.settle(ReplicaStatus.ready(version, 0, models.ctx(), EngineLoad.UNKNOWN));
            inquiry.get("/metrics", (metricsStatus, gauges) -> {
                EngineLoad load = metricsStatus == 200 ? load(new PromText(gauges)) : EngineLoad.UNKNOWN;
                inquiry.answer(ReplicaStatus.ready(version, 0, models.ctx(), load));
            });
        });
    }

    private static @Nullable String version(byte[] body) {
        String[] said = {""};
        boolean good = FrameJson.readObject(body, (name, value, in) -> {
            if (name.equals("version") && value == JsonToken.VALUE_STRING) {
                said[0] = EngineWords.presentable(in.text());
            }
        });
        return good && !said[0].isEmpty() ? said[0] : null;
    }

    /** One series an engine process: counts add up, of the caches the fullest one counts. */
    static EngineLoad load(PromText metrics) {
        double kv = metrics.max("vllm:kv_cache_usage_perc");
        return new EngineLoad(
                metrics.count("vllm:num_requests_running"),
                metrics.count("vllm:num_requests_waiting"),
                Double.isNaN(kv) ? metrics.max("vllm:gpu_cache_usage_perc") : kv);
    }
}
