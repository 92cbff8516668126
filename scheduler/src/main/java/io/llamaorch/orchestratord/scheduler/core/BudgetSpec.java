package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * The budget of a key or of a session as configured; null where a kind is not limited.
 *
 * @param tokens of prompts and outputs
 * @param timeMs of decoding, ms
 * @param costNanos billionths, see {@link BudgetKind#COST}
 */
public record BudgetSpec(@Nullable Allotment tokens, @Nullable Allotment timeMs, @Nullable Allotment costNanos) {
    /** Nothing is limited. */
    public static final BudgetSpec NONE = new BudgetSpec(null, null, null);

    /** The limit of one kind. */
    public @Nullable Allotment of(BudgetKind kind) {
        return switch (kind) {
            case TOKENS -> tokens;
            case TIME -> timeMs;
            case COST -> costNanos;
        };
    }

    /** Whether any kind is limited. */
    public boolean isLimited() {
        return tokens != null || timeMs != null || costNanos != null;
    }
}
