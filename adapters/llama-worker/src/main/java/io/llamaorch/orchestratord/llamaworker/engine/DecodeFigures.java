package io.llamaorch.orchestratord.llamaworker.engine;

/** What was decoded since the start. Written by the decode thread alone, read by any. */
public final class DecodeFigures {
    private volatile long promptTokens;
    private volatile long promptNs;
    private volatile long predictedTokens;
    private volatile long predictedNs;
    private volatile long batches;
    private volatile long busySlots;

    // One writer: a volatile's read and write are no race here.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    void batch(int slots) {
        batches++;
        busySlots += slots;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    void prompt(int tokens, long ns) {
        promptTokens += tokens;
        promptNs += ns;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    void predicted(int tokens, long ns) {
        predictedTokens += tokens;
        predictedNs += ns;
    }

    /** Tokens of prompts, without those that a slot still held. */
    public long promptTokens() {
        return promptTokens;
    }

    /** Time from the start of a prompt to its first token, summed over all. */
    public long promptNs() {
        return promptNs;
    }

    /** Tokens drawn, those of canceled completions with them. */
    public long predictedTokens() {
        return predictedTokens;
    }

    /** Time from a first token to the end, summed over all. */
    public long predictedNs() {
        return predictedNs;
    }

    /** Batches decoded. */
    public long batches() {
        return batches;
    }

    /** Slots that a batch held tokens of, on average; 0 before the first. */
    public double slotsPerBatch() {
        long count = batches;
        return count == 0 ? 0 : (double) busySlots / count;
    }
}
