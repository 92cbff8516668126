package io.llamaorch.orchestratord.server.sse;

import java.nio.ByteBuffer;

/** One event loop's share of the {@link BlockPool}, counted. <b>Owner thread:</b> the loop. */
final class BlockArena {
    private final BlockPool pool;
    private int used;

    BlockArena(BlockPool pool) {
        this.pool = pool;
    }

    /** See {@link BlockPool#take}. */
    int take() {
        int block = pool.take();
        if (block != BlockPool.NONE) {
            used++;
        }
        return block;
    }

    /** See {@link BlockPool#takeBeyondBudget}. */
    int takeBeyondBudget() {
        int block = pool.takeBeyondBudget();
        used++;
        return block;
    }

    /** Gives a block back. */
    void give(int block) {
        used--;
        pool.give(block);
    }

    /** The pool. */
    BlockPool pool() {
        return pool;
    }

    /** See {@link BlockPool#slabOf}. */
    ByteBuffer slabOf(int block) {
        return pool.slabOf(block);
    }

    /** Bytes that this loop uses. */
    long usedBytes() {
        return (long) used * BlockPool.BLOCK_BYTES;
    }

    /** See {@link BlockPool#overBudget}. */
    boolean overBudget() {
        return pool.overBudget();
    }

    /** See {@link BlockPool#nearlyFull}. */
    boolean nearlyFull() {
        return pool.nearlyFull();
    }
}
