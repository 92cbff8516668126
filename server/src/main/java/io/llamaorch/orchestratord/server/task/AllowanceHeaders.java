package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.server.http.Exchange;
import org.jspecify.annotations.Nullable;

/** What a key has left, as headers of an answer: BUD-11, LIM-4. */
final class AllowanceHeaders {
    private AllowanceHeaders() {}

    /** Budgets and rates: on the answer to a submit. */
    static void all(Exchange exchange, @Nullable Allowance allowance) {
        if (allowance == null) {
            return;
        }
        budgets(exchange, allowance);
        rate(exchange, "requests", allowance.requests());
        rate(exchange, "tokens", allowance.tokens());
    }

    /** Budgets: also at the head of a stream. */
    static void budgets(Exchange exchange, @Nullable Allowance allowance) {
        if (allowance == null) {
            return;
        }
        if (allowance.tokensLeft() != Allowance.NOT_LIMITED) {
            exchange.addHeader("X-Budget-Tokens-Remaining", allowance.tokensLeft());
        }
        if (allowance.timeMsLeft() != Allowance.NOT_LIMITED) {
            exchange.addHeader("X-Budget-Time-Remaining-Ms", allowance.timeMsLeft());
        }
        if (allowance.costNanosLeft() != Allowance.NOT_LIMITED) {
            exchange.addHeader("X-Budget-Cost-Remaining", BudgetKind.decimal(allowance.costNanosLeft()));
        }
    }

    private static void rate(Exchange exchange, String of, Allowance.@Nullable Rate rate) {
        if (rate != null) {
            exchange.addHeader("x-ratelimit-limit-" + of, rate.limit());
            exchange.addHeader("x-ratelimit-remaining-" + of, rate.left());
            exchange.addHeader("x-ratelimit-reset-" + of, rate.resetMs() + "ms");
        }
    }
}
