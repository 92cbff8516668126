package io.llamaorch.orchestratord.llamaworker.binding;

import org.jspecify.annotations.Nullable;

/**
 * How the next token is drawn; the same figures mean the same as in llama-server.
 *
 * @param seed of the draw, a uint32 as its bits
 * @param temperature ≤ 0: the likeliest token, no draw
 * @param topK ≤ 0: off
 * @param repeatLastN tokens looked back at; −1: the whole context
 * @param ignoreEos whether tokens that end a generation can't be drawn
 * @param grammar GBNF with a rule {@code root}, null without one
 */
public record Sampling(
        int seed,
        float temperature,
        int topK,
        float topP,
        float minP,
        float typicalP,
        int repeatLastN,
        float repeatPenalty,
        float presencePenalty,
        float frequencyPenalty,
        boolean ignoreEos,
        @Nullable String grammar) {

    /** llama-server's own defaults, with {@code seed}. */
    public static Sampling defaults(int seed) {
        return new Sampling(seed, 0.8f, 40, 0.95f, 0.05f, 1f, 64, 1f, 0f, 0f, false, null);
    }
}
