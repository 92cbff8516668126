package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.EngineInquiry;
import io.llamaorch.orchestratord.adapters.wire.EngineWords;
import io.llamaorch.orchestratord.adapters.wire.PromText;
import io.netty.channel.EventLoop;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * {@code /health}, {@code /props}, then the load from {@code /slots} and {@code /metrics} where it is given: how a
 * llama-server is. Of a router: {@code /props}, then how the target's model is, then the same of its child.
 */
final class LlamaProbe {
    private final EngineTarget target;
    private final EngineInquiry<ReplicaStatus> inquiry;

    LlamaProbe(EngineHttpClient client, EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        this.target = target;
        this.inquiry = EngineInquiry.probe(client, target, loop, answer);
    }

    void begin() {
        inquiry.begin(() -> inquiry.get("/health", this::onHealth));
    }

    private void onHealth(int status, byte[] body) {
        if (status == 200) {
            inquiry.get("/props", this::onProps);
            return;
        }
        String said = EngineFault.told("/health answered " + status, body);
        inquiry.answer(status == 503 ? ReplicaStatus.loading(said) : ReplicaStatus.down(said));
    }

    private void onProps(int status, byte[] body) {
        LlamaProps props = status == 200 ? LlamaProps.read(body) : null;
        if (props != null && props.router()) {
            router();
        } else if (props != null) {
            ready(props, "");
        } else if (status == 200) {
            inquiry.answer(ReplicaStatus.down("/props is not what llama-server answers"));
        } else if (status == 503) {
            inquiry.answer(ReplicaStatus.loading("/props answered 503"));
        } else if (status == 401 || status == 403) {
            inquiry.answer(ReplicaStatus.down("/props answered " + status + ": the engine wants an API key"));
        } else {
            // A build or a proxy without /props: healthy, and the figures come from the configuration.
            inquiry.answer(ReplicaStatus.ready(null, 0, 0, EngineLoad.UNKNOWN));
        }
    }

    private void router() {
        if (target.model().isEmpty()) {
            inquiry.answer(ReplicaStatus.down("a llama-server router: name one of its models"));
            return;
        }
        inquiry.get("/models", (status, body) -> {
            LlamaModel model = status == 200 ? LlamaModel.find(body, target.model()) : null;
            if (model == null) {
                inquiry.answer(ReplicaStatus.down("the router does not know model " + name()));
            } else if (model.isUsable()) {
                childProps(model);
            } else {
                String why = "model " + name() + " is " + model.words();
                inquiry.answer(model.failed() ? ReplicaStatus.down(why) : ReplicaStatus.loading(why));
            }
        });
    }

    private void childProps(LlamaModel model) {
        // What else is asked of a sleeping child would wake it.
        boolean asleep = model.value().equals("sleeping");
        inquiry.settle(ReplicaStatus.ready(null, 0, 0, EngineLoad.UNKNOWN));
        String query = "?model=" + URLEncoder.encode(target.model(), StandardCharsets.UTF_8) + "&autoload=false";
        inquiry.get("/props" + query, (status, body) -> {
            LlamaProps props = status == 200 ? LlamaProps.read(body) : null;
            if (props == null || asleep) {
                inquiry.answer(ReplicaStatus.ready(
                        props == null ? null : props.build(),
                        props == null ? 0 : props.slots(),
                        props == null ? 0 : props.ctx(),
                        EngineLoad.UNKNOWN));
            } else {
                ready(props, query);
            }
        });
    }

    /** The model is there; what follows only tells how busy it is. */
    private void ready(LlamaProps props, String query) {
        inquiry.settle(ready(props, EngineLoad.UNKNOWN));
        inquiry.get("/slots" + query, (status, body) -> {
            EngineLoad load = status == 200 ? LlamaSlots.read(body) : EngineLoad.UNKNOWN;
            inquiry.settle(ready(props, load));
            inquiry.get(
                    "/metrics" + query,
                    (metricsStatus, text) ->
                            inquiry.answer(ready(props, metricsStatus == 200 ? add(load, text) : load)));
        });
    }

    private static ReplicaStatus ready(LlamaProps props, EngineLoad load) {
        return ReplicaStatus.ready(props.build(), props.slots(), props.ctx(), load);
    }

    /** Gauges where {@code --metrics} was given; the KV gauge is of old builds only. */
    private static EngineLoad add(EngineLoad load, byte[] text) {
        PromText metrics = new PromText(text);
        int running = metrics.count("llamacpp:requests_processing");
        double kv = metrics.sum("llamacpp:kv_cache_usage_ratio");
        return new EngineLoad(
                running < 0 ? load.running() : running,
                metrics.count("llamacpp:requests_deferred"),
                Double.isNaN(load.kvUsage()) ? kv : load.kvUsage());
    }

    private String name() {
        return EngineWords.presentable(target.model());
    }
}
