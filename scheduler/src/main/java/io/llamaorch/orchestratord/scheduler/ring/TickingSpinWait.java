package io.llamaorch.orchestratord.scheduler.ring;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.TimeoutException;
import com.lmax.disruptor.WaitStrategy;

/** Spins, with or without yielding, and times out after a tick, which the Disruptor's own spinning waits do not. */
final class TickingSpinWait implements WaitStrategy {
    private final boolean yields;
    private final long tickNs;

    TickingSpinWait(boolean yields, long tickNs) {
        this.yields = yields;
        this.tickNs = tickNs;
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // yielding is what this mode is asked for
    public long waitFor(long sequence, Sequence cursor, Sequence dependentSequence, SequenceBarrier barrier)
            throws AlertException, TimeoutException {
        long available = dependentSequence.get();
        if (available >= sequence) {
            return available;
        }
        long from = System.nanoTime();
        while (true) {
            barrier.checkAlert();
            available = dependentSequence.get();
            if (available >= sequence) {
                return available;
            }
            if (System.nanoTime() - from >= tickNs) {
                throw TimeoutException.INSTANCE;
            }
            if (yields) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public void signalAllWhenBlocking() {}
}
