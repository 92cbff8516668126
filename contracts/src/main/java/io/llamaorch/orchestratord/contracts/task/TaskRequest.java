package io.llamaorch.orchestratord.contracts.task;

import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One task as a client asked for it: schema {@code TaskRequest} of {@code contracts/openapi/data.yaml}.
 *
 * @param taskId the client's name for the task, the key of idempotency
 * @param sessionId groups turns of one conversation
 * @param workload what to compute
 * @param modelRef which model, such as {@code hf:org/repo/file.gguf}
 * @param engine which wire the pool must speak
 * @param ctx context the task needs, tokens, 0 for the pool's own
 * @param priority queue within the pool
 * @param maxTokens most tokens to decode, ≥ 1
 * @param deadlineMs time from admission in which the whole task must end, ms, ≥ 1
 * @param prompt text to continue; null for workloads that take {@code inputs}
 * @param inputs texts to embed or rerank; the first is the query of a rerank
 * @param seed seed of the sampler, 0 … 2^31−1, where one was given
 * @param determinism how far bytes must repeat
 * @param samplerProfileVersion version set that strict determinism asks for
 * @param expectedTokens what the client thinks it will get; improves the ETA only; 0 where not given
 * @param kvHint use of the prefix cache
 * @param outputMode a hint for logs: {@code text}, {@code json}, {@code edits}
 * @param sampling how tokens are picked
 * @param placement where the task may run
 * @param detached go on decoding when nobody reads
 */
public record TaskRequest(
        UUID taskId,
        UUID sessionId,
        Workload workload,
        String modelRef,
        EngineKind engine,
        int ctx,
        Priority priority,
        int maxTokens,
        long deadlineMs,
        @Nullable String prompt,
        List<String> inputs,
        OptionalLong seed,
        Determinism determinism,
        @Nullable String samplerProfileVersion,
        int expectedTokens,
        @Nullable KvHint kvHint,
        @Nullable String outputMode,
        Sampling sampling,
        Placement placement,
        boolean detached) {

    /**
     * How tokens are picked. A field that was not given is left to the engine and is NaN, negative or null here.
     *
     * @param temperature 0 (greedy) … 2, NaN where not given
     * @param topP 0 … 1, NaN where not given
     * @param topK ≥ 0 (0: off), −1 where not given
     * @param minP 0 … 1, NaN where not given
     * @param repeatPenalty &gt; 0, NaN where not given
     * @param stop strings that end the text; never part of it
     * @param grammar GBNF grammar
     * @param jsonSchema JSON Schema of the output, as JSON text
     */
    public record Sampling(
            double temperature,
            double topP,
            int topK,
            double minP,
            double repeatPenalty,
            List<String> stop,
            @Nullable String grammar,
            @Nullable String jsonSchema) {
        /** Everything left to the engine. */
        public static final Sampling DEFAULT =
                new Sampling(Double.NaN, Double.NaN, -1, Double.NaN, Double.NaN, List.of(), null, null);
    }

    /**
     * Where a task may run.
     *
     * @param mode how strictly
     * @param pinPoolId the one pool of mode {@code pin}
     * @param preferPools pools to try first, in order of preference
     * @param avoidPools pools never to use, unless {@code allowFallback} and nothing else is feasible
     * @param requireDeviceMask devices the replica must have, such as {@code 0,1}
     * @param allowFallback whether wishes may be passed over where they leave nothing feasible
     */
    public record Placement(
            PlacementMode mode,
            @Nullable String pinPoolId,
            List<String> preferPools,
            List<String> avoidPools,
            @Nullable String requireDeviceMask,
            boolean allowFallback) {
        /** The scheduler picks. */
        public static final Placement AUTO = new Placement(PlacementMode.AUTO, null, List.of(), List.of(), null, true);
    }
}
