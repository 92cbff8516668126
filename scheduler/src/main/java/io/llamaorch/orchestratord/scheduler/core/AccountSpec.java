package io.llamaorch.orchestratord.scheduler.core;

/**
 * What one key may use.
 *
 * @param limits how fast
 * @param budget how much, over all its tasks
 * @param sessionBudget how much, in each of its sessions
 */
public record AccountSpec(RateLimits limits, BudgetSpec budget, BudgetSpec sessionBudget) {
    /** Everything. */
    public static final AccountSpec UNLIMITED = new AccountSpec(RateLimits.NONE, BudgetSpec.NONE, BudgetSpec.NONE);
}
