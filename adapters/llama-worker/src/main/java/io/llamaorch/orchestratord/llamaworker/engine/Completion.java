package io.llamaorch.orchestratord.llamaworker.engine;

import io.llamaorch.orchestratord.llamaworker.binding.Sampling;
import java.util.List;

/** What to decode. Immutable, as long as nobody changes the prompt's array. */
public final class Completion {
    private final int[] prompt;
    private final int predictMax;
    private final Sampling sampling;
    private final List<String> stop;
    private final boolean reusePrefix;

    /**
     * One completion.
     *
     * @param prompt its tokens, at least one, fewer than a slot's context; not to be changed
     * @param predictMax most tokens to draw; −1: until the context is full
     * @param stop texts that end it; none is empty
     * @param reusePrefix whether what a slot already holds of the prompt may be used again
     */
    public Completion(int[] prompt, int predictMax, Sampling sampling, List<String> stop, boolean reusePrefix) {
        this.prompt = prompt;
        this.predictMax = predictMax;
        this.sampling = sampling;
        this.stop = List.copyOf(stop);
        this.reusePrefix = reusePrefix;
    }

    /** Its tokens; not to be changed. */
    public int[] prompt() {
        return prompt;
    }

    /** Most tokens to draw; −1: until the context is full. */
    public int predictMax() {
        return predictMax;
    }

    /** How tokens are drawn. */
    public Sampling sampling() {
        return sampling;
    }

    /** Texts that end it. */
    public List<String> stop() {
        return stop;
    }

    /** Whether what a slot already holds of the prompt may be used again. */
    public boolean reusePrefix() {
        return reusePrefix;
    }
}
