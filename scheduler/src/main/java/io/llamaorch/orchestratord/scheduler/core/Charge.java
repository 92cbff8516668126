package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * What a task that is over was charged, in place of what it had reserved.
 *
 * @param tokensIn tokens of its prompt
 * @param estimated whether that is an estimate, because the engine did not say
 * @param tokensOut tokens that it decoded
 * @param decodeMs time from its first token to its end, ms
 * @param costNanos billionths
 * @param allowance what its key and session have left then; null where nothing is limited
 */
public record Charge(
        long tokensIn,
        boolean estimated,
        long tokensOut,
        long decodeMs,
        long costNanos,
        @Nullable Allowance allowance) {}
