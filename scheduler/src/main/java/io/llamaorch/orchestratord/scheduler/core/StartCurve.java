package io.llamaorch.orchestratord.scheduler.core;

import java.util.Arrays;

/**
 * When the tasks at the head of a queue will start: a fixed set of scenarios played forward.
 *
 * <p>In each of {@value #SCENARIOS} scenarios every running task gets a remaining time out of its distribution, given
 * what it has decoded, every queued task a service time out of its own, and slots pass on in order. Each task's draws
 * are the quantiles (k + ½)/{@value #SCENARIOS}, dealt to the scenarios by a fixed permutation: nothing is random. A row
 * holds the starts of one position over all scenarios; positions past the last row are reached with the pool's mean
 * rate. Built by {@code begin, running*, free, queued*}; a build costs scenarios × (slots + rows) steps. Times are ns
 * after {@link #begin}. Owned by the scheduler's thread.
 */
final class StartCurve {
    static final int SCENARIOS = 64;
    /** Most rows: about the depth at which the spread of a sum of service times no longer matters. */
    static final int ROWS_MAX = 160;

    /** Shares into which {@link #startAtLevel} cuts the distribution. */
    static final int LEVELS = 16;

    private static final int DEALS = 512;
    private static final byte[][] DEAL = deals();
    private static final double[] DRAW = new double[SCENARIOS];

    private static final double[] LEVEL_NORMAL = new double[LEVELS];

    static {
        for (int level = 0; level < LEVELS; level++) {
            LEVEL_NORMAL[level] = normalQuantile((level + 0.5) / LEVELS);
        }
        for (int k = 0; k < SCENARIOS; k++) {
            DRAW[k] = (k + 0.5) / SCENARIOS;
        }
    }

    private double[][] heaps = new double[SCENARIOS][8];
    private int slots;
    private boolean heaped;
    private final double[][] rows = new double[ROWS_MAX][];
    private final boolean[] sorted = new boolean[ROWS_MAX];
    private int rowCount;
    private double stepNs = 1;
    private double stepVariance;

    /** Starts over. */
    void begin(int slotsMax) {
        slots = 0;
        heaped = false;
        rowCount = 0;
        if (heaps[0].length < slotsMax) {
            heaps = new double[SCENARIOS][slotsMax];
        }
    }

    /** A slot that is free at a fixed time. */
    void free(double atNs) {
        for (int k = 0; k < SCENARIOS; k++) {
            heaps[k][slots] = atNs;
        }
        slots++;
    }

    /** A slot whose task has decoded {@code done} tokens and whose next token is {@code leadNs} away. */
    void running(EtaModel model, int maxTokens, double done, double leadNs) {
        LengthModel lengths = model.lengths();
        double nsPerToken = model.nsPerToken();
        double below = lengths.cdf(maxTokens, done);
        byte[] deal = DEAL[slots & (DEALS - 1)];
        for (int k = 0; k < SCENARIOS; k++) {
            double length = maxTokens;
            if (below < 1 - 1e-9) {
                length = lengths.quantile(maxTokens, below + DRAW[deal[k]] * (1 - below));
            }
            heaps[k][slots] = leadNs + Math.max(length - done, 0.5) * nsPerToken;
        }
        slots++;
    }

    /** Whether another row fits. */
    boolean hasRoom() {
        return rowCount < ROWS_MAX;
    }

    int rowCount() {
        return rowCount;
    }

    /** The next queued task: its row is the starts of its position; its service then occupies the slot it got. */
    void queued(EtaModel model, int promptBytes, int maxTokens) {
        heapUp();
        LengthModel lengths = model.lengths();
        double nsPerToken = model.nsPerToken();
        double firstNs = model.firstTokenNs(promptBytes);
        byte[] deal = DEAL[(slots + rowCount) & (DEALS - 1)];
        double[] row = nextRow();
        for (int k = 0; k < SCENARIOS; k++) {
            double[] heap = heaps[k];
            double start = heap[0];
            row[k] = start;
            siftDown(heap, slots, start + firstNs + lengths.quantile(maxTokens, DRAW[deal[k]]) * nsPerToken, 0);
        }
    }

    /** The row after the last task: the starts of a newcomer. Ends the build; {@code meanNs} is the mean service. */
    void end(double meanNs) {
        heapUp();
        double[] row = nextRow();
        for (int k = 0; k < SCENARIOS; k++) {
            row[k] = heaps[k][0];
        }
        stepNs = meanNs / Math.max(slots, 1);
        // Superposed renewals: a coefficient of variation of about 0.7 per service time.
        stepVariance = 0.5 * stepNs * stepNs;
    }

    private double[] nextRow() {
        double[] row = rows[rowCount];
        if (row == null) {
            row = new double[SCENARIOS];
            rows[rowCount] = row;
        }
        sorted[rowCount++] = false;
        return row;
    }

    /** The start of a position that a share {@code u} of scenarios does not pass, ns after the build. */
    double start(int position, double u) {
        return start(position, u, position < rowCount || u == 0.5 ? 0 : normalQuantile(u));
    }

    /** The start of a position at the middle of one of {@value #LEVELS} equal shares, ns after the build. */
    double startAtLevel(int position, int level) {
        return start(position, (level + 0.5) / LEVELS, LEVEL_NORMAL[level]);
    }

    private double start(int position, double u, double normal) {
        double[] row = row(Math.min(position, rowCount - 1));
        double at = u * SCENARIOS - 0.5;
        int low = Math.max(0, Math.min(SCENARIOS - 2, (int) at));
        double within = Math.max(0, Math.min(1, at - low));
        double start = row[low] + within * (row[low + 1] - row[low]);
        int beyond = position - (rowCount - 1);
        if (beyond <= 0) {
            return start;
        }
        double median = 0.5 * (row[SCENARIOS / 2 - 1] + row[SCENARIOS / 2]);
        double own = start - median;
        double spread = Math.sqrt(own * own + normal * normal * beyond * stepVariance);
        return median + beyond * stepNs + Math.copySign(spread, u - 0.5);
    }

    private double[] row(int index) {
        double[] row = rows[index];
        if (!sorted[index]) {
            Arrays.sort(row);
            sorted[index] = true;
        }
        return row;
    }

    private void heapUp() {
        if (heaped) {
            return;
        }
        heaped = true;
        for (int k = 0; k < SCENARIOS; k++) {
            double[] heap = heaps[k];
            for (int i = (slots >> 1) - 1; i >= 0; i--) {
                siftDown(heap, slots, heap[i], i);
            }
        }
    }

    private static void siftDown(double[] heap, int size, double value, int from) {
        int at = from;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (value <= heap[child]) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = value;
    }

    /** The standard normal quantile by a power approximation, good to 0.01 between 2 % and 98 %. */
    private static double normalQuantile(double u) {
        double clipped = Math.max(1e-4, Math.min(1 - 1e-4, u));
        return (StrictMath.pow(clipped, 0.135) - StrictMath.pow(1 - clipped, 0.135)) / 0.1975;
    }

    private static byte[][] deals() {
        byte[][] deals = new byte[DEALS][SCENARIOS];
        long state = 0x9E3779B97F4A7C15L;
        for (byte[] deal : deals) {
            for (int i = 0; i < SCENARIOS; i++) {
                deal[i] = (byte) i;
            }
            for (int i = SCENARIOS - 1; i > 0; i--) {
                state = state * 6364136223846793005L + 1442695040888963407L;
                int other = (int) ((state >>> 33) % (i + 1));
                byte held = deal[i];
                deal[i] = deal[other];
                deal[other] = held;
            }
        }
        return deals;
    }
}
