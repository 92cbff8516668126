package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.HttpRequests;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.io.IOException;
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
    private final EngineHttpClient client;
    private final ByteBufAllocator allocator;

    /** An adapter with a connection for each decode. */
    public LlamaCppAdapter() {
        this(new EngineHttpClient(), ByteBufAllocator.DEFAULT);
    }

    /**
     * An adapter on a given client.
     *
     * @param allocator of requests and carry-over buffers
     */
    public LlamaCppAdapter(EngineHttpClient client, ByteBufAllocator allocator) {
        this.client = client;
        this.allocator = allocator;
    }

    @Override
    public EngineKind kind() {
        return EngineKind.LLAMACPP;
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        if (request.workload() != Workload.COMPLETION) {
            return ApiError.of(
                    ErrorCode.INVALID_PARAMS,
                    "workload " + request.workload().wireName() + " is not served by llamacpp pools yet",
                    "/workload",
                    request.workload().wireName());
        }
        if (request.prompt() == null) {
            return ApiError.of(ErrorCode.INVALID_PARAMS, "a completion needs a prompt", "/prompt", "missing");
        }
        TaskRequest.Sampling sampling = request.sampling();
        if (sampling.jsonSchema() != null && !LlamaRequest.isObject(sampling.jsonSchema())) {
            return ApiError.of(
                    ErrorCode.INVALID_PARAMS, "json_schema is not a JSON object", "/sampling/json_schema", "malformed");
        }
        if (sampling.jsonSchema() != null && sampling.grammar() != null) {
            return ApiError.of(
                    ErrorCode.INVALID_PARAMS,
                    "llamacpp takes either grammar or json_schema, not both",
                    "/sampling/grammar",
                    "beside json_schema");
        }
        return null;
    }

    @Override
    public EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop loop, EngineSink sink) {
        LlamaCall call = new LlamaCall(sink, allocator, request.prompt());
        String problem = EngineHttpClient.problemOf(target.url());
        if (!problem.isEmpty()) {
            loop.execute(() -> call.refuse(new EngineFailure(ErrorCode.POOL_UNAVAILABLE, problem, true)));
            return call;
        }
        ByteBuf body;
        try {
            body = LlamaRequest.body(request, allocator);
        } catch (IOException e) {
            // jackson's words may quote the request: ours do not.
            EngineFailure failure = new EngineFailure(
                    ErrorCode.INVALID_PARAMS, "the request can't be written as llama-server reads it", false);
            loop.execute(() -> call.refuse(failure));
            return call;
        }
        ByteBuf bytes =
                HttpRequests.post(allocator, target.url(), "/completion", body, traceparent, client.isKeepAlive());
        call.startedAs(client.send(target, bytes, loop, call));
        return call;
    }

    @Override
    public void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        new LlamaProbe(client, allocator, target, loop, answer).begin();
    }
}
