package io.llamaorch.orchestratord.scheduler.core;

import java.math.BigDecimal;

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

    /** Billionths as a plain decimal number, such as {@code 0.29525}. */
    public static String decimal(long nanos) {
        return BigDecimal.valueOf(nanos, 9).stripTrailingZeros().toPlainString();
    }

    /** As in the configuration, in refusals and in metrics. */
    public String label() {
        return label;
    }
}
