package io.llamaorch.orchestratord.scheduler.core;

/**
 * The worst case of one task, which it reserves at its admission. It can be made again from the task, so that an open
 * task keeps two figures of it and not five.
 *
 * @param promptTokens most tokens that its prompt is thought to have
 * @param tokens those and the most that it may decode
 * @param timeMs longest time that it may decode, ms
 * @param costNanos what all that would cost, billionths
 */
record Reservation(long promptTokens, long tokens, long timeMs, long costNanos) {
    /** A month: no decode is thought to take longer, whatever its deadline. */
    static final long TIME_MAX_MS = 30 * 86_400_000L;

    /** Tokens that an engine may put around a prompt, of its own. */
    static final int PROMPT_FRAME_TOKENS = 16;

    /**
     * Most tokens of a prompt: a quarter more than estimated, and never more than one for each byte; either way with what
     * an engine adds.
     */
    static int promptTokens(int promptBytes, int estimated) {
        long worst = Math.min(promptBytes, estimated + (estimated + 3L) / 4);
        return (int) Math.min(Integer.MAX_VALUE, worst + PROMPT_FRAME_TOKENS);
    }

    static Reservation of(TaskSpec spec, int promptTokens, Price price) {
        return new Reservation(
                promptTokens,
                (long) promptTokens + spec.maxTokens(),
                Math.min(TIME_MAX_MS, (spec.deadlineNs() - 1) / 1_000_000 + 1),
                price.of(promptTokens, spec.maxTokens()));
    }

    long of(BudgetKind kind) {
        return switch (kind) {
            case TOKENS -> tokens;
            case TIME -> timeMs;
            case COST -> costNanos;
        };
    }
}
