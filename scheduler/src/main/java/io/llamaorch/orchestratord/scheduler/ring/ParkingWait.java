package io.llamaorch.orchestratord.scheduler.ring;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.TimeoutException;
import com.lmax.disruptor.WaitStrategy;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Parks the scheduler's thread until it is woken or a tick has passed.
 *
 * <pre>
 *   consumer  scheduler-0        waitFor(): parked = true; look once more; park
 *   wakers    any                wake(): unpark where parked, after a publish
 *   ordering  a publish before wake() is seen by the look before the park, or the park returns at once
 * </pre>
 *
 * <p>Publishing does not wake by itself: {@link SchedulerRing} asks its {@code onOffer} hook to, so that an event loop can
 * do it once for all that it offered in one turn. On two cores a wake-up for each admission was a third of its cost.
 */
final class ParkingWait implements WaitStrategy {
    private final long tickNs;
    private volatile @Nullable Thread parked;

    ParkingWait(long tickNs) {
        this.tickNs = tickNs;
    }

    @Override
    public long waitFor(long sequence, Sequence cursor, Sequence dependentSequence, SequenceBarrier barrier)
            throws AlertException, TimeoutException {
        long available = dependentSequence.get();
        if (available >= sequence) {
            return available;
        }
        parked = Thread.currentThread();
        try {
            barrier.checkAlert();
            available = dependentSequence.get();
            if (available < sequence) {
                LockSupport.parkNanos(this, tickNs);
                barrier.checkAlert();
                available = dependentSequence.get();
            }
        } finally {
            parked = null;
        }
        if (available < sequence) {
            throw TimeoutException.INSTANCE;
        }
        return available;
    }

    /** Any thread: what was published before is seen soon. */
    void wake() {
        Thread thread = parked;
        if (thread != null) {
            parked = null; // others need not as well
            LockSupport.unpark(thread);
        }
    }

    /** Called by each publish, and by an alert, for which there is no other call. */
    @Override
    public void signalAllWhenBlocking() {}
}
