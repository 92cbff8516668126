package io.llamaorch.orchestratord.scheduler.core;

import java.util.Map;

/**
 * Who may use how much, and what it costs.
 *
 * @param sessionTtlNs from a session's last use until it is forgotten, ns, ≥ 1
 * @param sessionTurns most tasks admitted to one session, 0 for any number
 * @param byDefault what a key may use that is not in {@code accounts}
 * @param accounts by owner, as in {@link TaskSpec#owner}
 * @param prices by pool; a pool that is not in it is free
 */
public record Accounting(
        long sessionTtlNs,
        int sessionTurns,
        AccountSpec byDefault,
        Map<String, AccountSpec> accounts,
        Map<String, Price> prices) {
    private static final long TEN_MINUTES_NS = 600_000_000_000L;

    /** Nobody is limited, nothing costs. */
    public static final Accounting NONE = new Accounting(TEN_MINUTES_NS, 0, AccountSpec.UNLIMITED, Map.of(), Map.of());

    public Accounting {
        if (sessionTtlNs < 1 || sessionTurns < 0) {
            throw new IllegalArgumentException("sessions of " + sessionTtlNs + " ns, " + sessionTurns + " turns");
        }
        accounts = Map.copyOf(accounts);
        prices = Map.copyOf(prices);
    }

    /** What a key may use. */
    AccountSpec of(String owner) {
        return accounts.getOrDefault(owner, byDefault);
    }

    /** What a pool costs. */
    Price price(String poolId) {
        return prices.getOrDefault(poolId, Price.FREE);
    }
}
