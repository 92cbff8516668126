package io.llamaorch.orchestratord.adapters;

import io.llamaorch.orchestratord.contracts.task.FinishReason;

/**
 * What the engine said of a decode at its end.
 *
 * @param finishReason why it ended
 * @param tokensIn tokens of the prompt, −1 where the engine does not say
 * @param tokensOut tokens decoded as the engine counts them (more than the text pieces where some gave no text), −1
 *     where it does not say
 * @param promptMs time spent on the prompt, ms, NaN where not said
 * @param decodeMs time spent decoding, ms, NaN where not said
 */
public record EngineUsage(FinishReason finishReason, int tokensIn, int tokensOut, double promptMs, double decodeMs) {}
