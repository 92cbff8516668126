package io.llamaorch.orchestratord.server.sse;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One loop's tasks that are over: those that are kept, and those that are no longer kept and still read to their end,
 * whose memory counts until then. In both the one that ended first comes first, and all that are no longer kept ended
 * before all that are.
 *
 * <p><b>Owner thread:</b> the loop, but for {@link #oldest}, {@link #size} and what begins with "ask".
 */
final class RetainedStreams {
    private final StreamLoop home;
    private final Retention account;
    private final ArrayDeque<TaskStream> kept = new ArrayDeque<>();
    private final Set<TaskStream> lingering = new LinkedHashSet<>();
    private final AtomicBoolean tasksAsked = new AtomicBoolean();
    private final AtomicBoolean bytesAsked = new AtomicBoolean();
    private final AtomicBoolean spillAsked = new AtomicBoolean();
    private volatile int size;
    private volatile @Nullable TaskStream oldestKept;
    private volatile @Nullable TaskStream oldestHeld;

    RetainedStreams(StreamLoop home, Retention account) {
        this.home = home;
        this.account = account;
    }

    /** Any thread: tasks that are kept, as of now. */
    int size() {
        return size;
    }

    /**
     * Any thread: the one that ended first, null for none.
     *
     * @param held of those that take memory, kept or not; else of those that are kept
     */
    @Nullable
    TaskStream oldest(boolean held) {
        return held ? oldestHeld : oldestKept;
    }

    /** Any thread: this loop has the oldest of too many; one word is under way at most. */
    void askLimitTasks() {
        ask(tasksAsked, account::limitTasks);
    }

    /** Any thread: this loop has the oldest transcript, and a task of another needs memory; one word at most. */
    void askLimitBytes() {
        ask(bytesAsked, account::limitBytes);
    }

    /** Any thread: a task of another loop needs memory, and only running ones have any; one word at most. */
    void askSpill() {
        ask(spillAsked, here -> home.spillOwn(account.excessBytes()));
    }

    private void ask(AtomicBoolean asked, Consumer<RetainedStreams> limit) {
        if (asked.compareAndSet(false, true)) {
            home.eventLoop().execute(() -> {
                asked.set(false); // first: what exceeds from here on is a new request
                limit.accept(this);
            });
        }
    }

    /** Keeps a task that is over. */
    void keep(TaskStream stream) {
        kept.addLast(stream);
        publish();
        account.count(1);
        account.limitTasks(this);
    }

    /** Lets those go that ended before {@code nowNs − keepNs}. */
    void expire(long nowNs) {
        TaskStream oldest = kept.peekFirst();
        while (oldest != null && nowNs - oldest.endedAtNs() > account.keepNs()) {
            evictOldest();
            oldest = kept.peekFirst();
        }
    }

    /**
     * Lets the oldest go that is kept; who reads it gets all of it.
     *
     * @return false where there is none
     */
    boolean evictOldest() {
        TaskStream stream = kept.pollFirst();
        if (stream == null) {
            return false;
        }
        evict(stream, false);
        return true;
    }

    /**
     * Gives the memory of the oldest back at once; who reads it is cut.
     *
     * @return false where there is none
     */
    boolean freeOldest() {
        Iterator<TaskStream> unkept = lingering.iterator();
        if (unkept.hasNext()) {
            TaskStream stream = unkept.next();
            unkept.remove();
            stream.evict(true);
            publish();
            return true;
        }
        TaskStream stream = kept.pollFirst();
        if (stream == null) {
            return false;
        }
        evict(stream, true);
        return true;
    }

    /** One is kept no longer, whatever its age; who reads it is cut. */
    void drop(TaskStream stream) {
        if (kept.remove(stream)) {
            evict(stream, true);
        }
    }

    /** The last reader of one that is no longer kept has left. */
    void released(TaskStream stream) {
        if (lingering.remove(stream)) {
            publish();
        }
    }

    private void evict(TaskStream stream, boolean now) {
        account.count(-1);
        if (!stream.evict(now)) {
            lingering.add(stream);
        }
        publish();
        try {
            home.events().evicted(stream);
        } catch (Throwable thrown) {
            home.events().defect(stream, thrown);
        }
    }

    private void publish() {
        size = kept.size();
        oldestKept = kept.peekFirst();
        Iterator<TaskStream> unkept = lingering.iterator();
        oldestHeld = unkept.hasNext() ? unkept.next() : kept.peekFirst();
    }
}
