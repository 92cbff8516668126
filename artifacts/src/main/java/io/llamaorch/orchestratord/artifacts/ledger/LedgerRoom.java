package io.llamaorch.orchestratord.artifacts.ledger;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Room for admissions that wait to be written: taken before the scheduler is asked, given back when all is said. Any thread. */
final class LedgerRoom {
    private final LedgerSettings limits;
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile long liveBytes;

    LedgerRoom(LedgerSettings limits) {
        this.limits = limits;
    }

    /** What the log holds that cannot be dropped, bytes; the writer's word. */
    void live(long newLiveBytes) {
        liveBytes = newLiveBytes;
    }

    @Nullable
    LedgerFailure take(long more) {
        int countBefore = count.getAndIncrement();
        long bytesBefore = bytes.getAndAdd(more);
        LedgerFailure refused = null;
        if (countBefore >= limits.queueCount() || (countBefore > 0 && bytesBefore + more > limits.queueBytes())) {
            refused = LedgerFailure.QUEUE;
        } else if (liveBytes + bytesBefore + more > limits.maxBytes() / 2) {
            refused = LedgerFailure.BYTES;
        }
        if (refused != null) {
            give(more);
        }
        return refused;
    }

    void give(long taken) {
        bytes.getAndAdd(-taken);
        count.getAndDecrement();
    }

    int count() {
        return count.get();
    }

    long bytes() {
        return bytes.get();
    }
}
