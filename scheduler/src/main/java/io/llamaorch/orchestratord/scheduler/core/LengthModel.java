package io.llamaorch.orchestratord.scheduler.core;

/**
 * How long outputs get, relative to {@code max_tokens}: a histogram with an atom at the limit, learned with
 * exponential forgetting.
 *
 * <p>There is one histogram for each power of two of {@code max_tokens} and one for all; a class with few samples
 * leans on the one for all. Before any sample, half of the tasks are thought to reach the limit and the rest to end
 * anywhere below it. Owned by the scheduler's thread.
 */
final class LengthModel {
    private static final int BINS = 64;
    private static final int CLASSES = 32;
    private static final int ALL = CLASSES;
    /** A sample weighs half after about 2,800 further ones of its class. */
    private static final double KEEP = 1 - 1.0 / 4_000;
    /** Samples that a class must have to count as much as the histogram for all. */
    private static final double LEAN = 24;

    private final double[][] weights = new double[CLASSES + 1][BINS + 1];
    private final double[] totals = new double[CLASSES + 1];
    private final double[][] cumulative = new double[CLASSES + 1][BINS + 1];
    private final long[] cumulativeAt = new long[CLASSES + 1];
    private long samples;

    LengthModel() {
        for (int bin = 0; bin < BINS; bin++) {
            weights[ALL][bin] = 1.0 / BINS;
        }
        weights[ALL][BINS] = 1.0;
        totals[ALL] = 2.0;
        java.util.Arrays.fill(cumulativeAt, -1);
    }

    long samples() {
        return samples;
    }

    /** Learns from one natural end. */
    void observe(int tokensOut, int maxTokens) {
        int bin = tokensOut >= maxTokens ? BINS : (int) ((long) Math.max(tokensOut, 0) * BINS / maxTokens);
        add(classOf(maxTokens), bin);
        add(ALL, bin);
        samples++;
    }

    private void add(int index, int bin) {
        double[] row = weights[index];
        for (int i = 0; i <= BINS; i++) {
            row[i] *= KEEP;
        }
        row[bin] += 1;
        totals[index] = totals[index] * KEEP + 1;
    }

    /** The share of outputs that are no longer than {@code tokens}, 0 … 1. */
    double cdf(int maxTokens, double tokens) {
        double at = tokens / maxTokens * BINS;
        if (at >= BINS) {
            return 1;
        }
        if (at <= 0) {
            return 0;
        }
        double[] sums = sums(maxTokens);
        int bin = (int) at;
        double below = bin == 0 ? 0 : sums[bin - 1];
        return below + (at - bin) * (sums[bin] - below);
    }

    /** The length that a share {@code u} of outputs does not pass, tokens, above 0 and at most {@code maxTokens}. */
    double quantile(int maxTokens, double u) {
        double[] sums = sums(maxTokens);
        if (u >= sums[BINS - 1]) {
            return maxTokens;
        }
        int low = 0;
        int high = BINS - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sums[middle] > u) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        double below = low == 0 ? 0 : sums[low - 1];
        double width = sums[low] - below;
        double within = width <= 0 ? 0.5 : (u - below) / width;
        return (low + within) / BINS * maxTokens;
    }

    /** The mean length, tokens. */
    double mean(int maxTokens) {
        double[] sums = sums(maxTokens);
        double area = 0;
        for (int bin = 0; bin < BINS; bin++) {
            area += 1 - sums[bin] + 0.5 * (sums[bin] - (bin == 0 ? 0 : sums[bin - 1]));
        }
        return area / BINS * maxTokens;
    }

    /** Shares of outputs up to the end of each bin; kept until enough new samples make a difference. */
    private double[] sums(int maxTokens) {
        int index = classOf(maxTokens);
        double[] sums = cumulative[index];
        long builtAt = cumulativeAt[index];
        if (builtAt >= 0 && samples - builtAt <= builtAt >> 6) {
            return sums;
        }
        double own = totals[index];
        double share = own / (own + LEAN);
        double ownScale = own > 0 ? share / own : 0;
        double allScale = (1 - share) / totals[ALL];
        double sum = 0;
        for (int bin = 0; bin <= BINS; bin++) {
            sum += weights[index][bin] * ownScale + weights[ALL][bin] * allScale;
            sums[bin] = sum;
        }
        cumulativeAt[index] = samples;
        return sums;
    }

    private static int classOf(int maxTokens) {
        return 31 - Integer.numberOfLeadingZeros(Math.max(maxTokens, 1));
    }
}
