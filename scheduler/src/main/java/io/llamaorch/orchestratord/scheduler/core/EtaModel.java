package io.llamaorch.orchestratord.scheduler.core;

/**
 * What one pool has measured of its service times: time to first token, decode rate of a slot, prompt bytes per token,
 * output lengths and the rate at which tasks leave.
 *
 * <p>Until something was measured, the priors of {@link SchedulerSettings} stand in: decode rate and time to first
 * token from there, four prompt bytes per token, nothing per prompt token, and the lengths of {@link LengthModel}.
 * Doubles are strict, so equal calls give equal figures. Times are ns as doubles. Owned by the scheduler's thread.
 */
final class EtaModel {
    private static final double PRIOR_BYTES_PER_TOKEN = 4;
    /** Output tokens per task before any measurement. */
    private static final double PRIOR_LENGTH = 192;
    /** Forgetting per sample of rates and first tokens: about the last 200 count. */
    private static final double KEEP = 1 - 1.0 / 200;
    /** Tokens of evidence that the prior decode rate is worth. */
    private static final double PRIOR_TOKENS = 8;
    /** Span over which departures are counted. */
    private static final double DRAIN_SPAN_NS = 30e9;

    private final LengthModel lengths = new LengthModel();

    private double decodeTokens;
    private double decodeNs;
    private double promptBytes;
    private double promptTokens;

    private final double priorFirstTokenNs;
    private double firstCount;
    private double firstSumX;
    private double firstSumY;
    private double firstSumXx;
    private double firstSumXy;
    private double firstBaseNs;
    private double firstPerTokenNs;

    private double meanServiceNs;

    private double departures;
    private long departuresAtNs;
    private boolean departed;

    EtaModel(SchedulerSettings settings) {
        priorFirstTokenNs = settings.priorFirstTokenMs() * 1e6;
        firstBaseNs = priorFirstTokenNs;
        decodeTokens = PRIOR_TOKENS;
        decodeNs = PRIOR_TOKENS * 1e9 / settings.priorTokensPerSecond();
        promptTokens = PRIOR_TOKENS;
        promptBytes = PRIOR_TOKENS * PRIOR_BYTES_PER_TOKEN;
        meanServiceNs = firstBaseNs + PRIOR_LENGTH * nsPerToken();
    }

    LengthModel lengths() {
        return lengths;
    }

    /** Natural ends seen. */
    long samples() {
        return lengths.samples();
    }

    /** Decode rate of one slot, tokens/s. */
    double tokensPerSecond() {
        return decodeTokens / decodeNs * 1e9;
    }

    /** Time of one token on one slot, ns. */
    double nsPerToken() {
        return decodeNs / decodeTokens;
    }

    /** Tokens that a prompt of that many bytes is thought to have. */
    int promptTokens(int bytes) {
        return (int) Math.ceil(bytes * promptTokens / promptBytes);
    }

    /** From start to first token for a prompt of that many bytes, ns. */
    double firstTokenNs(int bytes) {
        return firstBaseNs + firstPerTokenNs * (bytes * promptTokens / promptBytes);
    }

    /** Mean time that a task holds its slot, over those that ended last, ns. */
    double meanServiceNs() {
        return meanServiceNs;
    }

    /** Learns how many tokens a prompt had. */
    void observePrompt(int bytes, int tokens) {
        if (tokens > 0) {
            promptBytes = promptBytes * KEEP + bytes;
            promptTokens = promptTokens * KEEP + tokens;
        }
    }

    /** Learns one time from start to first token: least squares over base and cost per prompt token, both ≥ 0. */
    void observeFirstToken(long waitNs, double tokens) {
        firstCount = firstCount * KEEP + 1;
        firstSumX = firstSumX * KEEP + tokens;
        firstSumY = firstSumY * KEEP + waitNs;
        firstSumXx = firstSumXx * KEEP + tokens * tokens;
        firstSumXy = firstSumXy * KEEP + tokens * waitNs;
        double spread = firstCount * firstSumXx - firstSumX * firstSumX;
        double slope = 0;
        if (firstCount >= 8 && spread > 1e-6 * firstCount * firstSumXx) {
            slope = Math.max(0, (firstCount * firstSumXy - firstSumX * firstSumY) / spread);
        }
        if (slope * firstSumX > firstSumY) {
            slope = firstSumX > 0 ? firstSumY / firstSumX : 0;
        }
        firstPerTokenNs = slope;
        firstBaseNs = Math.max(0, (firstSumY - slope * firstSumX) / firstCount);
    }

    /** Learns from one natural end: decode rate, output length and time in the slot. */
    void observeEnd(int tokensOut, int maxTokens, long decodedNs, long serviceNs) {
        lengths.observe(tokensOut, maxTokens);
        if (tokensOut > 1 && decodedNs > 0) {
            decodeTokens = decodeTokens * KEEP + (tokensOut - 1);
            decodeNs = decodeNs * KEEP + decodedNs;
        }
        double weight = Math.max(1.0 / 200, 1.0 / (lengths.samples() + 1));
        meanServiceNs += (serviceNs - meanServiceNs) * weight;
    }

    /** Counts one task that left its slot, however it ended. */
    void observeDeparture(long nowNs) {
        departures = decayed(nowNs) + 1;
        departuresAtNs = nowNs;
        departed = true;
    }

    /**
     * Tasks that leave per ns: those counted over the last half minute, filled up with what the slots should do at the
     * mean service time where few were counted. Above 0 while there is a slot.
     */
    double drainPerNs(long nowNs, int slots) {
        double expected = Math.max(slots, 1) / Math.max(meanServiceNs, 1e3);
        double counted = decayed(nowNs);
        double trust = counted / (counted + 4);
        return trust * counted / DRAIN_SPAN_NS + (1 - trust) * expected;
    }

    private double decayed(long nowNs) {
        return departed ? departures * StrictMath.exp(-(nowNs - departuresAtNs) / DRAIN_SPAN_NS) : 0;
    }

    /** The chance that a task that starts now ends within {@code spanNs}. */
    double endsWithin(int bytes, int maxTokens, double spanNs) {
        double decode = spanNs - firstTokenNs(bytes);
        return decode <= 0 ? 0 : lengths.cdf(maxTokens, decode / nsPerToken());
    }

    /** The time in the slot that a share {@code u} of such tasks does not pass, ns. */
    double serviceNs(int bytes, int maxTokens, double u) {
        return firstTokenNs(bytes) + lengths.quantile(maxTokens, u) * nsPerToken();
    }
}
