package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * One kind of one budget. Owned by the scheduler's thread.
 *
 * <p>{@code used + reserved} never passes the limit by a reservation; a settlement may pass it, by what a task used beyond
 * what was reserved for it.
 *
 * <p>A window opens with the first reservation after the last one ended, or at once where something is reserved then. What
 * is reserved stays so across its end, and is settled in the window that is open at that time.
 */
final class Purse {
    /** Null where the kind is not limited. */
    @Nullable
    Allotment allotment;

    private long used;
    private long reserved;
    private boolean windowOpen;
    private long windowEndsAtNs;

    private void roll(long nowNs) {
        long lateNs = nowNs - windowEndsAtNs;
        if (!windowOpen || lateNs < 0) {
            return;
        }
        used = 0;
        long spanNs = spanNs();
        windowOpen = reserved > 0 && spanNs > 0;
        if (windowOpen) {
            windowEndsAtNs += (lateNs / spanNs + 1) * spanNs;
        }
    }

    /** Length of its window, ns; 0 where what is used counts for ever. */
    long spanNs() {
        return allotment == null ? 0 : allotment.per().ns();
    }

    long limit() {
        return allotment == null ? Allotment.LIMIT_MAX : allotment.limit();
    }

    long used(long nowNs) {
        roll(nowNs);
        return used;
    }

    long reserved() {
        return reserved;
    }

    /** What can still be reserved, ≥ 0. */
    long left(long nowNs) {
        roll(nowNs);
        return Math.max(0, limit() - used - reserved);
    }

    /** When the window that is open ends, ns from now; 0 where none is, or it never does. */
    long windowRemainingNs(long nowNs) {
        roll(nowNs);
        return windowOpen ? windowEndsAtNs - nowNs : 0;
    }

    /** Takes what is {@link #left}. */
    void reserve(long nowNs, long amount) {
        roll(nowNs);
        reserved = Math.addExact(reserved, amount);
        long spanNs = spanNs();
        if (!windowOpen && spanNs > 0) {
            windowOpen = true;
            windowEndsAtNs = nowNs + spanNs;
        }
    }

    /**
     * Puts what was used in the place of what was reserved.
     *
     * @throws IllegalStateException if it was not reserved: the ledger would not balance
     */
    void settle(long nowNs, long wasReserved, long wasUsed) {
        roll(nowNs);
        if (wasReserved > reserved || wasUsed < 0) {
            throw new IllegalStateException(
                    "settles " + wasReserved + " of " + reserved + " reserved with " + wasUsed + " used");
        }
        reserved -= wasReserved;
        used = Math.min(Allotment.LIMIT_MAX, used + Math.min(Allotment.LIMIT_MAX, wasUsed));
    }

    /** What was used before a restart. */
    void restore(long nowNs, long wasUsed, long remainingNs) {
        used = Math.max(0, Math.min(Allotment.LIMIT_MAX, wasUsed));
        windowOpen = remainingNs > 0;
        windowEndsAtNs = nowNs + remainingNs;
    }
}
