package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Sessions and budgets as a reader of the contract would write them down: maps, searched from end to end. */
final class NaiveLedger {
    private static final BudgetKind[] KINDS = BudgetKind.values();

    private final Accounting accounting;
    private final int idleMax;
    private final Map<String, Purse> purses = new LinkedHashMap<>();
    private final Map<String, Integer> open = new LinkedHashMap<>();
    private final Map<Key, Talk> talks = new LinkedHashMap<>();
    private long uses;
    private long settled;

    private record Key(String owner, UUID id) {}

    private static int at(BudgetKind kind) {
        return List.of(KINDS).indexOf(kind);
    }

    /** A budget. */
    private static final class Purse {
        final BudgetSpec spec;
        final long[] used = new long[KINDS.length];
        final long[] reserved = new long[KINDS.length];
        final @Nullable Long[] opened = new @Nullable Long[KINDS.length];

        Purse(BudgetSpec spec) {
            this.spec = spec;
        }

        void pass(long nowNs) {
            for (BudgetKind kind : KINDS) {
                int k = at(kind);
                Allotment allotment = spec.of(kind);
                Long at = opened[k];
                while (allotment != null
                        && at != null
                        && nowNs - at >= allotment.per().ns()) {
                    used[k] = 0;
                    at = reserved[k] > 0 ? Long.valueOf(at + allotment.per().ns()) : null;
                }
                opened[k] = at;
            }
        }

        long left(BudgetKind kind) {
            Allotment allotment = spec.of(kind);
            return allotment == null
                    ? Long.MAX_VALUE
                    : Math.max(0, allotment.limit() - used[at(kind)] - reserved[at(kind)]);
        }

        void reserve(long nowNs, Reservation asked) {
            for (BudgetKind kind : KINDS) {
                int k = at(kind);
                assertThat(left(kind)).as("%s left", kind).isGreaterThanOrEqualTo(asked.of(kind));
                reserved[k] += asked.of(kind);
                Allotment allotment = spec.of(kind);
                if (opened[k] == null && allotment != null && allotment.per() != Allotment.Period.TOTAL) {
                    opened[k] = nowNs;
                }
            }
        }

        void settle(Reservation asked, long... figures) {
            for (int k = 0; k < KINDS.length; k++) {
                reserved[k] -= asked.of(KINDS[k]);
                used[k] += figures[k];
            }
        }
    }

    /** A session. */
    private static final class Talk {
        final Key key;
        final Purse purse;
        int turns;
        final Set<SimTask> open = new LinkedHashSet<>();
        long usedAtNs;
        /** Order of the last uses: breaks ties of time. */
        long use;

        Talk(Key key, Purse purse) {
            this.key = key;
            this.purse = purse;
        }
    }

    NaiveLedger(Accounting accounting, int idleMax) {
        this.accounting = accounting;
        this.idleMax = idleMax;
    }

    /** Tasks that were charged for what they used. */
    long settled() {
        return settled;
    }

    private Purse purse(String owner) {
        return purses.computeIfAbsent(
                owner, name -> new Purse(accounting.of(name).budget()));
    }

    /** Time passes. */
    void pass(long nowNs) {
        purses.values().forEach(purse -> purse.pass(nowNs));
        talks.values().forEach(talk -> talk.purse.pass(nowNs));
        talks.values().removeIf(talk -> talk.open.isEmpty() && nowNs - talk.usedAtNs >= accounting.sessionTtlNs());
    }

    private static Key key(SimTask task) {
        return new Key(task.spec.owner(), task.spec.sessionId());
    }

    void admitted(SimTask task, Reservation asked, Price price, long nowNs) {
        pass(nowNs);
        String owner = task.spec.owner();
        AccountSpec spec = accounting.of(owner);
        int most = spec.limits().concurrent();
        assertThat(open.merge(owner, 1, Integer::sum)).isLessThanOrEqualTo(most == 0 ? Integer.MAX_VALUE : most);
        Talk talk = talks.computeIfAbsent(key(task), key -> new Talk(key, new Purse(spec.sessionBudget())));
        assertThat(++talk.turns)
                .isLessThanOrEqualTo(accounting.sessionTurns() == 0 ? Integer.MAX_VALUE : accounting.sessionTurns());
        assertThat(asked.tokens()).isEqualTo(asked.promptTokens() + task.spec.maxTokens());
        assertThat(asked.promptTokens()).isLessThanOrEqualTo(task.spec.promptBytes() + 16L);
        assertThat(asked.costNanos()).isEqualTo(price.of(asked.promptTokens(), task.spec.maxTokens()));
        purse(owner).reserve(nowNs, asked);
        talk.purse.reserve(nowNs, asked);
        task.talk = talk;
        task.asked = asked;
        task.price = price;
        talk.open.add(task);
        used(talk, nowNs);
    }

    private void used(Talk talk, long nowNs) {
        talk.usedAtNs = nowNs;
        talk.use = uses++;
    }

    /** @param figures prompt tokens, decoded tokens, decode time in ms */
    void over(SimTask task, long nowNs, long... figures) {
        pass(nowNs);
        settled++;
        Talk talk = (Talk) task.talk;
        long cost = task.price.of(figures[0], figures[1]);
        purse(task.spec.owner()).settle(task.asked, figures[0] + figures[1], figures[2], cost);
        talk.purse.settle(task.asked, figures[0] + figures[1], figures[2], cost);
        open.merge(task.spec.owner(), -1, Integer::sum);
        assertThat(talk.open.remove(task)).isTrue();
        used(talk, nowNs);
        List<Talk> idle = new ArrayList<>(
                talks.values().stream().filter(other -> other.open.isEmpty()).toList());
        if (idle.size() > idleMax) {
            idle.sort(Comparator.comparingLong(other -> other.use));
            talks.remove(idle.get(0).key);
        }
    }

    void refused(SimTask task, ApiError error, long nowNs) {
        pass(nowNs);
        String owner = task.spec.owner();
        Talk talk = talks.get(key(task));
        String label = String.valueOf(error.policyLabel());
        AccountSpec spec = accounting.of(owner);
        switch (label) {
            case "key_concurrent" ->
                assertThat(open.getOrDefault(owner, 0)).isEqualTo(spec.limits().concurrent());
            case "session_turns" -> assertThat(talk == null ? 0 : talk.turns).isEqualTo(accounting.sessionTurns());
            case "key_requests", "key_tokens" -> {}
            default -> {
                assertThat(label).startsWith("budget_");
                boolean ofKey = label.startsWith("budget_key_");
                Purse purse = ofKey ? purse(owner) : talk == null ? new Purse(spec.sessionBudget()) : talk.purse;
                BudgetKind kind = BudgetKind.valueOf(
                        label.substring(label.lastIndexOf('_') + 1).toUpperCase(Locale.ROOT));
                long left = purse.left(kind);
                assertThat(figure(error, "remaining", kind)).isEqualTo(left);
                assertThat(figure(error, "asked", kind)).isGreaterThan(left);
                assertThat(error.retriable()).isEqualTo(error.retryAfterMs() > 0);
            }
        }
    }

    private static long figure(ApiError error, String name, BudgetKind kind) {
        String value = error.details().stream()
                .filter(detail -> detail.name().equals(name))
                .findFirst()
                .orElseThrow()
                .value();
        return new BigDecimal(value)
                .movePointRight(kind == BudgetKind.COST ? 9 : 0)
                .longValueExact();
    }

    /** The ledger equals usage: nothing is lost, nothing leaks. */
    void compare(List<BudgetBalance> told, long nowNs) {
        pass(nowNs);
        Map<String, String> expected = new LinkedHashMap<>();
        purses.forEach((owner, purse) -> write(expected, owner, null, purse));
        talks.forEach((key, talk) -> {
            if (talk.purse.spec.isLimited()) {
                write(expected, key.owner, key.id, talk.purse);
            }
        });
        Map<String, String> found = new LinkedHashMap<>();
        for (BudgetBalance line : told) {
            found.put(
                    line.owner() + " " + line.sessionId() + " " + line.kind(),
                    line.used() + " used, " + line.reserved() + " reserved");
        }
        assertThat(found).isEqualTo(expected);
    }

    private static void write(Map<String, String> to, String owner, @Nullable UUID session, Purse purse) {
        for (BudgetKind kind : KINDS) {
            long used = purse.used[at(kind)];
            long reserved = purse.reserved[at(kind)];
            if (used != 0 || reserved != 0) {
                to.put(owner + " " + session + " " + kind, used + " used, " + reserved + " reserved");
            }
        }
    }

    /** Nothing is open, so nothing may be reserved. */
    void assertNothingReserved() {
        for (Purse purse : purses.values()) {
            assertThat(purse.reserved).containsOnly(0);
        }
        assertThat(open.values()).allMatch(count -> count == 0);
    }

    int known() {
        return talks.size();
    }

    void compare(String owner, UUID id, @Nullable SessionInfo told, long nowNs) {
        pass(nowNs);
        Talk talk = talks.get(new Key(owner, id));
        if (talk == null || told == null) {
            assertThat(told).isNull();
            assertThat(talk == null ? 0 : talk.turns).isZero();
            return;
        }
        assertThat(told.turns()).isEqualTo(talk.turns);
        assertThat(told.openTasks()).isEqualTo(talk.open.size());
        long spentNs = talk.open.isEmpty() ? nowNs - talk.usedAtNs : 0;
        assertThat(told.ttlMsRemaining()).isEqualTo(ceilMs(accounting.sessionTtlNs() - spentNs));
    }

    private static long ceilMs(long ns) {
        return Math.max(1, (ns + 999_999) / 1_000_000);
    }

    /** A session is over; the tasks that were open in it. */
    Collection<SimTask> ended(String owner, UUID id, long nowNs) {
        pass(nowNs);
        Talk talk = talks.remove(new Key(owner, id));
        return talk == null ? List.of() : List.copyOf(talk.open);
    }
}
