package io.llamaorch.orchestratord.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.scheduler.core.AccountSpec;
import io.llamaorch.orchestratord.scheduler.core.Accounting;
import io.llamaorch.orchestratord.scheduler.core.Allotment;
import io.llamaorch.orchestratord.scheduler.core.Allotment.Period;
import io.llamaorch.orchestratord.scheduler.core.BudgetSpec;
import io.llamaorch.orchestratord.scheduler.core.Price;
import io.llamaorch.orchestratord.scheduler.core.RateLimits;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Limits, budgets, prices and sessions in the configuration. */
@NullUnmarked
class UsageConfigTest {
    private static final String PLAIN =
            """
            auth:
              keys:
                - {name: ops, sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
            pools:
              - id: default
                engine: mock
                model: hf:org/repo
                ctx: 8192
                replicas: [{id: r0, url: "mock:"}]
            """;

    private static ConfigLoader.Loaded parse(String text, String... sets) {
        return ConfigLoader.parse(text, "/etc/o/a.yaml", Map.of(), List.of(sets));
    }

    private static String error(String... sets) {
        List<Problem> errors = parse(PLAIN, sets).errors();
        assertThat(errors).hasSize(1);
        return errors.get(0).toString();
    }

    @Test
    void shouldLimitNobodyButSessionsWhenNothingIsSaid() {
        Accounting accounting = parse(PLAIN).orThrow().accounting();
        assertThat(accounting)
                .isEqualTo(new Accounting(
                        600_000_000_000L,
                        8,
                        AccountSpec.UNLIMITED,
                        Map.of("key:ops", AccountSpec.UNLIMITED),
                        Map.of("default", Price.FREE)));
    }

    @Test
    void shouldTakeDecimalsExactlyAndReplaceWholeWhatStandsAtAKey() {
        String text =
                PLAIN.replace("a08\"}", "a08\", limits: {concurrent: 4}, budgets: {cost: {limit: \"25.000000001\"}}}")
                        + """
                    price: {per_1k_in: 0.000001, per_1k_out: "100"}
                sessions: {ttl_ms: 5000, turns: 0, idle_max: 7}
                limits: {requests_per_minute: 60, tokens_per_minute: 9000, concurrent: 2, queue_weight: 3}
                budgets:
                  key:
                    tokens: {limit: 1000, per: day}
                    time_ms: {limit: 2000, per: hour}
                  session: {cost: {limit: 0.5}}
                """;
        Config config = parse(text).orThrow();
        Accounting accounting = config.accounting();
        BudgetSpec ofSession = new BudgetSpec(null, null, new Allotment(500_000_000L, Period.TOTAL));
        assertThat(accounting.byDefault())
                .isEqualTo(new AccountSpec(
                        new RateLimits(60, 9_000, 2, 3),
                        new BudgetSpec(new Allotment(1_000, Period.DAY), new Allotment(2_000, Period.HOUR), null),
                        ofSession));
        assertThat(accounting.accounts())
                .isEqualTo(Map.of(
                        "key:ops",
                        new AccountSpec(
                                new RateLimits(0, 0, 4, 1),
                                new BudgetSpec(null, null, new Allotment(25_000_000_001L, Period.TOTAL)),
                                ofSession)));
        assertThat(accounting.prices()).isEqualTo(Map.of("default", new Price(1, Price.NANOS_MAX)));
        assertThat(config.sessions()).isEqualTo(new Config.Sessions(5_000, 0, 7));
        assertThat(accounting.sessionTtlNs()).isEqualTo(5_000_000_000L);
    }

    @Test
    void shouldRefuseNumbersThatCouldNotBeCountedExactly() {
        assertThat(error("pools.0.price.per_1k_in=0.0000001")).contains("0.0000001 has more than 6 decimals");
        assertThat(error("pools.0.price.per_1k_out=100.1")).contains("100.1 exceeds the most, 100");
        assertThat(error("pools.0.price.per_1k_out=1e-3")).contains("must be a decimal number such as 0.002");
        assertThat(error("budgets.key.cost.limit=-1")).contains("must be a decimal number");
        assertThat(error("budgets.session.tokens.per=week")).contains("must be one of total, hour, day");
        assertThat(error("limits.requests_per_minute=50000001")).contains("exceeds the most, 50000000");
        assertThat(error("limits.queue_weight=0")).contains("is below the least, 1");
    }
}
