package io.llamaorch.orchestratord.server.sse;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What all loops together keep of tasks, and which transcript goes when that is too much: the one that ended first,
 * whichever loop owns it.
 *
 * <pre>
 *   any loop   counts what it keeps and takes; where the total is exceeded, lets its own oldest go, or asks the loop
 *              that has an older one
 *   ordering   a loop publishes its oldest before it counts it; it takes a request back before it looks at the totals,
 *              so that an excess that comes later is a new request
 *   bound      an asked loop is a message away: the excess is what ends, or is decoded, meanwhile. Where that is more
 *              than an eighth (for tasks: or 64, if that is more), a loop lets its own go, though others are older
 *   locks      none
 * </pre>
 */
public final class Retention {
    private static final int TASKS_MARGIN_MIN = 64;

    private final BlockPool pool;
    private final int tasksMax;
    private final long keepNs;
    private final AtomicInteger tasks = new AtomicInteger();
    private final AtomicLong spilling = new AtomicLong();
    private final List<RetainedStreams> loops = new CopyOnWriteArrayList<>();

    /**
     * Nothing kept yet.
     *
     * @param bytesMax bytes of transcripts, of running tasks too
     * @param tasksMax tasks kept after their end
     * @param keepMs how long they are kept, ms
     */
    public Retention(long bytesMax, int tasksMax, long keepMs) {
        this.pool = new BlockPool(bytesMax);
        this.tasksMax = tasksMax;
        this.keepNs = TimeUnit.MILLISECONDS.toNanos(keepMs);
    }

    BlockPool pool() {
        return pool;
    }

    long keepNs() {
        return keepNs;
    }

    /** A loop that takes part; before its first task. */
    void join(RetainedStreams loop) {
        loops.add(loop);
    }

    /** One task more or less is kept. */
    void count(int change) {
        tasks.addAndGet(change);
    }

    /** Brings the tasks that are kept back to their number; on {@code here}'s loop. */
    void limitTasks(RetainedStreams here) {
        for (int excess = excess(); excess > 0; excess = excess()) {
            RetainedStreams holder = holderOfOldest(false);
            if (holder == null) {
                return;
            }
            if (holder != here) {
                holder.askLimitTasks();
                if (excess <= Math.max(TASKS_MARGIN_MIN, tasksMax / 8)) {
                    return;
                }
            }
            if (!here.evictOldest()) {
                return;
            }
        }
    }

    /**
     * A running task needs memory: brings that of transcripts back to its budget; on {@code here}'s loop.
     *
     * @return false where all of it is of tasks that are not over, or that are being written to disk
     */
    boolean limitBytes(RetainedStreams here) {
        while (pool.overBudget()) {
            RetainedStreams holder = holderOfOldest(true);
            if (holder == null) {
                return false;
            }
            if (holder != here) {
                holder.askLimitBytes();
                return true; // at the end of the margin this loop's own go, or the task
            }
            here.freeOldest();
        }
        return true;
    }

    /** Memory of running tasks will come free, or has. */
    void countSpilling(long bytes) {
        spilling.addAndGet(bytes);
    }

    /** Memory of running tasks that will come free when the disk has what is in it. */
    long spillingBytes() {
        return spilling.get();
    }

    /** Bytes that are too many, but for those that will come free. */
    long excessBytes() {
        return pool.excessBytes() - spilling.get();
    }

    /** Asks the other loops to spill what they have; whether there are any. */
    boolean askSpill(RetainedStreams here) {
        boolean asked = false;
        for (RetainedStreams loop : loops) {
            if (loop != here) {
                loop.askSpill();
                asked = true;
            }
        }
        return asked;
    }

    private int excess() {
        return tasks.get() - tasksMax;
    }

    private @Nullable RetainedStreams holderOfOldest(boolean held) {
        RetainedStreams holder = null;
        TaskStream oldest = null;
        for (RetainedStreams loop : loops) {
            TaskStream candidate = loop.oldest(held);
            if (candidate != null && (oldest == null || candidate.endedAtNs() - oldest.endedAtNs() < 0)) {
                oldest = candidate;
                holder = loop;
            }
        }
        return holder;
    }
}
