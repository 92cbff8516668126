package io.llamaorch.orchestratord.llamaworker.engine;

/**
 * How a completion ended.
 *
 * @param stopType {@code eos}, {@code word} or {@code limit}, as on the wire
 * @param stoppingWord the stop text that was met, empty where none was
 * @param tail text that was withheld and belongs to the answer after all
 * @param truncated whether the context was full
 * @param slot slot it ran in
 * @param evaluated tokens of the prompt
 * @param predicted tokens drawn, one that ended the generation with them
 * @param cached tokens of the prompt that were not decoded again
 * @param held tokens that the slot holds now
 * @param promptNs time spent on the prompt
 * @param predictedNs time from the first token to the last
 */
public record CompletionEnd(
        String stopType,
        String stoppingWord,
        String tail,
        boolean truncated,
        int slot,
        int evaluated,
        int predicted,
        int cached,
        int held,
        long promptNs,
        long predictedNs) {}
