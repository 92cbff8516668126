package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.openai.OpenAiOutputs;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.RequestCheck;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.adapters.wire.TargetCheck;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * llama.cpp's {@code llama-server} by its native API, one streamed {@code POST /completion} a decode. Shared by all loops;
 * immutable.
 *
 * <p>llama-server defers without bound what comes past its slots: keeping to them is the scheduler's. A decode is
 * canceled by closing its connection, which the engine notices at its next write or within about 1 s.
 */
public final class LlamaCppAdapter implements EngineAdapter {
    private static final EngineFeatures FEATURES = new EngineFeatures(
            true,
            EnumSet.allOf(SamplingMember.class),
            false,
            "The same seed gives the same bytes at one slot with the prompt cache off; with several slots the batch's "
                    + "shape moves the last bits of logits.");

    private final EngineHttpClient client;
    private final ModelControl router;

    /** An adapter on a given client. */
    public LlamaCppAdapter(EngineHttpClient client) {
        this.client = client;
        this.router = new LlamaRouter(client);
    }

    @Override
    public EngineKind kind() {
        return EngineKind.LLAMACPP;
    }

    @Override
    public Set<Workload> workloads() {
        return Set.of(Workload.COMPLETION, Workload.EMBEDDING, Workload.RERANK);
    }

    @Override
    public EngineFeatures features() {
        return FEATURES;
    }

    @Override
    public @Nullable String problemOf(EngineTarget target) {
        return TargetCheck.of(client, target, Set.of());
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        return RequestCheck.of(this, request);
    }

    @Override
    public EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop loop, EngineSink sink) {
        String model = target.model();
        return switch (request.workload()) {
            case COMPLETION -> {
                String prompt = request.prompt();
                LlamaReader reader = new LlamaReader(prompt == null ? "" : prompt);
                yield StreamCall.start(
                        client,
                        target,
                        "/completion",
                        LlamaRequest.completion(model, request),
                        traceparent,
                        loop,
                        sink,
                        reader);
            }
            case EMBEDDING, RERANK ->
                OpenAiOutputs.start(
                        client,
                        target,
                        request,
                        traceparent,
                        loop,
                        sink,
                        LlamaErrors.ENGINE,
                        refusal(request.inputs()));
        };
    }

    private static BiFunction<Integer, byte[], EngineFailure> refusal(List<String> inputs) {
        return (status, body) -> LlamaErrors.of(status, EngineFault.read(body), inputs);
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        new LlamaProbe(client, target, loop, answer).begin();
    }

    @Override
    public ModelControl modelControl() {
        return router;
    }
}
