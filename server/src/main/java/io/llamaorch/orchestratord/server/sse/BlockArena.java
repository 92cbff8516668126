package io.llamaorch.orchestratord.server.sse;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Off-heap memory for the transcripts of one event loop, in blocks of {@value #BLOCK_BYTES} bytes under a fixed budget.
 *
 * <p>Memory is taken from the system a slab of 1 MiB at a time, when first needed, and kept. Blocks are reused newest
 * first, so that what is touched stays small. <b>Owner thread:</b> the loop; nothing here is shared.
 */
final class BlockArena {
    /** Bytes of one block: a stream that has sent {@code started}, a token and one metrics frame fits in one. */
    static final int BLOCK_BYTES = 1024;

    /** What {@link #take} answers when the budget is used up. */
    static final int NONE = -1;

    private static final int BLOCKS_PER_SLAB = 1024;
    private static final int SLAB_SHIFT = 10;
    private static final int BLOCK_SHIFT = 10;

    private final int blocksMax;
    private ByteBuffer[] slabs = new ByteBuffer[4];
    private int slabCount;
    private int[] free = new int[BLOCKS_PER_SLAB];
    private int freeCount;
    private int used;

    /**
     * An arena with nothing taken yet.
     *
     * @param budgetBytes most bytes in use at once, rounded down to whole blocks; at least one slab is allowed
     */
    BlockArena(long budgetBytes) {
        long blocks = Math.max(BLOCKS_PER_SLAB, budgetBytes / BLOCK_BYTES);
        this.blocksMax = (int) Math.min(blocks, Integer.MAX_VALUE / 2);
    }

    /** A free block, or {@link #NONE} where the budget is used up. */
    int take() {
        return used >= blocksMax ? NONE : takeBeyondBudget();
    }

    /**
     * A free block whatever the budget says: for the one terminal frame that every task is owed, so that the excess is
     * bounded by the number of tasks.
     */
    int takeBeyondBudget() {
        if (freeCount == 0) {
            addSlab();
        }
        used++;
        return free[--freeCount];
    }

    /** Gives a block back. */
    void give(int block) {
        used--;
        free[freeCount++] = block;
    }

    /** The slab that holds a block; the block starts at {@link #offsetOf} in it. */
    ByteBuffer slabOf(int block) {
        return slabs[block >>> SLAB_SHIFT];
    }

    /** Where a block starts in its slab. */
    static int offsetOf(int block) {
        return (block & (BLOCKS_PER_SLAB - 1)) << BLOCK_SHIFT;
    }

    /** Bytes in use. */
    long usedBytes() {
        return (long) used * BLOCK_BYTES;
    }

    /** Whether more than nine tenths of the budget are in use. */
    boolean nearlyFull() {
        return used > blocksMax - blocksMax / 10;
    }

    private void addSlab() {
        if (slabCount == slabs.length) {
            slabs = Arrays.copyOf(slabs, slabCount * 2);
        }
        // The JDK's, not Netty's: absolute bulk copies between these make no object, with Unsafe or without.
        slabs[slabCount] = ByteBuffer.allocateDirect(BLOCKS_PER_SLAB << BLOCK_SHIFT);
        int blocks = (slabCount + 1) * BLOCKS_PER_SLAB;
        if (free.length < blocks) {
            free = Arrays.copyOf(free, Math.max(blocks, free.length * 2));
        }
        for (int i = blocks - 1; i >= blocks - BLOCKS_PER_SLAB; i--) {
            free[freeCount++] = i;
        }
        slabCount++;
    }
}
