package io.llamaorch.orchestratord.scheduler.core;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One replica as it is now: its state, and who holds which of its slots. Owned by the scheduler's thread.
 *
 * <p>When a replica shrinks, tasks on slots past the new count run on, and those slots are not given out again.
 */
final class ReplicaRuntime {
    final int index;
    final PoolSpec.ReplicaSpec spec;
    final List<String> devices;
    private final Map<PlacementPolicy.Verdict, PlacementDecision.Candidate> candidates =
            new EnumMap<>(PlacementPolicy.Verdict.class);

    ReplicaState state = ReplicaState.LOADING;
    String version = "";
    int slots;
    int ctx;
    /** Free device memory, in steps of {@value Scheduler#VRAM_STEP_BYTES} bytes; −1 where unknown. */
    long freeVramSteps = -1;
    /** Grows with each task started here. */
    long starts;
    /** Grows each time the replica stops being READY: what it had cached is not counted on any more. */
    long epoch;

    private long[] busy;
    private final List<@Nullable TaskEntry> holders = new ArrayList<>();
    private int leased;

    ReplicaRuntime(String poolId, int index, PoolSpec.ReplicaSpec spec, int ctx) {
        this.index = index;
        this.spec = spec;
        this.slots = spec.slots();
        this.ctx = ctx;
        this.busy = new long[(spec.slots() + 63) >> 6];
        String mask = spec.deviceMask();
        this.devices = mask == null ? List.of() : PlacementPolicy.devicesOf(mask);
        for (PlacementPolicy.Verdict verdict : PlacementPolicy.Verdict.values()) {
            candidates.put(verdict, new PlacementDecision.Candidate(poolId, spec.id(), verdict.label()));
        }
    }

    boolean ready() {
        return state == ReplicaState.READY;
    }

    int leased() {
        return leased;
    }

    /** @param bytes free on its devices, −1 where unknown */
    void freeVram(long bytes) {
        freeVramSteps = bytes < 0 ? -1 : bytes / Scheduler.VRAM_STEP_BYTES;
    }

    /** The candidate record of this replica with a verdict: made once, so that a placement allocates none. */
    PlacementDecision.Candidate candidate(PlacementPolicy.Verdict verdict) {
        PlacementDecision.Candidate made = candidates.get(verdict);
        if (made == null) {
            throw new IllegalStateException("no candidate for " + verdict);
        }
        return made;
    }

    /** Slots that can be given out now, whatever the state. */
    int freeSlots() {
        int taken = 0;
        int words = slots >> 6;
        for (int i = 0; i < words; i++) {
            taken += Long.bitCount(busy[i]);
        }
        if ((slots & 63) != 0) {
            taken += Long.bitCount(busy[words] & ((1L << slots) - 1));
        }
        return slots - taken;
    }

    /** Another count of slots; those in use beyond it end with their tasks. */
    void resize(int newSlots) {
        int words = (newSlots + 63) >> 6;
        if (words > busy.length) {
            busy = java.util.Arrays.copyOf(busy, words);
        }
        slots = newSlots;
    }

    /** Gives the lowest free slot to a task and returns its index; none free is a broken invariant. */
    int take(TaskEntry entry) {
        for (int i = 0; i < busy.length; i++) {
            long free = ~busy[i];
            if (free != 0) {
                int slot = (i << 6) + Long.numberOfTrailingZeros(free);
                if (slot >= slots) {
                    break;
                }
                while (holders.size() <= slot) {
                    holders.add(null);
                }
                if (holders.get(slot) != null) {
                    throw new IllegalStateException("slot " + slot + " of " + spec.id() + " has two holders");
                }
                holders.set(slot, entry);
                busy[i] |= 1L << slot;
                leased++;
                starts++;
                return slot;
            }
        }
        throw new IllegalStateException("no slot free on " + spec.id() + ": " + leased + " of " + slots + " leased");
    }

    /** Takes a slot back from the task that holds it; anyone else's return is a broken invariant. */
    void giveBack(int slot, TaskEntry entry) {
        if (slot >= holders.size() || holders.get(slot) != entry || (busy[slot >> 6] & (1L << slot)) == 0) {
            throw new IllegalStateException("slot " + slot + " of " + spec.id() + " is not held by " + entry.spec.id());
        }
        holders.set(slot, null);
        busy[slot >> 6] &= ~(1L << slot);
        leased--;
        if (leased < 0) {
            throw new IllegalStateException("leases of " + spec.id() + " below zero");
        }
    }

    /** The holder of a slot index, or null; indexes run from 0 to {@link #slotIndexEnd()} exclusive. */
    @Nullable
    TaskEntry holder(int slot) {
        return holders.get(slot);
    }

    int slotIndexEnd() {
        return holders.size();
    }
}
