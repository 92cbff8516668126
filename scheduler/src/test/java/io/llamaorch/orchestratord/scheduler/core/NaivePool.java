package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** One pool as a reader of the contract would write it down: lists, walked from the front. */
final class NaivePool {
    private static final int ASIDE_MAX = 64;

    final PoolSpec spec;
    private final ToIntFunction<String> weights;
    /** Who waits for the model that is served. */
    NaiveLine served;
    /** Who waits for another one that is loaded in its place. */
    @Nullable
    NaiveLine coming;
    /** Who waited for a model that has gone, or did not come. */
    final List<NaiveLine> leaving = new ArrayList<>();

    final List<SimTask> aside = new ArrayList<>();
    final ReplicaState[] states;
    final int[] slots;
    final int[] ctx;
    final String[] versions;
    /** Engines that are READY and break most tasks before their first token. */
    final boolean[] broken;

    final List<List<@Nullable SimTask>> holders = new ArrayList<>();
    String strictVersion = "";
    String model;
    int generation;

    @Nullable
    String incoming;

    boolean paused;
    boolean draining;
    /** Whether the drain begins in this very input. */
    boolean drainBegins;

    long drains;
    int drainedTo;
    int drainedOut;

    NaivePool(PoolSpec spec, ToIntFunction<String> weights) {
        this.spec = spec;
        this.weights = weights;
        int count = spec.replicas().size();
        model = spec.model();
        served = new NaiveLine(spec.batchGuard(), weights);
        states = new ReplicaState[count];
        slots = new int[count];
        ctx = new int[count];
        versions = new String[count];
        broken = new boolean[count];
        Arrays.fill(states, ReplicaState.LOADING);
        Arrays.fill(versions, "");
        Arrays.fill(ctx, spec.ctx());
        for (int i = 0; i < count; i++) {
            slots[i] = spec.replicas().get(i).slots();
            holders.add(new ArrayList<>());
        }
    }

    // ---- replicas ----

    boolean ready(int replica) {
        return states[replica] == ReplicaState.READY;
    }

    void refreshStrictVersion() {
        TreeMap<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < states.length; i++) {
            if (ready(i)) {
                counts.merge(versions[i], 1, Integer::sum);
            }
        }
        if (!counts.isEmpty() && !counts.containsKey(strictVersion)) {
            int most = counts.values().stream().max(Integer::compare).orElseThrow();
            counts.values().removeIf(count -> count < most);
            strictVersion = counts.firstKey();
        }
    }

    boolean hasDevices(TaskSpec task, int replica) {
        String wanted = task.placement().requireDeviceMask();
        String mask = spec.replicas().get(replica).deviceMask();
        return wanted == null
                || (mask != null && Arrays.asList(mask.split(",")).containsAll(Arrays.asList(wanted.split(","))));
    }

    /** Whether a replica could take a queued task if it were READY and had a slot; READY ones by their version too. */
    boolean suits(SimTask task, int replica) {
        String version = versions[replica];
        return task.spec.ctx() <= ctx[replica]
                && hasDevices(task.spec, replica)
                && !task.failedOn.contains(replica)
                && (task.retryVersion == null || task.retryVersion.equals(version))
                && (!ready(replica) || !task.isStrict() || version.equals(strictVersion));
    }

    private boolean suitsAny(SimTask task, boolean ready) {
        for (int i = 0; i < states.length; i++) {
            if (ready(i) == ready && suits(task, i)) {
                return true;
            }
        }
        return false;
    }

    boolean hasReady(SimTask task) {
        return suitsAny(task, true);
    }

    /** Whether it can still get a slot here some day, as things stand. */
    boolean hasFuture(SimTask task) {
        return suitsAny(task, true) || (!task.isRetry() && suitsAny(task, false));
    }

    private boolean isFree(int replica) {
        return ready(replica) && lowestFree(replica) < slots[replica];
    }

    private boolean fitsAFreeSlot(SimTask task) {
        if (paused || draining) {
            return false;
        }
        for (int i = 0; i < states.length; i++) {
            if (isFree(i) && suits(task, i)) {
                return true;
            }
        }
        return false;
    }

    private boolean hasFreeSlot() {
        for (int i = 0; i < states.length; i++) {
            if (!paused && !draining && isFree(i)) {
                return true;
            }
        }
        return false;
    }

    /** Whether another READY replica of the same version could take over from the first. */
    boolean hasSecond(SimTask task, int first) {
        for (int i = 0; i < states.length; i++) {
            if (i != first && ready(i) && versions[i].equals(versions[first]) && suits(task, i)) {
                return true;
            }
        }
        return false;
    }

    // ---- queue ----

    NaiveLine open() {
        NaiveLine next = coming;
        return next != null ? next : served;
    }

    void append(SimTask task) {
        open().queue(task).add(task);
    }

    /** Of those who may stay, the ones of a priority, oldest first. */
    private List<SimTask> waiting(boolean isInteractive) {
        List<SimTask> all = new ArrayList<>(served.queue(isInteractive).tasks);
        NaiveLine next = coming;
        if (next != null) {
            all.addAll(next.queue(isInteractive).tasks);
        }
        return all;
    }

    /** Those who have lost their place by a change of the model. */
    List<SimTask> leavers() {
        List<SimTask> all = new ArrayList<>();
        leaving.forEach(line -> {
            all.addAll(line.interactive.tasks);
            all.addAll(line.batch.tasks);
        });
        return all;
    }

    /** How many have to go, those aside apart. */
    int leaverCount() {
        int count = 0;
        for (NaiveLine line : leaving) {
            count += line.size();
        }
        return draining ? count + served.size() + (coming == null ? 0 : coming.size()) : count;
    }

    List<SimTask> allThatWait() {
        List<SimTask> all = new ArrayList<>(waiting(true));
        all.addAll(waiting(false));
        all.addAll(aside);
        return all;
    }

    boolean isFull(boolean isInteractive) {
        int capacity = spec.queueCapacity();
        int borrowed = Math.max(0, waiting(true).size() - capacity);
        return isInteractive ? waiting(true).size() >= capacity : waiting(false).size() >= capacity - borrowed;
    }

    /** Whom the policy would take out for a newcomer, or null. */
    @Nullable
    SimTask victim(boolean isInteractive) {
        List<SimTask> batch = waiting(false);
        if (batch.isEmpty() || spec.fullPolicy() == PoolSpec.FullPolicy.REJECT) {
            return null;
        }
        if (spec.fullPolicy() == PoolSpec.FullPolicy.DROP_LRU) {
            return batch.get(0);
        }
        return isInteractive ? batch.get(batch.size() - 1) : null;
    }

    boolean accepts(boolean isInteractive) {
        return !isFull(isInteractive) || victim(isInteractive) != null;
    }

    /** Plays the rule forward until the task would start. */
    long position(SimTask task) {
        if (aside.contains(task)) {
            return aside.indexOf(task);
        }
        NaiveLine line = lineOf(task);
        return (hasFreeSlot() || line != served ? 0 : aside.size()) + line.turn(task);
    }

    private NaiveLine lineOf(SimTask task) {
        if (served.contains(task)) {
            return served;
        }
        NaiveLine next = coming;
        if (next != null && next.contains(task)) {
            return next;
        }
        return leaving.stream().filter(line -> line.contains(task)).findFirst().orElseThrow();
    }

    private @Nullable SimTask head() {
        return served.head();
    }

    /** A task that waits starts: it was its turn, and those before it that nothing READY suits step aside. */
    void started(SimTask task) {
        for (SimTask other : aside) {
            if (other == task) {
                aside.remove(task);
                return;
            }
            assertThat(fitsAFreeSlot(other))
                    .as("%s went before %s", task, other)
                    .isFalse();
        }
        for (SimTask head = head(); head != task; head = head()) {
            assertThat(stepsAside(head)).as("%s went before %s", task, head).isTrue();
        }
        served.started(task);
    }

    void removed(SimTask task) {
        if (!aside.remove(task)) {
            lineOf(task).removed(task);
        }
    }

    private boolean stepsAside(@Nullable SimTask head) {
        if (head == null || suitsAny(head, true) || !suitsAny(head, false) || asideOfTheQueue() >= ASIDE_MAX) {
            return false;
        }
        removed(head);
        aside.add(head);
        return true;
    }

    private long asideOfTheQueue() {
        return aside.stream().filter(task -> !task.isRetry()).count();
    }

    boolean hasRoomForRetry() {
        int configured =
                spec.replicas().stream().mapToInt(PoolSpec.ReplicaSpec::slots).sum();
        return aside.size() - asideOfTheQueue() < configured;
    }

    /** Heads that nothing READY suits step aside while a slot is free. */
    void stepAside() {
        while (hasFreeSlot() && stepsAside(head())) {}
    }

    // ---- drain and reload ----

    void drain(boolean drain) {
        draining = drain;
        drainBegins = drain;
        if (drain) {
            drains++;
            drainedTo = 0;
            drainedOut = 0;
        }
    }

    void beginReload(String model, boolean pause) {
        incoming = model;
        paused = pause;
        coming = pause && !model.equals(this.model) ? new NaiveLine(spec.batchGuard(), weights) : null;
    }

    void endReload(boolean committed) {
        String loaded = incoming;
        NaiveLine waited = open();
        boolean changed = committed && loaded != null && !loaded.equals(model);
        if (changed) {
            leaving.add(served);
            served = waited == served ? new NaiveLine(spec.batchGuard(), weights) : waited;
        } else if (waited != served) {
            leaving.add(waited);
        }
        model = committed && loaded != null ? loaded : model;
        generation += committed ? 1 : 0;
        incoming = null;
        coming = null;
        paused = false;
    }

    /** Whether tasks for a model may wait here. */
    boolean willServe(String modelRef) {
        return modelRef.equals(model) || (paused && modelRef.equals(incoming));
    }

    /** All events have been dealt with: whoever could start has started, whoever had to leave has left. */
    void assertSettled() {
        assertThat(waiting(true).size() + waiting(false).size()).isLessThanOrEqualTo(2 * spec.queueCapacity());
        leaving.removeIf(line -> line.size() == 0);
        if (draining) {
            assertThat(aside).as("aside in %s, which drains", spec.id()).isEmpty();
        }
        stepAside();
        SimTask head = head();
        if (head != null && hasFreeSlot()) {
            assertThat(fitsAFreeSlot(head))
                    .as("%s waits though a slot is free", head)
                    .isFalse();
            assertThat(hasFuture(head)).as("%s waits in vain", head).isTrue();
        }
        for (SimTask task : aside) {
            assertThat(fitsAFreeSlot(task))
                    .as("%s waits though a slot is free", task)
                    .isFalse();
            assertThat(hasFuture(task)).as("%s waits in vain", task).isTrue();
            assertThat(willServe(task.spec.modelRef())).isTrue();
        }
        for (SimTask task : waiting(true)) {
            assertThat(willServe(task.spec.modelRef())).isTrue();
        }
    }

    // ---- leases ----

    void take(Lease lease, SimTask task) {
        int replica = lease.replicaIndex();
        List<@Nullable SimTask> held = holders.get(replica);
        assertThat(ready(replica)).isTrue();
        assertThat(lease.slotIndex()).isEqualTo(lowestFree(replica)).isLessThan(slots[replica]);
        while (held.size() <= lease.slotIndex()) {
            held.add(null);
        }
        held.set(lease.slotIndex(), task);
    }

    private int lowestFree(int replica) {
        List<@Nullable SimTask> held = holders.get(replica);
        int slot = 0;
        while (slot < held.size() && held.get(slot) != null) {
            slot++;
        }
        return slot;
    }

    void giveBack(Lease lease, SimTask task) {
        assertThat(holders.get(lease.replicaIndex()).set(lease.slotIndex(), null))
                .isSameAs(task);
    }

    int leased(int replica) {
        return running(replica, Integer.MAX_VALUE).size();
    }

    /** Tasks that run on models before one, on one replica or, below 0, on all. */
    List<SimTask> running(int replica, int belowGeneration) {
        List<SimTask> found = new ArrayList<>();
        for (int i = 0; i < states.length; i++) {
            for (SimTask holder : replica < 0 || replica == i ? holders.get(i) : List.<SimTask>of()) {
                if (holder != null && holder.generation < belowGeneration) {
                    found.add(holder);
                }
            }
        }
        return found;
    }
}
