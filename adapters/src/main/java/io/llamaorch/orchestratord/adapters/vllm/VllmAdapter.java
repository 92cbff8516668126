package io.llamaorch.orchestratord.adapters.vllm;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.openai.OpenAiErrors;
import io.llamaorch.orchestratord.adapters.openai.OpenAiOutputs;
import io.llamaorch.orchestratord.adapters.openai.OpenAiReader;
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
 * vLLM by its OpenAI server, one streamed {@code POST /v1/completions} a decode. Shared by all loops; immutable.
 *
 * <p>Its waiting queue is unbounded: keeping to the configured slots is the scheduler's. Closing the connection cancels.
 */
public final class VllmAdapter implements EngineAdapter {
    private static final String ENGINE = "vLLM";

    private static final EngineFeatures FEATURES = new EngineFeatures(
            true,
            EnumSet.allOf(SamplingMember.class),
            false,
            "The same seed samples alike; the batch's shape and the prefix cache move the last bits of logits, unless the "
                    + "server runs with VLLM_BATCH_INVARIANT=1.");

    private final EngineHttpClient client;

    /** An adapter on a given client. */
    public VllmAdapter(EngineHttpClient client) {
        this.client = client;
    }

    @Override
    public EngineKind kind() {
        return EngineKind.VLLM;
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
        String constraints = target.options().get(VllmRequest.CONSTRAINTS);
        return constraints != null && !VllmRequest.isConstraints(constraints)
                ? "option 'constraints' is structured_outputs or guided"
                : TargetCheck.of(client, target, Set.of(VllmRequest.CONSTRAINTS));
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
                String prompt = request.prompt() == null ? "" : request.prompt();
                yield StreamCall.start(
                        client,
                        target,
                        "/v1/completions",
                        VllmRequest.completion(model, target.options(), request),
                        traceparent,
                        loop,
                        sink,
                        new OpenAiReader(ENGINE, prompt));
            }
            case EMBEDDING, RERANK ->
                OpenAiOutputs.start(
                        client, target, request, traceparent, loop, sink, ENGINE, refusal(request.inputs()));
        };
    }

    private static BiFunction<Integer, byte[], EngineFailure> refusal(List<String> inputs) {
        return (status, body) -> OpenAiErrors.of(ENGINE, status, EngineFault.read(body), inputs);
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        new VllmProbe(client, target, loop, answer).begin();
    }
}
