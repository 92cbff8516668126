package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class FairQueueTest {
    private final PoolRuntime pool = new PoolRuntime(0, Specs.pool(1, 4), SchedulerSettings.DEFAULT);
    private final Map<String, Account> accounts = new HashMap<>();
    private final Map<TaskEntry, SimTask> models = new HashMap<>();
    private int number;

    private Account account(String owner, int weight) {
        return accounts.computeIfAbsent(
                owner,
                name -> new Account(
                        name, new AccountSpec(new RateLimits(0, 0, 0, weight), BudgetSpec.NONE, BudgetSpec.NONE), 0));
    }

    private TaskEntry entry(Account account) {
        PlacementPolicy.Choice choice =
                new PlacementPolicy.Choice(pool, pool.replicas[0], false, "only_candidate", 1, List.of());
        int id = number++;
        TaskSpec spec = Specs.of(Specs.task(id), account.owner, id, "m");
        TaskEntry entry = new TaskEntry(spec, "t" + id, id, 0, Long.MAX_VALUE, choice);
        entry.session = new Session(new UUID(1, id), account);
        return entry;
    }

    private List<String> startAll(FairQueue queue) {
        List<String> order = new ArrayList<>();
        for (TaskEntry next = queue.first(); next != null; next = queue.first()) {
            order.add(next.spec.owner() + next.handle);
            queue.started(next);
        }
        return order;
    }

    @Test
    void shouldLetKeysTakeTurnsByWeightWhenSeveralWait() {
        FairQueue queue = new FairQueue(100);
        for (int i = 0; i < 6; i++) {
            queue.append(entry(account("a", 1)));
        }
        for (int i = 0; i < 3; i++) {
            queue.append(entry(account("b", 2)));
        }
        queue.append(entry(account("c", 1)));

        assertThat(startAll(queue))
                .containsExactly("at0", "bt6", "bt7", "ct9", "at1", "bt8", "at2", "at3", "at4", "at5");
        assertThat(queue.size()).isZero();
    }

    @Test
    void shouldNotSaveUpTurnsWhenAKeyWasAway() {
        FairQueue queue = new FairQueue(100);
        queue.append(entry(account("b", 5)));
        TaskEntry gone = entry(account("a", 5));
        queue.append(gone);
        queue.remove(gone);
        for (int i = 0; i < 2; i++) {
            queue.append(entry(account("c", 1)));
        }
        queue.append(entry(account("a", 5)));

        assertThat(startAll(queue)).containsExactly("bt0", "ct2", "at4", "ct3");
    }

    @Test
    void shouldGiveAQuietKeyItsShareWhenANoisyOneHasTenTimesAsMuch() {
        FairQueue queue = new FairQueue(10_000);
        Account noisy = account("noisy", 1);
        Account quiet = account("quiet", 1);
        for (int i = 0; i < 1_000; i++) {
            queue.append(entry(noisy));
        }
        int noisyStarts = 0;
        int quietStarts = 0;
        queue.append(entry(quiet));
        for (int step = 0; step < 2_000; step++) {
            TaskEntry next = queue.first();
            if (next.spec.owner().equals("noisy")) {
                noisyStarts++;
            } else {
                quietStarts++;
                queue.append(entry(quiet)); // it always has one waiting
            }
            queue.started(next);
            for (int i = 0; i < 10 && queue.size() < 9_000; i++) {
                queue.append(entry(noisy));
            }
            assertThat(Math.abs(noisyStarts - quietStarts)).isLessThanOrEqualTo(1);
        }
    }

    @Test
    void shouldAgreeWithListsWhenTasksComeAndGoAnywhere() {
        for (long seed = 1; seed <= 30; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            accounts.clear();
            int keys = 1 + random.nextInt(seed % 3 == 0 ? 40 : 5);
            for (int k = 0; k < keys; k++) {
                account("k" + k, 1 + random.nextInt(4));
            }
            NaiveQueue naive =
                    new NaiveQueue(owner -> accounts.get(owner).spec.limits().queueWeight());
            FairQueue queue = new FairQueue(1_000);
            List<TaskEntry> in = new ArrayList<>();
            int fill = 1 + random.nextInt(120);
            for (int step = 0; step < 1_500; step++) {
                int what = random.nextInt(10);
                if (in.isEmpty() || (what < 5 && in.size() < fill)) {
                    Account account = accounts.get("k" + random.nextInt(1 + random.nextInt(keys)));
                    TaskEntry entry = entry(account);
                    long rank = queue.newcomerRank(account);
                    queue.append(entry);
                    in.add(entry);
                    SimTask model = new SimTask(entry.handle.hashCode(), entry.spec, 0);
                    models.put(entry, model);
                    naive.add(model);
                    assertThat(queue.rank(entry)).isEqualTo(rank);
                } else if (what < 8) {
                    TaskEntry first = queue.first();
                    assertThat(models.get(first)).as("seed %d", seed).isSameAs(naive.head());
                    queue.started(first);
                    naive.started(models.get(first));
                    in.remove(first);
                } else {
                    TaskEntry gone = in.remove(random.nextInt(in.size()));
                    queue.remove(gone);
                    naive.remove(models.get(gone));
                }
                check(seed, queue, naive, in);
            }
        }
    }

    private void check(long seed, FairQueue queue, NaiveQueue naive, List<TaskEntry> in) {
        assertThat(queue.size()).isEqualTo(in.size());
        List<SimTask> order = naive.order();
        List<SimTask> walked = new ArrayList<>();
        queue.beginWalk();
        for (TaskEntry next = queue.nextOfWalk(); next != null; next = queue.nextOfWalk()) {
            walked.add(models.get(next));
        }
        assertThat(walked).as("seed %d", seed).isEqualTo(order);
        for (TaskEntry entry : in) {
            assertThat(queue.rank(entry)).as("seed %d", seed).isEqualTo(order.indexOf(models.get(entry)));
        }
        if (!in.isEmpty()) {
            assertThat(queue.oldest()).isSameAs(in.get(0));
            assertThat(queue.newest()).isSameAs(in.get(in.size() - 1));
        }
    }

    @Test
    void shouldBreakWhenOverfullOrStartedOutOfTurn() {
        FairQueue queue = new FairQueue(2);
        queue.append(entry(account("a", 1)));
        TaskEntry second = entry(account("a", 1));
        queue.append(second);

        assertThatThrownBy(() -> queue.append(entry(account("b", 1)))).hasMessageContaining("capacity 2");
        assertThatThrownBy(() -> queue.started(second)).hasMessageContaining("before its turn");
    }
}
