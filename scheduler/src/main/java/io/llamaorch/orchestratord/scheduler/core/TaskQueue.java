package io.llamaorch.orchestratord.scheduler.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A bounded FIFO that knows the rank of each of its tasks and lets any of them leave.
 *
 * <p>Tasks sit in a circular space of sequences, up to twice as large as the capacity. A bitmap marks the sequences in use,
 * and two levels of sums over it (2,048 and 65,536 sequences) make a rank a few dozen additions at a million queued.
 * A task that leaves from the middle leaves a hole; when head and tail would meet over holes, the space is packed,
 * which costs as much as it is large after at least half as many departures; where tasks fill more than half of it, it
 * doubles. The first and the last sequence in use are always head and tail − 1. Owned by the scheduler's thread.
 */
final class TaskQueue {
    private static final int WORDS_PER_BLOCK = 32;
    private static final int BLOCK_SHIFT = 11;
    private static final int SUPER_SHIFT = 16;
    private static final int SPACE_MIN = 64;
    /** A larger one is not worth keeping empty. */
    private static final int SPACE_SMALL = 4_096;

    private int capacity;
    private int mask;
    private @Nullable TaskEntry[] entries;
    private long[] bits;
    private int[] blockSums;
    private int[] superSums;
    private long head;
    private long tail;
    private int size;

    /** @param capacity most tasks at once, ≥ 1, at most 2^29 */
    TaskQueue(int capacity) {
        if (capacity < 1 || capacity > 1 << 29) {
            throw new IllegalArgumentException("queue capacity out of range: " + capacity);
        }
        this.capacity = capacity;
        mask = SPACE_MIN - 1;
        entries = new @Nullable TaskEntry[SPACE_MIN];
        bits = new long[SPACE_MIN >> 6];
        blockSums = new int[1];
        superSums = new int[1];
    }

    /** Whether it takes little memory. */
    boolean isSmall() {
        return mask < SPACE_SMALL;
    }

    int size() {
        return size;
    }

    /** Puts a task at the end. The caller has checked the capacity: a full queue here is a broken invariant. */
    void append(TaskEntry entry) {
        if (size >= capacity) {
            throw new IllegalStateException("queue over its capacity " + capacity);
        }
        if (tail - head > mask) {
            if (size > (mask + 1) / 2) {
                grow();
            } else {
                pack();
            }
        }
        put(tail++, entry);
        size++;
    }

    /** The same for a task that has its place already: the capacity rises to hold it, and does not fall again. */
    void appendBeyond(TaskEntry entry) {
        capacity = Math.max(capacity, size + 1);
        append(entry);
    }

    /** The oldest task, or null. */
    @Nullable
    TaskEntry first() {
        return size == 0 ? null : entries[(int) head & mask];
    }

    /** The newest task, or null. */
    @Nullable
    TaskEntry last() {
        return size == 0 ? null : entries[(int) (tail - 1) & mask];
    }

    /** The next task at or after a sequence, in order, or null. Start at 0; go on at {@code found.sequence + 1}. */
    @Nullable
    TaskEntry atOrAfter(long sequence) {
        long from = nextUsed(Math.max(sequence, head));
        return from < tail ? entries[(int) from & mask] : null;
    }

    /** How many queued tasks are older than this one. */
    int rank(TaskEntry entry) {
        int at = indexOf(entry);
        int start = (int) head & mask;
        int before = prefix(at) - prefix(start);
        return at >= start ? before : before + size;
    }

    /** Takes a queued task out, wherever it is. */
    void remove(TaskEntry entry) {
        int at = indexOf(entry);
        entries[at] = null;
        bits[at >> 6] &= ~(1L << at);
        blockSums[at >> BLOCK_SHIFT]--;
        superSums[at >> SUPER_SHIFT]--;
        size--;
        if (size == 0) {
            head = tail;
        } else if (entry.sequence == head) {
            head = nextUsed(head + 1);
        } else if (entry.sequence == tail - 1) {
            tail = lastUsed(tail - 2) + 1;
        }
    }

    private int indexOf(TaskEntry entry) {
        int at = (int) entry.sequence & mask;
        if (entries[at] != entry) {
            throw new IllegalStateException("task " + entry.spec.id() + " is not in this queue");
        }
        return at;
    }

    private void put(long sequence, TaskEntry entry) {
        int at = (int) sequence & mask;
        entries[at] = entry;
        entry.sequence = sequence;
        bits[at >> 6] |= 1L << at;
        blockSums[at >> BLOCK_SHIFT]++;
        superSums[at >> SUPER_SHIFT]++;
    }

    /** Sequences in use with an index below {@code at}. */
    private int prefix(int at) {
        int sum = 0;
        int superBlock = at >> SUPER_SHIFT;
        for (int i = 0; i < superBlock; i++) {
            sum += superSums[i];
        }
        int block = at >> BLOCK_SHIFT;
        for (int i = superBlock << (SUPER_SHIFT - BLOCK_SHIFT); i < block; i++) {
            sum += blockSums[i];
        }
        int word = at >> 6;
        for (int i = block * WORDS_PER_BLOCK; i < word; i++) {
            sum += Long.bitCount(bits[i]);
        }
        return sum + Long.bitCount(bits[word] & ((1L << at) - 1));
    }

    /** The first sequence in use from {@code from} on, or tail. */
    private long nextUsed(long from) {
        long sequence = from;
        while (sequence < tail) {
            int at = (int) sequence & mask;
            long word = bits[at >> 6] >>> at;
            if (word != 0) {
                return sequence + Long.numberOfTrailingZeros(word);
            }
            boolean skipBlock = (at & ((1 << BLOCK_SHIFT) - 1)) == 0 && blockSums[at >> BLOCK_SHIFT] == 0;
            int step = skipBlock ? Math.min(1 << BLOCK_SHIFT, mask + 1) : 64 - (at & 63);
            sequence += step;
        }
        return tail;
    }

    /** The last sequence in use down from {@code from}; there is one. */
    private long lastUsed(long from) {
        long sequence = from;
        while (true) {
            int at = (int) sequence & mask;
            long word = bits[at >> 6] << (63 - (at & 63));
            if (word != 0) {
                return sequence - Long.numberOfLeadingZeros(word);
            }
            sequence -= (at & 63) + 1;
        }
    }

    /** Doubles the space; sequences stay. */
    private void grow() {
        @Nullable TaskEntry[] from = entries;
        int fromMask = mask;
        int space = 2 * (mask + 1);
        mask = space - 1;
        entries = new @Nullable TaskEntry[space];
        bits = new long[space >> 6];
        blockSums = new int[(space >> BLOCK_SHIFT) + 1];
        superSums = new int[(space >> SUPER_SHIFT) + 1];
        for (long sequence = head; sequence < tail; sequence++) {
            TaskEntry entry = from[(int) sequence & fromMask];
            if (entry != null) {
                put(sequence, entry);
            }
        }
    }

    /** Moves every task down to the head, in order, so that no hole is left. */
    private void pack() {
        long to = head;
        for (long from = head; from < tail; from++) {
            int at = (int) from & mask;
            TaskEntry entry = entries[at];
            if (entry != null) {
                entries[at] = null;
                int target = (int) to & mask;
                entries[target] = entry;
                entry.sequence = to++;
            }
        }
        tail = to;
        Arrays.fill(bits, 0);
        Arrays.fill(blockSums, 0);
        Arrays.fill(superSums, 0);
        for (long sequence = head; sequence < tail; sequence++) {
            int at = (int) sequence & mask;
            bits[at >> 6] |= 1L << at;
            blockSums[at >> BLOCK_SHIFT]++;
            superSums[at >> SUPER_SHIFT]++;
        }
    }
}
