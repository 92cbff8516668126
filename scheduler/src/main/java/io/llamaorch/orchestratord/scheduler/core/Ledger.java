package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who has used how much: accounts of keys, their sessions, their limits and budgets. Owned by the scheduler's thread, and
 * used by {@link Scheduler} and {@link Dispatcher} alone.
 *
 * <pre>
 *   refusal ──null──▶ open (reserves) ──▶ close (settles), once, whatever ended the task
 * </pre>
 *
 * <p>Keys come from the configuration and are few; their accounts stay.
 */
final class Ledger {
    private static final BudgetKind[] KINDS = BudgetKind.values();

    private final Map<String, Account> accounts = new LinkedHashMap<>();
    private final SessionTable sessions;
    private final Price[] prices;
    private Accounting accounting;
    private long nowNs;

    Ledger(Accounting accounting, SessionTable sessions, PoolRuntime[] pools) {
        this.accounting = accounting;
        this.sessions = sessions;
        this.prices = new Price[pools.length];
        for (int i = 0; i < prices.length; i++) {
            prices[i] = accounting.price(pools[i].spec.id());
        }
    }

    /** The time of every call until the next one. */
    void tick(long newNowNs) {
        nowNs = newNowNs;
        sessions.expire(newNowNs);
    }

    /** Other limits and budgets; what was used and is reserved stays. Prices stay. */
    void change(Accounting to) {
        accounting = to;
        for (Account account : accounts.values()) {
            account.spec(to.of(account.owner), nowNs);
        }
    }

    Account account(String owner) {
        Account account = accounts.get(owner);
        if (account == null) {
            account = new Account(owner, accounting.of(owner), nowNs);
            accounts.put(owner, account);
        }
        return account;
    }

    @Nullable
    Session session(TaskSpec spec) {
        return sessions.find(spec.owner(), spec.sessionId());
    }

    // ---- the life of a task ----

    private Reservation reservation(TaskSpec spec, PoolRuntime pool) {
        int estimated = pool.forecast.model.promptTokens(spec.promptBytes());
        return Reservation.of(spec, Reservation.promptTokens(spec.promptBytes(), estimated), prices[pool.index]);
    }

    /** What a key's limits, its budget and its session have against a task in a pool; null where nothing. */
    @Nullable
    ApiError refusal(TaskSpec spec, PoolRuntime pool) {
        Account account = account(spec.owner());
        RateLimits limits = account.spec.limits();
        if (limits.concurrent() > 0 && account.open >= limits.concurrent()) {
            return LimitRefusals.concurrent(account, pool, pool.forecast.retryAfterMs(nowNs));
        }
        RateBucket requests = account.requests;
        if (requests != null && !requests.holds(nowNs, 1)) {
            return LimitRefusals.requests(requests, requests.waitMs(nowNs, 1));
        }
        Reservation asked = reservation(spec, pool);
        RateBucket tokens = account.tokens;
        if (tokens != null && !tokens.holds(nowNs, asked.tokens())) {
            return LimitRefusals.tokens(
                    tokens, asked.tokens(), tokens.left(nowNs), tokens.waitMs(nowNs, asked.tokens()));
        }
        Session session = session(spec);
        int turns = accounting.sessionTurns();
        if (session != null && turns > 0 && session.turns >= turns) {
            return LimitRefusals.turns(session, turns, ttlMs(session));
        }
        BudgetKind kind = account.budget.shortOf(nowNs, asked);
        if (kind != null) {
            return LimitRefusals.budget("key", account.budget, kind, asked, nowNs);
        }
        Budget ofSession = session == null ? unused(account) : session.budget;
        kind = ofSession == null ? null : ofSession.shortOf(nowNs, asked);
        return ofSession == null || kind == null
                ? null
                : LimitRefusals.budget("session", ofSession, kind, asked, nowNs);
    }

    private static @Nullable Budget unused(Account account) {
        BudgetSpec limits = account.spec.sessionBudget();
        return limits.isLimited() ? new Budget(limits) : null;
    }

    /** A task is admitted: it joins its session, and reserves its worst case. */
    void open(TaskEntry entry) {
        TaskSpec spec = entry.spec;
        Account account = account(spec.owner());
        Session session = session(spec);
        if (session == null) {
            session = sessions.add(spec.sessionId(), account);
        }
        entry.session = session;
        int estimated = entry.pool.forecast.model.promptTokens(spec.promptBytes());
        entry.promptEstimate = estimated;
        entry.promptReserve = Reservation.promptTokens(spec.promptBytes(), estimated);
        entry.pricedPool = entry.pool.index;
        Reservation asked = reservationOf(entry);
        account.budget.reserve(nowNs, asked);
        if (session.budget != null) {
            session.budget.reserve(nowNs, asked);
        }
        if (account.requests != null) {
            account.requests.take(1);
        }
        if (account.tokens != null) {
            account.tokens.take(asked.tokens());
        }
        account.open++;
        sessions.join(session, entry, nowNs);
    }

    /** What an open task has reserved. */
    Reservation reservationOf(TaskEntry entry) {
        return Reservation.of(entry.spec, entry.promptReserve, prices[entry.pricedPool]);
    }

    /**
     * A task is over: what it used takes the place of what it reserved.
     *
     * @return null where nobody counts it
     */
    @Nullable
    Charge close(TaskEntry entry) {
        Session session = entry.heldSession();
        Account account = session.account;
        Reservation asked = reservationOf(entry);
        boolean estimated = entry.usedTokensIn < 0;
        long tokensIn = estimated ? entry.promptEstimate : entry.usedTokensIn;
        long tokens = tokensIn + entry.usedTokensOut;
        long costNanos = prices[entry.pricedPool].of(tokensIn, entry.usedTokensOut);
        settle(account.budget, asked, tokens, entry.usedDecodeMs, costNanos);
        if (session.budget != null) {
            settle(session.budget, asked, tokens, entry.usedDecodeMs, costNanos);
        }
        if (account.tokens != null) {
            account.tokens.settle(nowNs, asked.tokens(), tokens);
        }
        account.open--;
        sessions.leave(session, entry, nowNs);
        Allowance left = allowance(session);
        return left == null && costNanos == 0
                ? null
                : new Charge(tokensIn, estimated, entry.usedTokensOut, entry.usedDecodeMs, costNanos, left);
    }

    private void settle(Budget budget, Reservation asked, long tokens, long timeMs, long costNanos) {
        budget.of(BudgetKind.TOKENS).settle(nowNs, asked.tokens(), tokens);
        budget.of(BudgetKind.TIME).settle(nowNs, asked.timeMs(), timeMs);
        budget.of(BudgetKind.COST).settle(nowNs, asked.costNanos(), costNanos);
    }

    // ---- figures ----

    /** What the key of a refused task has left. */
    @Nullable
    Allowance allowance(TaskSpec spec) {
        Session session = session(spec);
        return session != null ? allowance(session) : allowance(account(spec.owner()), null);
    }

    /** What a session and its key have left; null where nothing is limited. */
    @Nullable
    Allowance allowance(Session session) {
        return allowance(session.account, session.budget);
    }

    private @Nullable Allowance allowance(Account account, @Nullable Budget ofSession) {
        boolean isBudgeted = account.budget.isLimited() || ofSession != null;
        if (!isBudgeted && account.requests == null && account.tokens == null) {
            return null;
        }
        return new Allowance(
                left(account.budget, ofSession, BudgetKind.TOKENS),
                left(account.budget, ofSession, BudgetKind.TIME),
                left(account.budget, ofSession, BudgetKind.COST),
                rate(account.requests),
                rate(account.tokens));
    }

    private long left(Budget ofKey, @Nullable Budget ofSession, BudgetKind kind) {
        long left = Math.min(
                leftIfLimited(ofKey, kind), ofSession == null ? Long.MAX_VALUE : leftIfLimited(ofSession, kind));
        return left == Long.MAX_VALUE ? Allowance.NOT_LIMITED : left;
    }

    private long leftIfLimited(Budget budget, BudgetKind kind) {
        Purse purse = budget.of(kind);
        return purse.allotment == null ? Long.MAX_VALUE : purse.left(nowNs);
    }

    private Allowance.@Nullable Rate rate(@Nullable RateBucket bucket) {
        return bucket == null
                ? null
                : new Allowance.Rate(bucket.limit(), bucket.left(nowNs), bucket.waitMs(nowNs, bucket.limit()));
    }

    private long ttlMs(Session session) {
        long spentNs = session.open > 0 ? 0 : nowNs - session.usedAtNs;
        return Math.max(1, (accounting.sessionTtlNs() - spentNs + 999_999) / 1_000_000);
    }

    /** A session as its key sees it, or anybody's for those who may see all; null where there is none. */
    @Nullable
    SessionInfo info(String owner, boolean all, UUID id, PoolRuntime[] pools) {
        Session session = all ? sessions.findAny(owner, id) : sessions.find(owner, id);
        if (session == null) {
            return null;
        }
        boolean warm = session.pool >= 0 && session.isWarm(session.pool, pools[session.pool].replicas[session.replica]);
        return new SessionInfo(ttlMs(session), session.turns, session.open, warm, allowance(session));
    }

    /** Ends a session: it is unknown from now on. Its open tasks, the newest first; null where there is none. */
    @Nullable
    List<TaskEntry> end(String owner, boolean all, UUID id) {
        Session session = all ? sessions.findAny(owner, id) : sessions.find(owner, id);
        if (session == null) {
            return null;
        }
        sessions.remove(session);
        List<TaskEntry> open = new ArrayList<>(session.open);
        for (TaskEntry entry = session.newestOpen; entry != null; entry = entry.olderOfSession) {
            open.add(entry);
        }
        return open;
    }

    // ---- across a restart ----

    /** Every figure that is not 0. */
    List<BudgetBalance> balances() {
        List<BudgetBalance> found = new ArrayList<>();
        for (Account account : accounts.values()) {
            add(found, account.owner, null, account.budget);
        }
        for (Session head : sessions.heads()) {
            for (Session session = head; session != null; session = session.sameId) {
                if (session.budget != null) {
                    add(found, session.account.owner, session.id, session.budget);
                }
            }
        }
        return found;
    }

    private void add(List<BudgetBalance> to, String owner, @Nullable UUID session, Budget budget) {
        for (BudgetKind kind : KINDS) {
            Purse purse = budget.of(kind);
            long used = purse.used(nowNs);
            if (used != 0 || purse.reserved() != 0) {
                to.add(new BudgetBalance(owner, session, kind, used, purse.reserved(), purse.windowRemainingNs(nowNs)));
            }
        }
    }

    /** What a key or session had used before a restart; what it had reserved is the business of its tasks. */
    void restore(BudgetBalance balance) {
        Account account = account(balance.owner());
        UUID id = balance.sessionId();
        if (id == null) {
            restore(account.budget, balance);
            return;
        }
        Session session = sessions.find(balance.owner(), id);
        if (session == null) {
            session = sessions.add(id, account);
            session.usedAtNs = nowNs;
            sessions.rest(session);
        }
        if (session.budget != null) {
            restore(session.budget, balance);
        }
    }

    private void restore(Budget budget, BudgetBalance balance) {
        budget.of(balance.kind()).restore(nowNs, balance.used(), balance.windowRemainingNs());
    }
}
