package io.llamaorch.orchestratord.scheduler.core;

/** What a budget counts. Bounded: safe as a metric label. */
public enum BudgetKind {
    /** Tokens of prompts and outputs. */
    TOKENS("tokens"),
    /** Time between first token and end, ms. */
    TIME("time_ms"),
    /** Money, in billionths of the unit in which the prices are given. */
    COST("cost");

    /** Billionths in one. */
    public static final long NANOS = 1_000_000_000L;

    private final String label;

    BudgetKind(String label) {
        this.label = label;
    }

    /** Billionths, ≥ 0, as a plain decimal number, such as {@code 0.29525}. */
    public static String decimal(long nanos) {
        long rest = nanos % NANOS;
        String whole = Long.toString(nanos / NANOS);
        if (rest == 0) {
            return whole;
        }
        String digits = Long.toString(NANOS + rest); // a one, and nine digits
        int end = digits.length();
        while (digits.charAt(end - 1) == '0') {
            end--;
        }
        return whole + '.' + digits.substring(1, end);
    }

    /** As in the configuration, in refusals and in metrics. */
    public String label() {
        return label;
    }
}
