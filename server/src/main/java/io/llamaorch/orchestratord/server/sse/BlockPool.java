package io.llamaorch.orchestratord.server.sse;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Off-heap memory for the transcripts of all loops, in blocks of {@value #BLOCK_BYTES} bytes under one budget.
 *
 * <pre>
 *   any thread  take() give(); a block's bytes belong to whoever took it
 *   free        a stack of block numbers; its head carries a count of changes, so that a head that was taken and given
 *               back between a look and a swap is not mistaken for an old one (ABA)
 *   ordering    give releases, take acquires: the next owner's writes come after the last one's reads
 *   budget      what is asked for beyond it is still given, up to an eighth more: finished transcripts of other loops
 *               are let go a moment later ({@link Retention}), and a running task need not wait for that
 * </pre>
 *
 * <p>Memory is taken from the system a slab of 1 MiB at a time, when first needed, and kept. Blocks are reused newest
 * first, so that what is touched stays small.
 */
final class BlockPool {
    /** Bytes of one block: a stream that has sent {@code started}, a token and one metrics frame fits in one. */
    static final int BLOCK_BYTES = 1024;

    /** What {@link #take} answers when there is no room. */
    static final int NONE = -1;

    private static final int SLAB_SHIFT = 10;
    private static final int BLOCK_SHIFT = 10;
    private static final int BLOCKS_PER_SLAB = 1 << SLAB_SHIFT;

    private static final VarHandle SLABS;

    static {
        try {
            SLABS = MethodHandles.lookup().findVarHandle(BlockPool.class, "slabs", Slab[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int budget;
    private volatile Slab[] slabs = {};
    private final AtomicLong head = new AtomicLong(NONE & 0xFFFF_FFFFL);
    private final AtomicInteger used = new AtomicInteger();

    /** The JDK's buffers, not Netty's: absolute bulk copies between these make no object, with Unsafe or without. */
    private record Slab(ByteBuffer bytes, AtomicIntegerArray next) {}

    /**
     * A pool with nothing taken yet.
     *
     * @param budgetBytes bytes in use at once, rounded down to whole blocks; at least one slab
     */
    BlockPool(long budgetBytes) {
        long blocks = Math.max(BLOCKS_PER_SLAB, budgetBytes / BLOCK_BYTES);
        this.budget = (int) Math.min(blocks, Integer.MAX_VALUE / 2);
    }

    /** A free block, or {@link #NONE} where budget and margin are used up, or the JVM's limit of direct memory is. */
    int take() {
        int now = used.get();
        while (now < budget + budget / 8) {
            if (used.compareAndSet(now, now + 1)) {
                try {
                    return pop();
                } catch (OutOfMemoryError e) { // of the library, not of the machine: the heap is well
                    used.decrementAndGet();
                    return NONE;
                }
            }
            now = used.get();
        }
        return NONE;
    }

    /**
     * A free block whatever the budget says: for the one terminal frame that every task is owed, so that the excess is
     * bounded by the number of tasks.
     */
    int takeBeyondBudget() {
        int block = pop();
        used.incrementAndGet();
        return block;
    }

    /** Gives a block back. */
    void give(int block) {
        push(block, block);
        used.decrementAndGet();
    }

    /** The slab that holds a block; the block starts at {@link #offsetOf} in it. */
    ByteBuffer slabOf(int block) {
        return slabs[block >>> SLAB_SHIFT].bytes();
    }

    /** Where a block starts in its slab. */
    static int offsetOf(int block) {
        return (block & (BLOCKS_PER_SLAB - 1)) << BLOCK_SHIFT;
    }

    /** Bytes in use; a moment's figure. */
    long usedBytes() {
        return (long) used.get() * BLOCK_BYTES;
    }

    /** Whether more than the budget is in use: finished transcripts have to go. */
    boolean overBudget() {
        return used.get() > budget;
    }

    /** Bytes in use beyond the budget; 0 or less where there are none. */
    long excessBytes() {
        return (long) (used.get() - budget) * BLOCK_BYTES;
    }

    /** Whether half of the margin is in use as well: what can be left out should be. */
    boolean nearlyFull() {
        return used.get() > budget + budget / 16;
    }

    private int pop() {
        while (true) {
            long seen = head.get();
            int block = (int) seen;
            if (block == NONE) {
                addSlab();
                continue;
            }
            // Of a block that somebody else takes meanwhile this is stale; then the swap fails.
            int next = links(block).getOpaque(block & (BLOCKS_PER_SLAB - 1));
            if (head.compareAndSet(seen, successor(seen, next))) {
                return block;
            }
        }
    }

    /** Puts blocks on the stack that are linked from {@code first} to {@code last}. */
    private void push(int first, int last) {
        long seen;
        do {
            seen = head.get();
            links(last).setOpaque(last & (BLOCKS_PER_SLAB - 1), (int) seen);
        } while (!head.compareAndSet(seen, successor(seen, first)));
    }

    private static long successor(long seen, int block) {
        return ((seen >>> 32) + 1) << 32 | (block & 0xFFFF_FFFFL);
    }

    private AtomicIntegerArray links(int block) {
        return slabs[block >>> SLAB_SHIFT].next();
    }

    /** Threads that find nothing free at once may each add one: as many too many as there are loops. */
    private void addSlab() {
        Slab slab = new Slab(
                ByteBuffer.allocateDirect(BLOCKS_PER_SLAB << BLOCK_SHIFT), new AtomicIntegerArray(BLOCKS_PER_SLAB));
        Slab[] seen;
        Slab[] more;
        do {
            seen = slabs;
            more = Arrays.copyOf(seen, seen.length + 1);
            more[seen.length] = slab;
        } while (!SLABS.compareAndSet(this, seen, more));
        int first = seen.length << SLAB_SHIFT;
        for (int i = 0; i < BLOCKS_PER_SLAB - 1; i++) {
            slab.next().setPlain(i, first + i + 1);
        }
        push(first, first + BLOCKS_PER_SLAB - 1);
    }
}
