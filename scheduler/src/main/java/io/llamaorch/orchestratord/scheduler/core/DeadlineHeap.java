package io.llamaorch.orchestratord.scheduler.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Live tasks by deadline: an indexed 4-ary heap, earliest first, equal deadlines in order of admission.
 *
 * <p>Adding, removing from anywhere and taking the earliest cost O(log n); a removed task leaves nothing behind. The
 * task knows its place ({@link TaskEntry#heapIndex}). Owned by the scheduler's thread.
 */
final class DeadlineHeap {
    private long[] keys = new long[64];
    private @Nullable TaskEntry[] entries = new @Nullable TaskEntry[64];
    private int size;

    int size() {
        return size;
    }

    /** The task with the earliest deadline, or null. */
    @Nullable
    TaskEntry earliest() {
        return size == 0 ? null : entries[0];
    }

    void add(TaskEntry entry) {
        if (entry.heapIndex >= 0) {
            throw new IllegalStateException("task " + entry.spec.id() + " is in the deadline heap already");
        }
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, size * 2);
            entries = Arrays.copyOf(entries, size * 2);
        }
        siftUp(size++, entry, entry.deadlineAtNs);
    }

    /** Takes a task out; one that is not in it is left alone. */
    void remove(TaskEntry entry) {
        int at = entry.heapIndex;
        if (at < 0) {
            return;
        }
        entry.heapIndex = -1;
        int last = --size;
        TaskEntry moved = at(last);
        entries[last] = null;
        if (at == last) {
            return;
        }
        if (at > 0 && before(moved, moved.deadlineAtNs, (at - 1) >> 2)) {
            siftUp(at, moved, moved.deadlineAtNs);
        } else {
            siftDown(at, moved, moved.deadlineAtNs);
        }
    }

    private void siftUp(int from, TaskEntry entry, long key) {
        int at = from;
        while (at > 0) {
            int parent = (at - 1) >> 2;
            if (!before(entry, key, parent)) {
                break;
            }
            place(at, at(parent), keys[parent]);
            at = parent;
        }
        place(at, entry, key);
    }

    private void siftDown(int from, TaskEntry entry, long key) {
        int at = from;
        while (true) {
            int first = (at << 2) + 1;
            if (first >= size) {
                break;
            }
            int least = first;
            int end = Math.min(first + 4, size);
            for (int child = first + 1; child < end; child++) {
                if (before(at(child), keys[child], least)) {
                    least = child;
                }
            }
            if (before(entry, key, least)) {
                break;
            }
            place(at, at(least), keys[least]);
            at = least;
        }
        place(at, entry, key);
    }

    private boolean before(TaskEntry entry, long key, int other) {
        long otherKey = keys[other];
        return key < otherKey || (key == otherKey && entry.ordinal < at(other).ordinal);
    }

    private void place(int at, TaskEntry entry, long key) {
        keys[at] = key;
        entries[at] = entry;
        entry.heapIndex = at;
    }

    private TaskEntry at(int index) {
        TaskEntry entry = entries[index];
        if (entry == null) {
            throw new IllegalStateException("deadline heap holds nothing at " + index);
        }
        return entry;
    }
}
