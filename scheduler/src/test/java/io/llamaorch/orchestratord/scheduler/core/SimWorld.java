package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A world around one scheduler, in virtual time, out of one seed: {@link SimClients} that ask, repeat, cancel and poll,
 * a {@link SimServer} that owns the tasks and hears of effects late, a {@link SimOperator} and engines that drain,
 * reload, fail, go down and come back, and a bookkeeper ({@link SimBook}, {@link NaivePool}) that believes nothing and
 * hears effects at once.
 */
final class SimWorld {
    static final double SECOND = 1e9;
    /** Most tasks that one input displaces: few, because the queues are short. */
    private static final int SLICE = 3;

    final SplittableRandom random;
    final List<NaivePool> pools = new ArrayList<>();
    /** By id, as long as the scheduler has to know them. */
    final Map<UUID, SimTask> known = new HashMap<>();

    final double meanGapNs;
    final SimBook book;
    final SimServer server;
    final NaiveLedger ledger;
    private final Accounting accounting;
    long nowNs;
    boolean draining;

    private final Scheduler<SimTask> scheduler;
    private final SimClients clients;
    private final SimOperator operator;
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            (a, b) -> a.atNs != b.atNs ? Long.compare(a.atNs, b.atNs) : Long.compare(a.order, b.order));
    private long order;
    private long displacedLater;

    private record Event(long atNs, long order, Runnable action) {}

    SimWorld(long seed) {
        random = new SplittableRandom(seed);
        nowNs = random.nextLong(-1_000_000_000_000L, 1_000_000_000_000L);
        List<PoolSpec> specs = new ArrayList<>();
        int poolCount = 1 + random.nextInt(4);
        int slots = 0;
        for (int p = 0; p < poolCount; p++) {
            PoolSpec spec = newPool("p" + p);
            slots += spec.replicas().stream()
                    .mapToInt(PoolSpec.ReplicaSpec::slots)
                    .sum();
            specs.add(spec);
            pools.add(new NaivePool(spec, this::weight));
        }
        long rebuildNs = random.nextInt(8) == 0 ? 20_000_000L : 60_000_000_000L;
        SchedulerSettings settings = new SchedulerSettings(100_000, 50, 8, 20, 500, 32, 100, rebuildNs, 5_000);
        book = new SimBook(this);
        accounting = newAccounting();
        ledger = new NaiveLedger(accounting, settings.sessionsMax());
        scheduler = new Scheduler<>(settings, accounting, specs, book, SLICE);
        server = new SimServer(this);
        clients = new SimClients(this);
        operator = new SimOperator(this);
        meanGapNs = 42 * SECOND / slots / (0.4 + 1.4 * random.nextDouble());
    }

    private PoolSpec newPool(String id) {
        List<PoolSpec.ReplicaSpec> replicas = new ArrayList<>();
        for (int r = random.nextInt(3); r >= 0; r--) {
            String mask = random.nextInt(4) == 0 ? null : pick("0", "1", "0,1");
            replicas.add(new PoolSpec.ReplicaSpec("r" + replicas.size(), 1 + random.nextInt(4), mask));
        }
        PoolSpec.FullPolicy[] policies = PoolSpec.FullPolicy.values();
        return new PoolSpec(
                id,
                EngineKind.MOCK,
                random.nextInt(4) == 0 ? "n" : "m",
                8192,
                1 + random.nextInt(24),
                policies[random.nextInt(policies.length)],
                1 + random.nextInt(4),
                random.nextBoolean(),
                random.nextInt(3),
                random.nextBoolean() ? null : pick("s1", "s2"),
                replicas);
    }

    private Accounting newAccounting() {
        Map<String, AccountSpec> accounts = new HashMap<>();
        for (int k = 0; k < 3; k++) {
            RateLimits limits = new RateLimits(
                    random.nextInt(4) == 0 ? 1 + random.nextInt(10) : 0,
                    random.nextInt(4) == 0 ? 1_000 + random.nextInt(20_000) : 0,
                    random.nextInt(3) == 0 ? 1 + random.nextInt(12) : 0,
                    1 + random.nextInt(4));
            accounts.put("k" + k, new AccountSpec(limits, newBudget(200), newBudget(4)));
        }
        Map<String, Price> prices = new HashMap<>();
        for (int p = 0; p < pools.size(); p += 2) {
            prices.put("p" + p, new Price(random.nextLong(1_000), random.nextLong(3_000)));
        }
        long ttlNs = (long) ((30 + random.nextInt(600)) * SECOND);
        return new Accounting(ttlNs, random.nextBoolean() ? 0 : 8, AccountSpec.UNLIMITED, accounts, prices);
    }

    /** Room for about so many tasks, of each kind that it limits. */
    private BudgetSpec newBudget(int tasks) {
        return new BudgetSpec(
                newAllotment(800L * tasks), newAllotment(1_800_000L * tasks), newAllotment(800_000L * tasks));
    }

    private @Nullable Allotment newAllotment(long most) {
        return random.nextInt(3) == 0
                ? new Allotment(1 + random.nextLong(most), pick(Allotment.Period.values()))
                : null;
    }

    Reservation reservation(SimTask task) {
        return scheduler.reservation(task.spec.id());
    }

    int promptEstimate(SimTask task) {
        return scheduler.promptEstimate(task.spec.id());
    }

    private int weight(String owner) {
        return accounting.of(owner).limits().queueWeight();
    }

    Price price(NaivePool pool) {
        return accounting.price(pool.spec.id());
    }

    @SafeVarargs
    final <V> V pick(V... of) {
        return of[random.nextInt(of.length)];
    }

    double exponential(double mean) {
        return -mean * Math.log(1 - random.nextDouble());
    }

    void later(double spanNs, Runnable action) {
        at(nowNs + 1 + (long) spanNs, action);
    }

    void at(long atNs, Runnable action) {
        events.add(new Event(atNs, order++, action));
    }

    /** One input of the scheduler, after which everything has settled. */
    void tell(Consumer<Scheduler<SimTask>> input) {
        input.accept(scheduler);
        assertThat(book.takeDisplaced()).as("displaced by one input").isLessThanOrEqualTo(SLICE);
        for (NaivePool pool : pools) {
            pool.assertSettled();
        }
    }

    /** Time passes, and of those who have to leave their pools, as many do as one input may displace. */
    private void advance() {
        int before = leavers();
        tell(core -> core.advance(nowNs));
        assertThat(leavers()).as("who still has to leave").isLessThanOrEqualTo(Math.max(0, before - SLICE));
        assertThat(scheduler.hasLeavers()).isEqualTo(leavers() > 0);
        displacedLater += before - leavers();
    }

    /** Tasks that had to leave their pools and did so after the event that caused it. */
    long displacedLater() {
        return displacedLater;
    }

    private int leavers() {
        return pools.stream().mapToInt(NaivePool::leaverCount).sum();
    }

    /** Runs for some virtual hours, stops admitting, and lets everything end. Returns the hash of all effects. */
    long run(int hours) {
        operator.begin();
        clients.begin();
        long endNs = nowNs + hours * 3_600_000_000_000L;
        while (!events.isEmpty() && nowNs < endNs) {
            step();
        }
        draining = true;
        tell(core -> core.beginDrain(nowNs));
        if (random.nextInt(4) == 0) {
            book.evicting(true);
            tell(core -> core.evictAll(nowNs, SimOperator.STOPPED));
            book.evicting(false);
            assertThat(pools).allMatch(pool -> pool.allThatWait().isEmpty() && pool.leaverCount() == 0);
        }
        while (!events.isEmpty()) {
            step();
        }
        nowNs += (long) (100_000 * SECOND);
        tell(core -> core.advance(nowNs));
        while (!events.isEmpty()) {
            step(); // the server hears of the last ones
        }
        book.assertAllOver(scheduler.snapshot());
        return book.hash();
    }

    private void step() {
        Event event = events.remove();
        nowNs = event.atNs;
        advance();
        event.action.run();
        if (random.nextInt(64) == 0) {
            book.compare(scheduler.snapshot());
            ledger.compare(scheduler.budgetSnapshot(nowNs), nowNs);
        }
    }

    NaivePool poolOf(@Nullable String id) {
        assertThat(id).isNotNull();
        return pools.get(Integer.parseInt(String.valueOf(id).substring(1)));
    }

    int indexOf(NaivePool pool) {
        return pools.indexOf(pool);
    }
}
