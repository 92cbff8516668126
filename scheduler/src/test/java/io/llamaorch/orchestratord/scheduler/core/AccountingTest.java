package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Limits, budgets and sessions of {@link Scheduler}, by a clock that the test turns. */
@NullUnmarked
class AccountingTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long TTL_NS = 600 * SECOND;
    private static final String DISPATCHED = "dispatched t";
    private static final UUID SESSION = new UUID(9, 9);

    private final Recorder effects = new Recorder();
    private RateLimits limits = RateLimits.NONE;
    private BudgetSpec ofKey = BudgetSpec.NONE;
    private BudgetSpec ofSession = BudgetSpec.NONE;
    private Price price = Price.FREE;
    private int turns;
    private int idleMax = 10;
    private long nowNs = 1;
    private @Nullable Scheduler<String> made;

    private Scheduler<String> scheduler() {
        Scheduler<String> scheduler = made;
        if (scheduler == null) {
            SchedulerSettings settings = new SchedulerSettings(1_000, idleMax, 8, 30, 300, 32, 100, 0, 1_000);
            scheduler = new Scheduler<>(settings, accounting(), List.of(Specs.pool(2, 100)), effects);
            scheduler.replicaChanged(nowNs, 0, 0, ReplicaState.READY, "v1", 0, 0);
            made = scheduler;
        }
        return scheduler;
    }

    private Accounting accounting() {
        AccountSpec spec = new AccountSpec(limits, ofKey, ofSession);
        return new Accounting(TTL_NS, turns, AccountSpec.UNLIMITED, Map.of("key", spec), Map.of("default", price));
    }

    private static BudgetSpec tokens(long limit, Allotment.Period per) {
        return new BudgetSpec(new Allotment(limit, per), null, null);
    }

    /** 16 bytes are 4 tokens, so it reserves 4 + 1 + 16 and 100. */
    private void admit(int number) {
        scheduler().admit(nowNs, Specs.withSession(Specs.task(number), SESSION), "t" + number);
    }

    private void finish(int number, int tokensIn, int tokensOut) {
        scheduler().firstToken(nowNs, Specs.id(number), -1);
        scheduler().finished(nowNs, Specs.id(number), Outcome.COMPLETED, tokensIn, tokensOut, 40);
    }

    private ApiError refused(ErrorCode code, String label) {
        ApiError error = effects.lastError();
        assertThat(error.code()).isEqualTo(code);
        assertThat(error.policyLabel()).isEqualTo(label);
        return error;
    }

    private static String figure(ApiError error, String name) {
        return error.details().stream()
                .filter(detail -> detail.name().equals(name))
                .findFirst()
                .orElseThrow()
                .value();
    }

    private Allowance left() {
        return effects.lastAdmission().allowance();
    }

    // ---- budgets ----

    @Test
    void shouldReserveTheWorstCaseAndSettleWhatWasUsed() {
        ofKey = tokens(1_000, Allotment.Period.TOTAL);
        admit(1);
        assertThat(left().tokensLeft()).isEqualTo(1_000 - 121);
        assertThat(left().timeMsLeft()).isEqualTo(Allowance.NOT_LIMITED);

        finish(1, 7, 30);

        assertThat(effects.charges).hasSize(1);
        assertThat(effects.charges.get(0).tokensIn()).isEqualTo(7);
        assertThat(effects.charges.get(0).allowance().tokensLeft()).isEqualTo(1_000 - 37);
        assertThat(scheduler().budgetSnapshot(nowNs))
                .contains(new BudgetBalance("key", null, BudgetKind.TOKENS, 37, 0, 0))
                .contains(new BudgetBalance("key", null, BudgetKind.TIME, 40, 0, 0))
                .hasSize(2);
    }

    @Test
    void shouldRefuseWithFiguresWhenTheBudgetCannotCoverTheWorstCase() {
        ofKey = tokens(300, Allotment.Period.TOTAL);
        admit(1);
        admit(2);
        admit(3);

        ApiError error = refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_tokens");
        assertThat(error.retriable()).isFalse();
        assertThat(error.retryAfterMs()).isEqualTo(ApiError.NO_RETRY_AFTER);
        assertThat(figure(error, "budget")).isEqualTo("key.tokens");
        assertThat(figure(error, "limit")).isEqualTo("300");
        assertThat(figure(error, "remaining")).isEqualTo("58");
        assertThat(figure(error, "asked")).isEqualTo("121");
        assertThat(effects.refusedWith.tokensLeft()).isEqualTo(58);

        scheduler().withdraw(nowNs, Specs.id(2)); // it runs: in vain
        finish(1, 4, 0);
        admit(3);
        assertThat(effects.lastAdmission().allowance().tokensLeft()).isEqualTo(300 - 4 - 2 * 121);
    }

    @Test
    void shouldRefillWhenTheWindowIsOver() {
        ofKey = tokens(130, Allotment.Period.HOUR);
        admit(1);
        finish(1, 4, 90);
        nowNs += 600 * SECOND;
        admit(2);
        ApiError error = refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_tokens");
        assertThat(error.retriable()).isTrue();
        assertThat(error.retryAfterMs()).isEqualTo(3_000_000);

        nowNs += 3_000 * SECOND - 1;
        admit(2);
        refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_tokens");
        nowNs += 1;
        admit(2);
        assertThat(left().tokensLeft()).isEqualTo(9);
    }

    @Test
    void shouldKeepAReservationAcrossTheEndOfAWindowAndChargeTheNext() {
        ofKey = tokens(200, Allotment.Period.HOUR);
        nowNs = 1;
        scheduler().admit(nowNs, Specs.withDeadline(Specs.task(1), 3 * Specs.HOUR_NS), "t1");
        nowNs += Specs.HOUR_NS + 5;
        admit(2);
        refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_tokens");

        finish(1, 4, 46);
        admit(3);
        assertThat(left().tokensLeft()).isEqualTo(200 - 50 - 121);
    }

    @Test
    void shouldNeverBeRetriableWhenMoreIsAskedThanTheBudgetEverHolds() {
        ofKey = tokens(120, Allotment.Period.DAY);
        admit(1);
        ApiError error = refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_tokens");
        assertThat(error.retriable()).isFalse();
        assertThat(error.retryAfterMs()).isEqualTo(ApiError.NO_RETRY_AFTER);
    }

    @Test
    void shouldCountTheDeadlineAsDecodeTimeAndThenWhatItWas() {
        ofKey = new BudgetSpec(null, new Allotment(3_600_500, Allotment.Period.TOTAL), null);
        admit(1);
        assertThat(left().timeMsLeft()).isEqualTo(500);
        admit(2);
        ApiError error = refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_time");
        assertThat(figure(error, "asked")).isEqualTo("3600000");
        finish(1, 4, 4);
        assertThat(effects.charges.get(0).allowance().timeMsLeft()).isEqualTo(3_600_460);
    }

    @Test
    void shouldCountCostExactlyWhenPricesHaveSixDecimals() {
        price = new Price(1, 2_000); // 0.000001 and 0.002 for 1,000 tokens
        ofSession = new BudgetSpec(null, null, new Allotment(201_000, Allotment.Period.TOTAL));
        admit(1);
        assertThat(left().costNanosLeft()).isEqualTo(201_000 - 21 - 200_000);
        admit(2);
        ApiError error = refused(ErrorCode.BUDGET_EXHAUSTED, "budget_session_cost");
        assertThat(figure(error, "asked")).isEqualTo("0.000200021");
        assertThat(figure(error, "remaining")).isEqualTo("0.000000979");
        finish(1, 5, 10);
        assertThat(effects.charges.get(0).costNanos()).isEqualTo(5 + 20_000);
    }

    @Test
    void shouldWriteBillionthsWithoutAnExponent() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 2_000; i++) {
            long nanos = random.nextLong(1L << (1 + i % 62)) / (i % 3 == 0 ? 1 : 1_000) * (i % 3 == 0 ? 1 : 1_000);
            assertThat(BudgetKind.decimal(nanos))
                    .isEqualTo(BigDecimal.valueOf(nanos, 9).stripTrailingZeros().toPlainString());
        }
    }

    @Test
    void shouldReleaseEverythingWhateverEndsATask() {
        ofKey = tokens(10_000, Allotment.Period.TOTAL);
        for (int i = 1; i <= 7; i++) {
            admit(i);
        }
        scheduler().finished(nowNs, Specs.id(1), Outcome.NEVER_STARTED, -1, 0, 0); // 3 starts
        scheduler().finished(nowNs, Specs.id(2), Outcome.CANCELED, -1, 12, 30); // 4 starts; the prompt was not counted
        scheduler().withdraw(nowNs, Specs.id(5));
        scheduler().retry(nowNs, Specs.id(3)); // nowhere to go
        scheduler().evictAll(nowNs, ApiError.of(ErrorCode.WORKER_RESET, "stopped"));
        scheduler().finished(nowNs, Specs.id(4), Outcome.FAILED, -1, 0, 0);
        nowNs += 2 * Specs.HOUR_NS;
        scheduler().advance(nowNs);

        assertThat(scheduler().snapshot().tasksLive()).isEqualTo(1); // 6, which started when 3 was given back
        scheduler().finished(nowNs, Specs.id(6), Outcome.CANCELED, 9, 1, 1);
        assertThat(scheduler().budgetSnapshot(nowNs))
                .contains(new BudgetBalance("key", null, BudgetKind.TOKENS, 4 + 12 + 9 + 1, 0, 0))
                .hasSize(2);
    }

    @Test
    void shouldGoOnWithWhatWasUsedWhenItIsRestored() {
        ofKey = tokens(1_000, Allotment.Period.HOUR);
        ofSession = tokens(500, Allotment.Period.TOTAL);
        scheduler().restoreBudget(nowNs, new BudgetBalance("key", null, BudgetKind.TOKENS, 300, 77, 50 * SECOND));
        scheduler().restoreBudget(nowNs, new BudgetBalance("key", SESSION, BudgetKind.TOKENS, 400, 77, 0));
        admit(1);
        ApiError error = refused(ErrorCode.BUDGET_EXHAUSTED, "budget_session_tokens");
        assertThat(figure(error, "remaining")).isEqualTo("100");
        scheduler().admit(nowNs, Specs.task(2), "t2");
        assertThat(left().tokensLeft()).isEqualTo(500 - 121);
        finish(2, 4, 4);
        assertThat(effects.charges.get(0).allowance().tokensLeft()).isEqualTo(492);
        nowNs += 50 * SECOND;
        assertThat(scheduler().budgetSnapshot(nowNs))
                .filteredOn(line -> line.kind() == BudgetKind.TOKENS && line.sessionId() == null)
                .isEmpty();
    }

    @Test
    void shouldTakeOtherLimitsWithoutForgettingWhatWasUsed() {
        admit(1);
        finish(1, 4, 96);
        ofKey = tokens(222, Allotment.Period.TOTAL);
        limits = new RateLimits(1, 0, 0, 1);
        scheduler().changeAccounting(nowNs, accounting());
        admit(2);
        admit(3);
        assertThat(figure(refused(ErrorCode.ADMISSION_REJECT, "key_requests"), "limit"))
                .isEqualTo("1");
        nowNs += 60 * SECOND;
        finish(2, 4, 0);
        admit(3);
        assertThat(figure(refused(ErrorCode.BUDGET_EXHAUSTED, "budget_key_tokens"), "remaining"))
                .isEqualTo("118");
    }

    // ---- limits ----

    @Test
    void shouldRefuseTheRequestTooManyAndTellWhenToComeBack() {
        limits = new RateLimits(3, 0, 0, 1);
        admit(1);
        assertThat(left().requests()).isEqualTo(new Allowance.Rate(3, 2, 20_000));
        assertThat(left().tokens()).isNull();
        admit(2);
        admit(3);
        nowNs += 5 * SECOND;
        admit(4);
        ApiError error = refused(ErrorCode.ADMISSION_REJECT, "key_requests");
        assertThat(error.retryAfterMs()).isEqualTo(15_000);
        assertThat(error.retriable()).isTrue();
        nowNs += 15 * SECOND - 1;
        admit(4);
        refused(ErrorCode.ADMISSION_REJECT, "key_requests");
        nowNs++;
        admit(4);
        assertThat(effects.log).endsWith("admitted t4 1");
    }

    @Test
    void shouldTakeNothingForAReplayOrARefusal() {
        limits = new RateLimits(2, 0, 0, 1);
        admit(1);
        admit(1);
        scheduler().admit(nowNs, Specs.withSizes(Specs.task(7), 9_000, 16, 10), "t7");
        admit(2);
        assertThat(effects.log).endsWith("admitted t2 0", "dispatched t2 default/r0/1");
    }

    @Test
    void shouldPutBackTheTokensThatATaskDidNotUse() {
        limits = new RateLimits(0, 250, 0, 1);
        admit(1);
        admit(2);
        admit(3);
        ApiError error = refused(ErrorCode.ADMISSION_REJECT, "key_tokens");
        assertThat(error.retryAfterMs()).isEqualTo(27_120);
        assertThat(figure(error, "asked")).isEqualTo("121");
        finish(1, 4, 0);
        admit(3);
        assertThat(left().tokens()).isEqualTo(new Allowance.Rate(250, 4, 59_040));
        scheduler().admit(nowNs, Specs.withMaxTokens(Specs.task(8), 500), "t8");
        error = refused(ErrorCode.ADMISSION_REJECT, "key_tokens");
        assertThat(error.retriable()).isFalse();
        assertThat(error.retryAfterMs()).isEqualTo(ApiError.NO_RETRY_AFTER);
    }

    @Test
    void shouldRefuseMoreTasksAtOnceThanAKeyMayHave() {
        limits = new RateLimits(0, 0, 3, 1);
        for (int i = 1; i <= 4; i++) {
            admit(i); // two run, one waits
        }
        ApiError error = refused(ErrorCode.ADMISSION_REJECT, "key_concurrent");
        assertThat(error.retryAfterMs()).isPositive();
        assertThat(figure(error, "limit")).isEqualTo("3");
        scheduler().withdraw(nowNs, Specs.id(3));
        admit(4);
        assertThat(effects.log).endsWith("admitted t4 0");
    }

    @Test
    void shouldFillABucketExactlyWhenItIsLookedAtAtAnyTime() {
        for (long seed = 1; seed <= 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int limit = seed == 1 ? RateLimits.PER_MINUTE_MAX : 1 + random.nextInt(5_000);
            long now = random.nextLong(-1_000_000_000_000L, 1_000_000_000_000L);
            RateBucket bucket = new RateBucket(limit, now);
            BigInteger full = BigInteger.valueOf(limit).multiply(BigInteger.valueOf(60 * SECOND));
            BigInteger level = full;
            for (int step = 0; step < 5_000; step++) {
                long spanNs = random.nextInt(50) == 0 ? random.nextLong(200 * SECOND) : random.nextLong(SECOND);
                now += spanNs;
                level = level.add(BigInteger.valueOf(spanNs).multiply(BigInteger.valueOf(limit)))
                        .min(full);
                long whole = Math.max(
                        0, level.divide(BigInteger.valueOf(60 * SECOND)).longValueExact());
                assertThat(bucket.left(now)).as("seed %d", seed).isEqualTo(whole);
                long amount = 1 + random.nextLong(limit);
                assertThat(bucket.holds(now, amount)).isEqualTo(whole >= amount);
                if (whole >= amount) {
                    bucket.take(amount);
                    level = level.subtract(BigInteger.valueOf(amount).multiply(BigInteger.valueOf(60 * SECOND)));
                } else {
                    long waitMs = bucket.waitMs(now, amount);
                    assertThat(waitMs).isPositive();
                    assertThat(level.add(BigInteger.valueOf(waitMs * 1_000_000L * limit)))
                            .isGreaterThanOrEqualTo(BigInteger.valueOf(amount * 60 * SECOND));
                }
                if (random.nextInt(3) == 0) {
                    long used = random.nextLong(2L * amount);
                    bucket.settle(now, amount, used);
                    long back = Math.max(-limit, Math.min(limit, amount - used));
                    level = level.add(BigInteger.valueOf(back * 60 * SECOND))
                            .min(full)
                            .max(full.negate());
                }
            }
        }
    }

    @Test
    void shouldShareStartsByWeightWhileTwoKeysWait() {
        limits = new RateLimits(0, 0, 0, 3);
        for (int i = 0; i < 60; i++) {
            scheduler().admit(nowNs, Specs.of(Specs.task(i), "other", i, "m"), "t" + i);
        }
        for (int i = 100; i < 130; i++) {
            scheduler().admit(nowNs, Specs.task(i), "t" + i);
        }
        int ofKey = 0;
        for (int done = 0; done < 40; done++) {
            String running = effects.log.stream()
                    .filter(line -> line.startsWith(DISPATCHED))
                    .skip(done)
                    .findFirst()
                    .orElseThrow();
            finish(numberOf(running), 4, 4);
            assertThat(effects.dispatches).hasSize(done + 3);
            ofKey += numberOf(effects.log.get(effects.log.size() - 1)) >= 100 ? 1 : 0;
            assertThat(ofKey).isBetween(3 * ((done + 1) / 4) - 1, 3 * ((done + 4) / 4));
        }
        assertThat(ofKey).isEqualTo(30);
    }

    private static int numberOf(String line) {
        int at = DISPATCHED.length();
        return Integer.parseInt(line.substring(at, line.indexOf(' ', at)));
    }

    // ---- sessions ----

    @Test
    void shouldForgetASessionWhenItsTimeIsOverAndNotBefore() {
        admit(1);
        nowNs += 2 * TTL_NS;
        assertThat(scheduler().session(nowNs, "key", false, SESSION))
                .isEqualTo(new SessionInfo(600_000, 1, 1, false, null));
        finish(1, 4, 4);
        nowNs += TTL_NS - 1;
        assertThat(scheduler().session(nowNs, "key", false, SESSION)).isEqualTo(new SessionInfo(1, 1, 0, true, null));
        nowNs += 1;
        assertThat(scheduler().session(nowNs, "key", false, SESSION)).isNull();
        assertThat(scheduler().snapshot().sessions()).isEqualTo(new SchedulerSnapshot.Sessions(0, 1, 0));
    }

    @Test
    void shouldRefuseTheTurnTooManyUntilTheSessionIsForgotten() {
        turns = 2;
        admit(1);
        admit(2);
        admit(1); // again: no turn
        admit(3);
        ApiError error = refused(ErrorCode.ADMISSION_REJECT, "session_turns");
        assertThat(error.retryAfterMs()).isEqualTo(600_000);
        finish(1, 4, 4);
        finish(2, 4, 4);
        nowNs += TTL_NS;
        admit(3);
        assertThat(effects.log).contains("admitted t3 0");
    }

    @Test
    void shouldMakeNoSessionForARefusedTask() {
        scheduler().admit(nowNs, Specs.withSizes(Specs.task(1), 9_000, 16, 10), "t1");
        assertThat(scheduler().snapshot().sessions().known()).isZero();
    }

    @Test
    void shouldKeepSessionsOfOneIdApartWhenKeysShareIt() {
        turns = 1;
        admit(1);
        scheduler().admit(nowNs, Specs.of(Specs.withSession(Specs.task(2), SESSION), "other", 2, "m"), "t2");
        assertThat(effects.log).contains("admitted t1 0", "admitted t2 0");
        assertThat(scheduler().session(nowNs, "third", false, SESSION)).isNull();
        assertThat(scheduler().endSession(nowNs, "third", false, SESSION)).isNull();
        assertThat(scheduler().endSession(nowNs, "other", true, SESSION)).containsExactly("t2");
        assertThat(scheduler().session(nowNs, "other", false, SESSION)).isNull();
        assertThat(scheduler().session(nowNs, "third", true, SESSION)).isNotNull();
        assertThat(scheduler().endSession(nowNs, "third", true, SESSION)).containsExactly("t1");
        assertThat(scheduler().endSession(nowNs, "third", true, SESSION)).isNull();
    }

    @Test
    void shouldBeginAnewWhenASessionWasEndedWithTasksOpen() {
        turns = 2;
        admit(1);
        admit(2);
        admit(3);
        refused(ErrorCode.ADMISSION_REJECT, "session_turns");
        assertThat(scheduler().endSession(nowNs, "key", false, SESSION)).containsExactly("t2", "t1");
        admit(3);
        finish(1, 4, 4);
        finish(2, 4, 4);
        assertThat(scheduler().session(nowNs, "key", false, SESSION).turns()).isEqualTo(1);
        assertThat(scheduler().snapshot().sessions().known()).isEqualTo(1);
    }

    @Test
    void shouldDropTheSessionUsedLongestAgoWhenThereAreTooManyAndNoneThatIsOpen() {
        idleMax = 2;
        for (int i = 1; i <= 4; i++) {
            scheduler().admit(nowNs, Specs.task(i), "t" + i); // a session each
        }
        assertThat(scheduler().snapshot().sessions().known()).isEqualTo(4);
        finish(2, 4, 4);
        finish(1, 4, 4);
        finish(3, 4, 4);
        assertThat(scheduler().session(nowNs, "key", false, Specs.id(2))).isNull();
        assertThat(scheduler().session(nowNs, "key", false, Specs.id(1))).isNotNull();
        assertThat(scheduler().session(nowNs, "key", false, Specs.id(4))).isNotNull();
        assertThat(scheduler().snapshot().sessions()).isEqualTo(new SchedulerSnapshot.Sessions(3, 0, 1));
    }
}
