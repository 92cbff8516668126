package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.MetricsEndpoint;
import io.llamaorch.orchestratord.adapters.wire.RefusedCall;
import io.llamaorch.orchestratord.adapters.wire.RequestCheck;
import io.llamaorch.orchestratord.adapters.wire.StopSink;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.adapters.wire.TargetCheck;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Triton with TensorRT-LLM by its generate extension, one {@code POST /v2/models/{m}/generate_stream} a decode. Shared by
 * all loops; what probes learned of models apart, immutable.
 *
 * <p>Options: {@value MetricsEndpoint#OPTION} (Triton shows metrics on a port of their own; without it there are none),
 * {@value #TEXT_OPTION} ({@code delta} or {@code cumulative}: what {@code text_output} of a frame is; by the model's inputs
 * where not given).
 */
public final class TritonAdapter implements EngineAdapter {
    /** Option: what a frame's text is. */
    static final String TEXT_OPTION = "text";

    private static final String MODEL_MISSING = "triton needs the name of the model";

    private static final EngineFeatures FEATURES = new EngineFeatures(
            true,
            Set.of(
                    SamplingMember.TEMPERATURE,
                    SamplingMember.TOP_P,
                    SamplingMember.TOP_K,
                    SamplingMember.REPEAT_PENALTY,
                    SamplingMember.STOP,
                    SamplingMember.JSON_SCHEMA),
            false,
            "The same seed gives the same text as long as batches have the same shape.");

    private final EngineHttpClient client;
    private final BiConsumer<EngineTarget, String> warnings;
    private final TritonModels models = new TritonModels();
    private final TritonRepository repository;

    /**
     * An adapter on a client.
     *
     * @param warnings told once a replica, on a loop, of a configuration that looks wrong
     */
    public TritonAdapter(EngineHttpClient client, BiConsumer<EngineTarget, String> warnings) {
        this.client = client;
        this.warnings = warnings;
        this.repository = new TritonRepository(client);
    }

    @Override
    public EngineKind kind() {
        return EngineKind.TRITON;
    }

    @Override
    public Set<Workload> workloads() {
        return Set.of(Workload.COMPLETION);
    }

    @Override
    public EngineFeatures features() {
        return FEATURES;
    }

    @Override
    public @Nullable String problemOf(EngineTarget target) {
        String problem = TargetCheck.of(client, target, Set.of(MetricsEndpoint.OPTION, TEXT_OPTION));
        if (problem == null) {
            problem = MetricsEndpoint.problemOf(client, target);
        }
        if (problem == null && target.model().isEmpty()) {
            problem = MODEL_MISSING;
        }
        String text = target.options().getOrDefault(TEXT_OPTION, "delta");
        if (problem == null && !text.equals("delta") && !text.equals("cumulative")) {
            problem = TEXT_OPTION + " is neither delta nor cumulative";
        }
        return problem;
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        return RequestCheck.of(this, request);
    }

    @Override
    public EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop loop, EngineSink sink) {
        TritonModel model = models.of(target);
        TritonRequest body = new TritonRequest(request, model);
        String unsupported = body.unsupported();
        if (unsupported != null) {
            return RefusedCall.of(new EngineFailure(ErrorCode.INVALID_PARAMS, unsupported, false), loop, sink);
        }
        String prompt = request.prompt();
        List<String> stops = request.sampling().stop();
        // The engine looks for the tokens of a stop string, and may overlook its text: then the call ends from here.
        StopSink before = stops.isEmpty() ? null : new StopSink(sink, stops, true);
        TritonReader reader = new TritonReader(
                mode(target, model),
                request.maxTokens(),
                prompt == null ? List.of() : List.of(prompt),
                before,
                () -> suspect(target));
        String path = TritonPaths.generate(target.model());
        if (before == null) {
            return StreamCall.start(client, target, path, body, traceparent, loop, sink, reader);
        }
        return before.before(StreamCall.start(client, target, path, body, traceparent, loop, before, reader));
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        if (target.model().isEmpty()) {
            loop.execute(() -> answer.accept(ReplicaStatus.down(MODEL_MISSING)));
        } else {
            new TritonProbe(client, target, models, loop, answer).begin();
        }
    }

    @Override
    public ModelControl modelControl() {
        return repository;
    }

    private static TritonText.Mode mode(EngineTarget target, TritonModel model) {
        String given = target.options().get(TEXT_OPTION);
        boolean cumulative = given == null ? model.family() == TritonModel.Family.LLM_API : given.equals("cumulative");
        return cumulative ? TritonText.Mode.CUMULATIVE : TritonText.Mode.DELTA;
    }

    private void suspect(EngineTarget target) {
        if (models.isFirstWarning(target)) {
            warnings.accept(
                    target,
                    "frames of model " + target.model() + " repeat the text before them: option " + TEXT_OPTION
                            + " may have to be cumulative");
        }
    }
}
