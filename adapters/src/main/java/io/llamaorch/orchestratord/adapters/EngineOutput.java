package io.llamaorch.orchestratord.adapters;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a workload other than text gives: exactly one of the two members is there. The arrays are handed over, not copied.
 */
public final class EngineOutput {
    private final @Nullable List<float[]> embeddings;
    private final double @Nullable [] scores;

    private EngineOutput(@Nullable List<float[]> embeddings, double @Nullable [] scores) {
        this.embeddings = embeddings;
        this.scores = scores;
    }

    /** One vector for each input, in the order of the inputs. */
    public static EngineOutput ofEmbeddings(List<float[]> vectors) {
        return new EngineOutput(List.copyOf(vectors), null);
    }

    /** One score for each input after the query, in the order of the inputs; higher is closer, of any sign. */
    public static EngineOutput ofScores(double[] scores) {
        return new EngineOutput(null, scores);
    }

    /** One vector for each input, in the order of the inputs; null where these are scores. */
    public @Nullable List<float[]> embeddings() {
        return embeddings;
    }

    /** One score for each input after the query, in the order of the inputs; null where these are vectors. */
    public double @Nullable [] scores() {
        return scores;
    }
}
