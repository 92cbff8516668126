package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * What one key or one session has used and reserved of each kind. Owned by the scheduler's thread.
 *
 * <p>All kinds are counted, limited or not, so that a limit that comes later finds the truth.
 */
final class Budget {
    private static final BudgetKind[] KINDS = BudgetKind.values();

    private final Purse tokens = new Purse();
    private final Purse timeMs = new Purse();
    private final Purse costNanos = new Purse();
    private boolean limited;

    Budget(BudgetSpec spec) {
        limit(spec);
    }

    /** Other limits from now on; what was used and reserved stays. */
    void limit(BudgetSpec spec) {
        tokens.allotment = spec.tokens();
        timeMs.allotment = spec.timeMs();
        costNanos.allotment = spec.costNanos();
        limited = spec.isLimited();
    }

    /** Whether any kind is limited. */
    boolean isLimited() {
        return limited;
    }

    Purse of(BudgetKind kind) {
        return switch (kind) {
            case TOKENS -> tokens;
            case TIME -> timeMs;
            case COST -> costNanos;
        };
    }

    /** The kind that cannot cover what a task asks for, or null. */
    @Nullable
    BudgetKind shortOf(long nowNs, Reservation asked) {
        for (BudgetKind kind : KINDS) {
            if (asked.of(kind) > of(kind).left(nowNs)) {
                return kind;
            }
        }
        return null;
    }

    /** Takes what is left. */
    void reserve(long nowNs, Reservation asked) {
        for (BudgetKind kind : KINDS) {
            of(kind).reserve(nowNs, asked.of(kind));
        }
    }
}
