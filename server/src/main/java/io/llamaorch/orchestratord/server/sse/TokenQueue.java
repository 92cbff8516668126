package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.netty.buffer.ByteBuf;
import org.jctools.queues.varhandle.unpadded.SpscVarHandleUnpaddedArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * Bounded hand-off of token texts from one engine call to the loop that owns the stream.
 *
 * <pre>
 *   producer  engine call's loop   accepted() offer()* publish() end()|fail()
 *   consumer  stream's loop        isAccepted() poll()* outcome() wasFull()
 *   ordering  publish releases, poll acquires: a polled slab's bytes are visible; an outcome is
 *             visible only after every slab before it can be polled
 *   full      offer() returns false and publish() keeps the slab; the producer stops reading the
 *             engine, so what is kept is bounded by one read; the consumer asks for it by wasFull()
 *   close     by the consumer: it stops polling, and the collector takes the rest
 * </pre>
 *
 * <p>Unpadded: thousands of idle streams hold one each, and producer and consumer are mostly the same thread.
 */
final class TokenQueue {
    private final SpscVarHandleUnpaddedArrayQueue<TokenSlab> slabs;
    private final int capacity;

    // producer
    private final SlabPool producerPool;
    private @Nullable TokenSlab current;
    private @Nullable Object pendingOutcome;

    // written by the producer, read by the consumer
    private volatile boolean accepted;
    private volatile boolean full;
    private volatile @Nullable Object outcome;

    /**
     * An empty queue.
     *
     * @param capacity most slabs in it, ≥ 2
     * @param producerPool pool of the engine call's loop
     */
    TokenQueue(int capacity, SlabPool producerPool) {
        this.slabs = new SpscVarHandleUnpaddedArrayQueue<>(capacity);
        this.capacity = this.slabs.capacity();
        this.producerPool = producerPool;
    }

    /** Producer: the engine took the request. */
    void accepted() {
        accepted = true;
    }

    /**
     * Producer: takes one piece of text.
     *
     * @return false where the producer should stop reading
     */
    boolean offer(ByteBuf text, int offset, int length) {
        TokenSlab slab = current;
        if (slab != null && !slab.hasRoom(length) && slabs.offer(slab)) {
            slab = null;
        }
        if (slab == null) {
            slab = producerPool.take();
            current = slab;
        }
        slab.add(text, offset, length);
        return !full && slabs.size() < capacity;
    }

    /** Producer: makes everything taken so far visible; where there is no room, remembers that. */
    void publish() {
        TokenSlab slab = current;
        if (slab != null) {
            if (!slabs.offer(slab)) {
                full = true;
                // Once more after saying so: a consumer that drained before it could see the flag will not come back.
                if (!slabs.offer(slab)) {
                    return;
                }
            }
            current = null;
        }
        full = false;
        if (pendingOutcome != null) {
            outcome = pendingOutcome;
            pendingOutcome = null;
        }
    }

    /** Producer: the engine is done; nothing follows. */
    void end(EngineResult result) {
        pendingOutcome = result;
        publish();
    }

    /** Producer: the call failed; nothing follows. */
    void fail(EngineFailure failure) {
        pendingOutcome = failure;
        publish();
    }

    /** Consumer: whether the engine took the request. */
    boolean isAccepted() {
        return accepted;
    }

    /** Consumer: the next slab, or null for none now. */
    @Nullable
    TokenSlab poll() {
        return slabs.poll();
    }

    /** Consumer: the {@link EngineResult} or {@link EngineFailure} that ended the call; null before. */
    @Nullable
    Object outcome() {
        return outcome;
    }

    /** Consumer: whether the producer waits for {@code publish} to be called again on its loop. */
    boolean wasFull() {
        return full;
    }
}
