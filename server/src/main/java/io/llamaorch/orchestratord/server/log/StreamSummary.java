package io.llamaorch.orchestratord.server.log;

import org.jspecify.annotations.Nullable;

/**
 * How a stream went, for the line at its end.
 *
 * @param poolId where it ran; empty where it never started
 * @param replicaId where it ran; empty where it never started
 * @param engineVersion of the engine; empty where unknown
 * @param tokensIn tokens of the prompt, −1 where unknown
 * @param tokensOut tokens decoded
 * @param queueTimeMs admission to placement, ms
 * @param firstTokenMs admission to first token, ms, −1 without one
 * @param decodeTimeMs first token to last, ms
 * @param kvWarmth whether the replica was thought to hold the session's prefix
 * @param transcriptId artifact of the transcript, or null
 */
public record StreamSummary(
        String poolId,
        String replicaId,
        String engineVersion,
        long tokensIn,
        long tokensOut,
        long queueTimeMs,
        long firstTokenMs,
        long decodeTimeMs,
        boolean kvWarmth,
        @Nullable String transcriptId) {}
