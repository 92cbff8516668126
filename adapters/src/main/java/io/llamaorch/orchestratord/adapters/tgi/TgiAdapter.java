package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.MetricsEndpoint;
import io.llamaorch.orchestratord.adapters.wire.RequestCheck;
import io.llamaorch.orchestratord.adapters.wire.StopSink;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.adapters.wire.TargetCheck;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Text Generation Inference by its native API, one streamed {@code POST /generate_stream} a decode. Shared by all loops;
 * immutable.
 *
 * <p>Options: {@value MetricsEndpoint#OPTION} (metrics elsewhere than at {@code /metrics}),
 * {@value #MAX_STOPS_OPTION} (what the engine was started with, where not 4). The engine is sent that many stop strings
 * at most, and all are looked for here: its tokens may hold part of a stop string before it stops, and a stop string
 * that it was not sent ends the decode from here.
 */
public final class TgiAdapter implements EngineAdapter {
    /** Option: stop strings that the engine takes. */
    static final String MAX_STOPS_OPTION = "max_stop_sequences";

    private static final int MAX_STOPS_DEFAULT = 4;
    private static final int MAX_STOPS_LIMIT = 1024;

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

    /** An adapter on a client. */
    public TgiAdapter(EngineHttpClient client) {
        this.client = client;
    }

    @Override
    public EngineKind kind() {
        return EngineKind.TGI;
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
        String problem = TargetCheck.of(client, target, Set.of(MetricsEndpoint.OPTION, MAX_STOPS_OPTION));
        if (problem == null) {
            problem = MetricsEndpoint.problemOf(client, target);
        }
        if (problem == null && maxStops(target) < 0) {
            problem = MAX_STOPS_OPTION + " is not a number of 0 … " + MAX_STOPS_LIMIT;
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
        String prompt = request.prompt();
        TgiReader reader = new TgiReader(prompt == null ? List.of() : List.of(prompt));
        List<String> stops = request.sampling().stop();
        int sent = Math.clamp(maxStops(target), 0, stops.size());
        TgiRequest body = new TgiRequest(request, sent);
        if (stops.isEmpty()) {
            return StreamCall.start(client, target, TgiRequest.PATH, body, traceparent, loop, sink, reader);
        }
        StopSink before = new StopSink(sink, stops, sent < stops.size());
        return before.before(
                StreamCall.start(client, target, TgiRequest.PATH, body, traceparent, loop, before, reader));
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        new TgiProbe(client, target, loop, answer).begin();
    }

    /** Stop strings that the engine takes; −1 where the option is no such number. */
    private static int maxStops(EngineTarget target) {
        String given = target.options().get(MAX_STOPS_OPTION);
        if (given == null) {
            return MAX_STOPS_DEFAULT;
        }
        try {
            int count = Integer.parseInt(given);
            return count <= MAX_STOPS_LIMIT ? Math.max(-1, count) : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
