package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.adapters.wire.RequestCheck;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.adapters.wire.TargetCheck;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Any OpenAI-compatible server by the least that all have in common: {@code /v1/completions} streamed,
 * {@code /v1/embeddings}, {@code /v1/models}. Shared by all loops.
 *
 * <p>A server that refuses {@code stream_options} is asked again without at once, and from then on never with it.
 */
public final class OpenAiAdapter implements EngineAdapter {
    private static final String ENGINE = "the OpenAI-compatible server";
    private static final JsonBody NOTHING_MORE = g -> {};

    private static final EngineFeatures FEATURES = new EngineFeatures(
            true,
            Set.of(SamplingMember.TEMPERATURE, SamplingMember.TOP_P, SamplingMember.STOP),
            false,
            "The seed is passed on; whether the same seed gives the same bytes is the server's, and most promise only "
                    + "their best effort.");

    private final EngineHttpClient client;
    /** Servers that refuse {@code stream_options}: at most one entry a target. */
    private final Set<URI> withoutUsage = ConcurrentHashMap.newKeySet();

    /** An adapter on a given client. */
    public OpenAiAdapter(EngineHttpClient client) {
        this.client = client;
    }

    @Override
    public EngineKind kind() {
        return EngineKind.OPENAI;
    }

    @Override
    public Set<Workload> workloads() {
        return Set.of(Workload.COMPLETION, Workload.EMBEDDING);
    }

    @Override
    public EngineFeatures features() {
        return FEATURES;
    }

    @Override
    public @Nullable String problemOf(EngineTarget target) {
        String path = target.url().getPath() == null ? "" : target.url().getPath();
        return path.endsWith("/v1") || path.endsWith("/v1/")
                ? "engine URL ends in /v1, which is added to it: leave it out"
                : TargetCheck.of(client, target, Set.of());
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        return RequestCheck.of(this, request);
    }

    @Override
    public EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop loop, EngineSink sink) {
        String model = target.model();
        if (request.workload() != Workload.COMPLETION) {
            List<String> inputs = request.inputs();
            return OpenAiOutputs.start(
                    client,
                    target,
                    request,
                    traceparent,
                    loop,
                    sink,
                    ENGINE,
                    (status, body) -> OpenAiErrors.of(ENGINE, status, EngineFault.read(body), inputs));
        }
        String prompt = request.prompt() == null ? "" : request.prompt();
        URI url = target.url();
        boolean usage = !withoutUsage.contains(url);
        JsonBody plain = OpenAiRequest.completion(model, request, false, NOTHING_MORE);
        JsonBody body = usage ? OpenAiRequest.completion(model, request, true, NOTHING_MORE) : plain;
        OpenAiReader reader = new OpenAiReader(ENGINE, prompt, usage ? plain : null, () -> withoutUsage.add(url));
        return StreamCall.start(client, target, "/v1/completions", body, traceparent, loop, sink, reader);
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        new OpenAiProbe(client, target, loop, answer).begin();
    }
}
