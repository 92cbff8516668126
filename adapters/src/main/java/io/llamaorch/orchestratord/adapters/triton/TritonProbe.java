package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.FrameJson;
import io.llamaorch.orchestratord.adapters.wire.MetricsEndpoint;
import io.llamaorch.orchestratord.adapters.wire.PromText;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /v2/models/{m}/ready}, {@code /v2}, {@code /v2/models/{m}}, then the metrics where their URL is configured:
 * how a Triton's model is, and how it wants to be asked. A model that is not ready is a 400.
 */
final class TritonProbe {
    private final EngineTarget target;
    private final TritonModels models;
    private final EngineInquiry<ReplicaStatus> inquiry;
    private @Nullable String version;

    TritonProbe(
            EngineHttpClient client,
            EngineTarget target,
            TritonModels models,
            EventLoop loop,
            Consumer<ReplicaStatus> answer) {
        this.target = target;
        this.models = models;
        this.inquiry = EngineInquiry.probe(client, target, loop, answer);
    }

    void begin() {
        inquiry.begin(() -> inquiry.get(TritonPaths.ready(target.model()), this::onReady));
    }

    private void onReady(int status, byte[] body) {
        if (status == 200) {
            inquiry.get(TritonPaths.SERVER, this::onServer);
            return;
        }
        String said = EngineFault.told("readiness of the model answered " + status, body);
        boolean coming = status == 400 || status == 404 || status == 503;
        inquiry.answer(coming ? ReplicaStatus.loading(said) : ReplicaStatus.down(said));
    }

    private void onServer(int status, byte[] body) {
        if (status == 200 && !FrameJson.readObject(body, this::serverMember)) {
            inquiry.answer(ReplicaStatus.down("/v2 is not what triton answers"));
            return;
        }
        inquiry.get(TritonPaths.model(target.model()), this::onMetadata);
    }

    private void serverMember(String name, JsonToken value, FrameJson in) throws IOException {
        if (name.equals("version")) {
            version = EngineWords.presentable(in.text());
        }
    }

    private void onMetadata(int status, byte[] body) {
        TritonModel model = status == 200 ? TritonModel.read(body) : null;
        if (model != null) {
            models.learned(target, model);
        }
        ReplicaStatus enough = ReplicaStatus.ready(version, 0, 0, EngineLoad.UNKNOWN);
        MetricsEndpoint metrics = MetricsEndpoint.of(target);
        if (metrics == null) {
            inquiry.answer(enough);
            return;
        }
        inquiry.settle(enough);
        inquiry.getAt(
                metrics.target(),
                metrics.path(),
                (metricsStatus, text) ->
                        inquiry.answer(metricsStatus == 200 ? ready(version, target.model(), text) : enough));
    }

    /**
     * Reads the metrics: TensorRT-LLM's own of what runs, waits and may run at once (under the name of the model within an
     * ensemble, so by their type alone), Triton's count of pending requests where there are none.
     */
    static ReplicaStatus ready(@Nullable String version, String model, byte[] metrics) {
        PromText text = new PromText(metrics);
        double waiting = text.sum("nv_trt_llm_request_metrics", "request_type=\"waiting\"");
        if (Double.isNaN(waiting)) {
            waiting = text.sum("nv_inference_pending_request_count", "model=\"" + model + "\"");
        }
        EngineLoad load = new EngineLoad(
                count(text.sum("nv_trt_llm_request_metrics", "request_type=\"active\""), -1),
                count(waiting, -1),
                text.sum("nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type=\"fraction\""));
        int slots = count(text.sum("nv_trt_llm_request_metrics", "request_type=\"max\""), 0);
        return ReplicaStatus.ready(version, slots, 0, load);
    }

    private static int count(double value, int otherwise) {
        return value >= 0 && value <= Integer.MAX_VALUE ? (int) value : otherwise;
    }
}
