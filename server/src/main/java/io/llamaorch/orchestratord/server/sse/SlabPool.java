package io.llamaorch.orchestratord.server.sse;

import java.util.ArrayDeque;
import java.util.Queue;
import org.jctools.queues.atomic.MpmcAtomicArrayQueue;

/**
 * Slabs that are not in use. One pool a loop; what a loop has too many of or runs out of goes through a queue that all
 * loops share, because a slab that crosses loops is taken on one and given back on another.
 *
 * <p><b>Owner thread:</b> the loop; only the shared queue is touched by others.
 */
public final class SlabPool {
    private static final int LOCAL_MAX = 64;

    private final ArrayDeque<TokenSlab> local = new ArrayDeque<>(LOCAL_MAX);
    private final Queue<TokenSlab> shared;

    SlabPool(Queue<TokenSlab> shared) {
        this.shared = shared;
    }

    /** The queue that all pools of a daemon share. */
    public static Queue<TokenSlab> newShared() {
        return new MpmcAtomicArrayQueue<>(1024);
    }

    /** An empty slab. */
    TokenSlab take() {
        TokenSlab slab = local.pollLast();
        if (slab == null) {
            slab = shared.poll();
        }
        return slab == null ? new TokenSlab() : slab;
    }

    /** Gives a slab back, whatever is in it. */
    void give(TokenSlab slab) {
        if (!slab.isPoolable()) {
            return;
        }
        slab.clear();
        if (local.size() < LOCAL_MAX) {
            local.addLast(slab);
        } else {
            shared.offer(slab); // full: the collector takes it
        }
    }
}
