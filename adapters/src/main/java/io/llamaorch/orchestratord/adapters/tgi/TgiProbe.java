package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.MetricsEndpoint;
import io.llamaorch.orchestratord.adapters.wire.PromText;
import io.netty.channel.EventLoop;
import java.util.function.Consumer;

/**
 * {@code GET /health}, {@code /info}, then the metrics: how a TGI is. After a failed generation {@code /health} decodes a
 * token before it answers, which may take long.
 */
final class TgiProbe {
    private final EngineTarget target;
    private final EngineInquiry<ReplicaStatus> inquiry;

    TgiProbe(EngineHttpClient client, EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        this.target = target;
        this.inquiry = EngineInquiry.probe(client, target, loop, answer);
    }

    void begin() {
        inquiry.begin(() -> inquiry.get("/health", this::onHealth));
    }

    private void onHealth(int status, byte[] body) {
        if (status == 200) {
            inquiry.get("/info", this::onInfo);
            return;
        }
        String said = EngineFault.told("/health answered " + status, body);
        inquiry.answer(status == 503 ? ReplicaStatus.loading(said) : ReplicaStatus.down(said));
    }

    private void onInfo(int status, byte[] body) {
        TgiInfo info = status == 200 ? TgiInfo.read(body) : new TgiInfo();
        if (info == null) {
            inquiry.answer(ReplicaStatus.down("/info is not what tgi answers"));
            return;
        }
        inquiry.settle(info.ready(EngineLoad.UNKNOWN));
        MetricsEndpoint elsewhere = MetricsEndpoint.of(target);
        EngineInquiry.Answered then = (metricsStatus, text) ->
                inquiry.answer(info.ready(metricsStatus == 200 ? load(text) : EngineLoad.UNKNOWN));
        if (elsewhere == null) {
            inquiry.get("/metrics", then);
        } else {
            inquiry.getAt(elsewhere.target(), elsewhere.path(), then);
        }
    }

    /**
     * Reads the metrics. The KV figure is derived: tokens that the running batch may come to, of those that a batch may
     * have.
     */
    static EngineLoad load(byte[] metrics) {
        PromText text = new PromText(metrics);
        return new EngineLoad(
                text.count("tgi_batch_current_size"),
                text.count("tgi_queue_size"),
                text.sum("tgi_batch_current_max_tokens") / text.sum("tgi_batch_max_total_tokens"));
    }
}
