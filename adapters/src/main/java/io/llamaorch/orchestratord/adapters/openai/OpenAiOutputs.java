package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.adapters.wire.OutputCall;
import io.llamaorch.orchestratord.adapters.wire.OutputReader;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Vectors and scores as OpenAI-compatible engines give them: {@code /v1/embeddings} and {@code /rerank}. */
public final class OpenAiOutputs {
    private OpenAiOutputs() {}

    /**
     * Starts a call for vectors, or for scores where the workload is a rerank; parameters as of
     * {@link io.llamaorch.orchestratord.adapters.EngineAdapter#start}.
     *
     * @param engine how the engine is named in messages
     * @param refusal the failure that a status and a body stand for
     */
    public static EngineCall start(
            EngineHttpClient client,
            EngineTarget target,
            TaskRequest request,
            @Nullable String traceparent,
            EventLoop loop,
            EngineSink sink,
            String engine,
            BiFunction<Integer, byte[], EngineFailure> refusal) {
        int inputs = request.inputs().size();
        boolean scores = request.workload() == Workload.RERANK;
        // Not /embeddings with a member content: llama-server would answer in another shape.
        String path = scores ? "/rerank" : "/v1/embeddings";
        JsonBody body = scores
                ? OpenAiRequest.rerank(target.model(), request)
                : OpenAiRequest.embeddings(target.model(), request);
        OutputReader reader = scores
                ? OutputReader.scores(engine, inputs - 1, refusal)
                : OutputReader.embeddings(engine, inputs, refusal);
        return OutputCall.start(client, target, path, body, traceparent, loop, sink, reader);
    }
}
