package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.scheduler.core.Allotment;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.scheduler.core.BudgetSpec;
import io.llamaorch.orchestratord.scheduler.core.Price;
import io.llamaorch.orchestratord.scheduler.core.RateLimits;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The keys of limits, budgets, prices and sessions: type, range, default and meaning of each. See {@link ConfigBinding}. */
final class UsageBinding {
    private static final long TOKENS_MAX = 1_000_000_000_000_000L;
    private static final BigDecimal COST_MAX = BigDecimal.valueOf(1_000_000_000);
    private static final BigDecimal PRICE_MAX =
            BigDecimal.valueOf(Price.NANOS_MAX).movePointLeft(Price.SCALE);
    /** Decimals of a budget of cost, as in {@link BudgetKind#NANOS}. */
    private static final int COST_SCALE = 9;

    private UsageBinding() {}

    static Config.Sessions sessions(Section s) {
        return new Config.Sessions(
                s.number("ttl_ms", 1_000, 7L * ConfigBinding.DAY_MS, 600_000, "kept so long after its last use, ms"),
                s.integer("turns", 0, 1_000_000, 8, "most tasks admitted to one session; 0: any number"),
                s.integer("idle_max", 1, 10_000_000, 65_536, "most sessions without an open task that are kept"));
    }

    static RateLimits limits(Section s) {
        return new RateLimits(
                s.integer("requests_per_minute", 0, RateLimits.PER_MINUTE_MAX, 0, "tasks a minute; 0: any number"),
                s.integer(
                        "tokens_per_minute",
                        0,
                        RateLimits.PER_MINUTE_MAX,
                        0,
                        "tokens of prompts and outputs a minute; 0: any number"),
                s.integer("concurrent", 0, 10_000_000, 0, "tasks queued or running at once; 0: any number"),
                s.integer(
                        "queue_weight",
                        1,
                        RateLimits.WEIGHT_MAX,
                        1,
                        "tasks that start in the key's turn, while other keys wait"));
    }

    static Config.KeyBudgets keyBudgets(Section s) {
        return new Config.KeyBudgets(
                s.section("key", UsageBinding::budget, "what each key may use, over all its tasks"),
                s.section("session", UsageBinding::budget, "what each session may use"));
    }

    static BudgetSpec budget(Section s) {
        return new BudgetSpec(
                s.section("tokens", b -> allotment(b, TOKENS_MAX), "tokens of prompts and outputs"),
                s.section("time_ms", b -> allotment(b, TOKENS_MAX), "time of decoding, ms"),
                s.section("cost", UsageBinding::cost, "money, in the unit of the pools' prices"));
    }

    private static @Nullable Allotment allotment(Section s, long most) {
        long limit = s.number("limit", 0, most, 0, "how much; 0: not limited");
        Allotment.Period per = per(s);
        return limit == 0 ? null : new Allotment(limit, per);
    }

    private static @Nullable Allotment cost(Section s) {
        BigDecimal limit = s.decimal("limit", COST_MAX, COST_SCALE, "how much, such as \"25.00\"; 0: not limited");
        Allotment.Period per = per(s);
        long nanos = limit.movePointRight(COST_SCALE).longValueExact();
        return nanos == 0 ? null : new Allotment(nanos, per);
    }

    private static Allotment.Period per(Section s) {
        return s.choice(
                "per",
                Arrays.asList(Allotment.Period.values()),
                ConfigBinding::lower,
                Allotment.Period.TOTAL,
                "after which that much again may be used");
    }

    static Price price(Section s) {
        BigDecimal in = s.decimal("per_1k_in", PRICE_MAX, Price.SCALE, "of 1,000 tokens of prompts");
        BigDecimal out = s.decimal("per_1k_out", PRICE_MAX, Price.SCALE, "of 1,000 tokens of outputs");
        return new Price(
                in.movePointRight(Price.SCALE).longValueExact(),
                out.movePointRight(Price.SCALE).longValueExact());
    }

    /** What stands at one key, in place of what stands for all of them. */
    static Config.Grant grant(Section s) {
        return new Config.Grant(
                given(s, "limits", UsageBinding::limits, "in place of the limits of all keys"),
                given(s, "budgets", UsageBinding::budget, "in place of budgets.key"),
                given(s, "session_budgets", UsageBinding::budget, "in place of budgets.session"));
    }

    private static <T> @Nullable T given(Section s, String key, Function<Section, T> bind, String doc) {
        T bound = s.section(key, bind, doc);
        return s.sound(key) ? bound : null;
    }
}
