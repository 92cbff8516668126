package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a task is told that its key's limits, its budget or its session refused: which, how much is left, how much was asked. */
final class LimitRefusals {
    private LimitRefusals() {}

    static ApiError requests(RateBucket bucket, long waitMs) {
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        "the key may submit " + bucket.limit() + " tasks a minute and has none left; try again in "
                                + waitMs + " ms")
                .by("key_requests")
                .retryAfterMs(waitMs)
                .with(figures(bucket.limit(), 0, 1));
    }

    static ApiError tokens(RateBucket bucket, long asked, long left, long waitMs) {
        String may = "the key may use " + bucket.limit() + " tokens a minute";
        if (asked > bucket.limit()) {
            return notRetriable(ApiError.of(
                            ErrorCode.ADMISSION_REJECT,
                            may + " and this task could use " + asked
                                    + " (prompt and max_tokens); ask for fewer tokens or shorten the prompt")
                    .by("key_tokens")
                    .with(figures(bucket.limit(), left, asked)));
        }
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        may + ", has " + left + " left, and this task could use " + asked
                                + " (prompt and max_tokens); try again in " + waitMs + " ms")
                .by("key_tokens")
                .retryAfterMs(waitMs)
                .with(figures(bucket.limit(), left, asked));
    }

    static ApiError concurrent(Account account, PoolRuntime pool, long retryMs) {
        int limit = account.spec.limits().concurrent();
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        "the key has " + account.open + " tasks queued or running, its limit is " + limit
                                + "; wait until one ends, or try again in " + retryMs + " ms")
                .at(pool.spec.engine().wireName(), pool.spec.id())
                .by("key_concurrent")
                .retryAfterMs(retryMs)
                .with(figures(limit, 0, 1));
    }

    static ApiError turns(Session session, int turns, long ttlMs) {
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        "session " + session.id + " has had " + session.turns + " turns of " + turns
                                + "; take a new session_id, or leave it unused for " + ttlMs + " ms",
                        "/session_id",
                        session.id.toString())
                .by("session_turns")
                .retryAfterMs(ttlMs);
    }

    /** @param whose {@code key} or {@code session} */
    static ApiError budget(String whose, Budget budget, BudgetKind kind, Reservation asked, long nowNs) {
        Purse purse = budget.of(kind);
        long limit = purse.limit();
        long left = purse.left(nowNs);
        long wanted = asked.of(kind);
        boolean refills = purse.spanNs() > 0 && wanted <= limit;
        long untilNs = purse.windowRemainingNs(nowNs);
        long retryMs = Math.max(1, (untilNs + 999_999) / 1_000_000);
        String name = whose + "." + kind.label();
        String then = refills
                ? "; it is refilled in " + retryMs + " ms"
                : wanted > limit
                        ? "; ask for less: it never holds that much"
                        : "; ask for less, or wait until open tasks end: it is not refilled";
        ApiError error = ApiError.of(
                        ErrorCode.BUDGET_EXHAUSTED,
                        "the " + what(kind) + " budget of the " + whose + " has " + text(kind, left) + " left of "
                                + text(kind, limit) + " and this task could use " + text(kind, wanted) + then)
                .by("budget_" + whose + "_" + kind.name().toLowerCase(Locale.ROOT));
        List<ApiError.Detail> details = new ArrayList<>(5);
        details.add(new ApiError.Detail("budget", name));
        details.add(new ApiError.Detail("limit", text(kind, limit)));
        details.add(new ApiError.Detail("remaining", text(kind, left)));
        details.add(new ApiError.Detail("asked", text(kind, wanted)));
        error = error.with(details);
        return refills ? retriable(error).retryAfterMs(retryMs) : error;
    }

    private static String what(BudgetKind kind) {
        return switch (kind) {
            case TOKENS -> "token";
            case TIME -> "decode time (ms)";
            case COST -> "cost";
        };
    }

    private static String text(BudgetKind kind, long amount) {
        return kind == BudgetKind.COST ? BudgetKind.decimal(amount) : Long.toString(amount);
    }

    private static List<ApiError.Detail> figures(long limit, long left, long asked) {
        return List.of(
                new ApiError.Detail("limit", Long.toString(limit)),
                new ApiError.Detail("remaining", Long.toString(left)),
                new ApiError.Detail("asked", Long.toString(asked)));
    }

    private static ApiError notRetriable(ApiError error) {
        return retriable(error, false);
    }

    private static ApiError retriable(ApiError error) {
        return retriable(error, true);
    }

    private static ApiError retriable(ApiError error, boolean retriable) {
        return new ApiError(
                error.code(),
                error.message(),
                error.engine(),
                error.poolId(),
                retriable,
                error.retryAfterMs(),
                error.policyLabel(),
                error.details());
    }
}
