package io.llamaorch.orchestratord.scheduler.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Live tasks by deadline: an indexed 4-ary heap, earliest first, equal deadlines in order of admission.
 *
 * <p>Adding, removing from anywhere and taking the earliest cost O(log n); a removed task leaves nothing behind. What
 * moves on the way is a number per task in flat arrays, so that a million tasks cost few cache misses; the task itself
 * knows its number ({@link TaskEntry#deadlineNumber}) and is never touched. Owned by the scheduler's thread.
 */
final class DeadlineHeap {
    /** By place in the heap. */
    private long[] keys = new long[64];

    private long[] ordinals = new long[64];
    private int[] numbers = new int[64];

    /** By number of the task; a free number's place links to the next free one. */
    private int[] places = new int[64];

    private @Nullable TaskEntry[] entries = new @Nullable TaskEntry[64];
    private int size;
    private int numbersUsed;
    private int freeNumber = -1;

    int size() {
        return size;
    }

    /** The task with the earliest deadline, or null. */
    @Nullable
    TaskEntry earliest() {
        return size == 0 ? null : entries[numbers[0]];
    }

    /** The earliest deadline, ns, or {@code Long.MAX_VALUE} where there is no task. */
    long earliestNs() {
        return size == 0 ? Long.MAX_VALUE : keys[0];
    }

    void add(TaskEntry entry) {
        if (entry.deadlineNumber >= 0) {
            throw new IllegalStateException("task " + entry.spec.id() + " is in the deadline heap already");
        }
        if (size == keys.length) {
            grow();
        }
        int number = freeNumber;
        if (number >= 0) {
            freeNumber = places[number];
        } else {
            number = numbersUsed++;
        }
        entries[number] = entry;
        entry.deadlineNumber = number;
        siftUp(size++, number, entry.deadlineAtNs, entry.ordinal);
    }

    /** Takes a task out; one that is not in it is left alone. */
    void remove(TaskEntry entry) {
        int number = entry.deadlineNumber;
        if (number < 0) {
            return;
        }
        if (entries[number] != entry) {
            throw new IllegalStateException("task " + entry.spec.id() + " is not where the deadline heap put it");
        }
        int at = places[number];
        entries[number] = null;
        entry.deadlineNumber = -1;
        places[number] = freeNumber;
        freeNumber = number;
        int last = --size;
        if (at == last) {
            return;
        }
        if (at > 0 && before(keys[last], ordinals[last], (at - 1) >> 2)) {
            siftUp(at, numbers[last], keys[last], ordinals[last]);
        } else {
            siftDown(at, numbers[last], keys[last], ordinals[last]);
        }
    }

    private void grow() {
        int length = size * 2;
        keys = Arrays.copyOf(keys, length);
        ordinals = Arrays.copyOf(ordinals, length);
        numbers = Arrays.copyOf(numbers, length);
        places = Arrays.copyOf(places, length);
        entries = Arrays.copyOf(entries, length);
    }

    private void siftUp(int from, int number, long key, long ordinal) {
        int at = from;
        while (at > 0) {
            int parent = (at - 1) >> 2;
            if (!before(key, ordinal, parent)) {
                break;
            }
            place(at, numbers[parent], keys[parent], ordinals[parent]);
            at = parent;
        }
        place(at, number, key, ordinal);
    }

    private void siftDown(int from, int number, long key, long ordinal) {
        int at = from;
        while (true) {
            int first = (at << 2) + 1;
            if (first >= size) {
                break;
            }
            int least = first;
            int end = Math.min(first + 4, size);
            for (int child = first + 1; child < end; child++) {
                if (before(keys[child], ordinals[child], least)) {
                    least = child;
                }
            }
            if (before(key, ordinal, least)) {
                break;
            }
            place(at, numbers[least], keys[least], ordinals[least]);
            at = least;
        }
        place(at, number, key, ordinal);
    }

    private boolean before(long key, long ordinal, int other) {
        return key < keys[other] || (key == keys[other] && ordinal < ordinals[other]);
    }

    private void place(int at, int number, long key, long ordinal) {
        keys[at] = key;
        ordinals[at] = ordinal;
        numbers[at] = number;
        places[number] = at;
    }
}
