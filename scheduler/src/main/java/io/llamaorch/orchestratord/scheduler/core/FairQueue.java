package io.llamaorch.orchestratord.scheduler.core;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of one priority of one pool: a FIFO for each key, and keys that take turns. Owned by the scheduler's thread.
 *
 * <p>Deficit round robin where each task costs one: the key whose turn it is starts as many tasks as its weight says, then
 * goes to the end of the round; one that has nothing left leaves the round. So which task starts next is O(1), and how many
 * start before some task is arithmetic over the keys that wait, whatever the number of tasks:
 *
 * <pre>
 *   rank of a task that is r-th of its key, whose turn comes after t turns of that key that serve others:
 *       r + Σ over the other keys of min(its tasks, what its turns until then serve)
 *   where a key before it in the round has t + 1 turns until then, one behind it t
 * </pre>
 *
 * <p>With one key this is that key's {@link TaskQueue} and nothing else.
 */
final class FairQueue {
    private static final int SPARES_MAX = 16;

    private int capacity;
    private final Map<String, Flow> flows = new HashMap<>();
    /** Empty queues to use again: a key that comes and goes with each task costs no arrays. */
    private final ArrayDeque<Flow> spares = new ArrayDeque<>();
    /** The key whose turn it is; the round goes on through {@link Flow#next}. */
    private @Nullable Flow turn;
    /** Tasks that it may still start in this turn, ≥ 1 while there is one. */
    private int credit;

    private int size;
    private long appended;

    // ---- a walk in the order of starts ----

    private @Nullable Flow walkTurn;
    private int walkCredit;

    /** The tasks of one key. */
    static final class Flow {
        final TaskQueue tasks;
        String owner = "";
        int weight = 1;
        /** Size of {@link #tasks}, here because a position looks at it for every key that waits. */
        int count;

        Flow next = this;
        Flow previous = this;

        Flow walkNext = this;
        Flow walkPrevious = this;
        private long walkFrom;
        private int walkLeft;

        Flow(int capacity) {
            tasks = new TaskQueue(capacity);
        }
    }

    /** @param capacity most tasks at once, ≥ 1, at most 2^29 */
    FairQueue(int capacity) {
        this.capacity = capacity;
    }

    int size() {
        return size;
    }

    /** Puts a task at the end of its key's. The caller has checked the capacity: a full queue here is a broken invariant. */
    void append(TaskEntry entry) {
        if (size >= capacity) {
            throw new IllegalStateException("queue over its capacity " + capacity);
        }
        Flow flow = flowOf(entry.spec.owner());
        if (flow == null) {
            flow = join(entry.heldSession().account);
        }
        entry.flow = flow;
        entry.appended = appended++;
        flow.tasks.appendBeyond(entry); // this queue's capacity counts
        flow.count++;
        size++;
    }

    /** The same for a task that has its place already: the capacity rises to hold it, and does not fall again. */
    void appendBeyond(TaskEntry entry) {
        capacity = Math.max(capacity, size + 1);
        append(entry);
    }

    private @Nullable Flow flowOf(String owner) {
        Flow current = turn;
        return current != null && current.owner.equals(owner) ? current : flows.get(owner);
    }

    private Flow join(Account account) {
        Flow flow = spares.poll();
        if (flow == null) {
            flow = new Flow(capacity);
        }
        flow.owner = account.owner;
        flow.weight = account.queueWeight();
        flows.put(account.owner, flow);
        Flow first = turn;
        if (first == null) {
            flow.next = flow;
            flow.previous = flow;
            turn = flow;
            credit = flow.weight;
        } else {
            flow.next = first;
            flow.previous = first.previous;
            first.previous.next = flow;
            first.previous = flow;
        }
        return flow;
    }

    private void leave(Flow flow) {
        flows.remove(flow.owner);
        if (flow.next == flow) {
            turn = null;
        } else {
            flow.previous.next = flow.next;
            flow.next.previous = flow.previous;
            if (turn == flow) {
                turn = flow.next;
                credit = flow.next.weight;
            }
        }
        if (spares.size() < SPARES_MAX && flow.tasks.isSmall()) {
            spares.push(flow);
        }
    }

    /** The task that starts next, or null. */
    @Nullable
    TaskEntry first() {
        return turn == null ? null : turn.tasks.first();
    }

    /** The task that was appended first, or null. */
    @Nullable
    TaskEntry oldest() {
        TaskEntry oldest = null;
        for (Flow flow : flows.values()) {
            TaskEntry first = flow.tasks.first();
            if (oldest == null || (first != null && first.appended < oldest.appended)) {
                oldest = first;
            }
        }
        return oldest;
    }

    /** The task that was appended last, or null. */
    @Nullable
    TaskEntry newest() {
        TaskEntry newest = null;
        for (Flow flow : flows.values()) {
            TaskEntry last = flow.tasks.last();
            if (newest == null || (last != null && last.appended > newest.appended)) {
                newest = last;
            }
        }
        return newest;
    }

    /** How many queued tasks start before this one. */
    long rank(TaskEntry entry) {
        Flow flow = entry.heldFlow();
        return before(flow, flow.weight, flow.tasks.rank(entry));
    }

    /** The rank that a newcomer would get. */
    long newcomerRank(Account account) {
        Flow flow = flowOf(account.owner);
        return flow == null ? before(null, account.queueWeight(), 0) : before(flow, flow.weight, flow.count);
    }

    /** @param flow null for a key that would begin to wait now: its turn is the last of the round */
    private long before(@Nullable Flow flow, int weight, long own) {
        Flow first = turn;
        if (first == null || (first.next == first && first == flow)) {
            return own;
        }
        int ownFirst = flow == first ? credit : weight;
        long turns = own < ownFirst ? 0 : 1 + (own - ownFirst) / weight;
        long sum = own;
        boolean passed = false;
        Flow other = first;
        do {
            if (other == flow) {
                passed = true;
            } else {
                long othersTurns = passed ? turns : turns + 1;
                if (othersTurns > 0) {
                    long serves = (other == first ? credit : other.weight) + (othersTurns - 1) * other.weight;
                    sum += Math.min(other.count, serves);
                }
            }
            other = other.next;
        } while (other != first);
        return sum;
    }

    /** Takes out the first task because it starts, which counts in its key's turn. */
    void started(TaskEntry entry) {
        Flow flow = entry.heldFlow();
        if (flow != turn || flow.tasks.first() != entry) {
            throw new IllegalStateException("task " + entry.spec.id() + " starts before its turn");
        }
        takeOut(flow, entry);
        if (flow == turn && --credit == 0) {
            turn = flow.next;
            credit = turn.weight;
        }
    }

    /** Takes a queued task out, wherever it is, because it will not start here. */
    void remove(TaskEntry entry) {
        takeOut(entry.heldFlow(), entry);
    }

    private void takeOut(Flow flow, TaskEntry entry) {
        flow.tasks.remove(entry);
        entry.flow = null;
        size--;
        if (--flow.count == 0) {
            leave(flow);
        }
    }

    /** Begins to go through all tasks in the order in which they would start; nothing may change until it is over. */
    void beginWalk() {
        Flow first = turn;
        walkTurn = first;
        walkCredit = credit;
        Flow flow = first;
        while (flow != null) {
            flow.walkFrom = 0;
            flow.walkLeft = flow.count;
            flow.walkNext = flow.next;
            flow.walkPrevious = flow.previous;
            flow = flow.next == first ? null : flow.next;
        }
    }

    /** The next task of the walk, or null. */
    @Nullable
    TaskEntry nextOfWalk() {
        Flow flow = walkTurn;
        if (flow == null) {
            return null;
        }
        TaskEntry entry = flow.tasks.atOrAfter(flow.walkFrom);
        if (entry == null) {
            throw new IllegalStateException("the queue changed under a walk");
        }
        flow.walkFrom = entry.sequence + 1;
        walkCredit--;
        if (--flow.walkLeft == 0) {
            flow.walkPrevious.walkNext = flow.walkNext;
            flow.walkNext.walkPrevious = flow.walkPrevious;
            walkTurn = flow.walkNext == flow ? null : flow.walkNext;
            walkCredit = walkTurn == null ? 0 : walkTurn.weight;
        } else if (walkCredit == 0) {
            walkTurn = flow.walkNext;
            walkCredit = walkTurn.weight;
        }
        return entry;
    }
}
