package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.Ledger;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.json.TaskRequestReader;
import io.llamaorch.orchestratord.server.sse.StreamLoop;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One event loop and what belongs to it: its streams, its mailbox from the scheduler, and what it could not yet tell the
 * scheduler because the ring was full. <b>Owner thread:</b> the loop, but for the final fields.
 */
public final class LoopContext {
    private static final long RETRY_MS = 1;
    private static final FastThreadLocal<LoopContext> CURRENT = new FastThreadLocal<>();

    private final int index;
    private final StreamLoop streams;
    private final LoopMailbox mailbox;
    private final TaskRequestReader requestReader = new TaskRequestReader();
    private boolean wakePending;
    private boolean ledgerWakePending;
    private final ArrayDeque<BooleanSupplier> untold = new ArrayDeque<>();

    /**
     * The context of one loop.
     *
     * @param onDefect see {@link LoopMailbox}
     */
    LoopContext(int index, StreamLoop streams, BiConsumer<Task, Throwable> onDefect) {
        this.index = index;
        this.streams = streams;
        this.mailbox = new LoopMailbox(streams.eventLoop(), onDefect);
    }

    /** Starts the clock of its streams, and makes it {@link #current} on its thread. */
    void start() {
        eventLoop().execute(() -> CURRENT.set(this));
        streams.start();
    }

    /** The one of the calling thread; null where that is no event loop of the daemon. */
    static @Nullable LoopContext current() {
        return CURRENT.getIfExists();
    }

    /** Wakes the scheduler when this turn's sockets have all been read: once, however much was offered. */
    void wakeAtEndOfTurn(SchedulerRing<?> ring) {
        if (!wakePending) {
            wakePending = true;
            eventLoop().execute(() -> {
                wakePending = false;
                ring.wake();
            });
        }
    }

    /** The same for the ledger: what this turn puts on record is one batch. */
    void wakeAtEndOfTurn(Ledger ledger) {
        if (!ledgerWakePending) {
            ledgerWakePending = true;
            eventLoop().execute(() -> {
                ledgerWakePending = false;
                ledger.wake();
            });
        }
    }

    /** Place among the loops, from 0. */
    public int index() {
        return index;
    }

    /** Its streams. */
    public StreamLoop streams() {
        return streams;
    }

    /** The loop. */
    public EventLoop eventLoop() {
        return streams.eventLoop();
    }

    /** Reads bodies of submits; keeps scratch space. */
    TaskRequestReader requestReader() {
        return requestReader;
    }

    LoopMailbox mailbox() {
        return mailbox;
    }

    /** Runs now where this is the loop, else as a task of it. */
    void run(Runnable task) {
        if (eventLoop().inEventLoop()) {
            task.run();
        } else {
            eventLoop().execute(task);
        }
    }

    /**
     * Tells the scheduler what must not be lost: now, or, while the ring is full, as soon as it has room, in order.
     *
     * <p>What waits is bounded by the tasks of this loop, each with at most a withdrawal or a lease to give back, a
     * question under way and an entry to forget; beside them there is a word for each change of a replica that is probed
     * from here, and for each order to drain or evict. All wait as long as the scheduler is behind. Where it has died they
     * are never told, and the daemon goes down.
     *
     * @param offer an offer to the ring; false while it is full
     */
    void tell(BooleanSupplier offer) {
        if (untold.isEmpty() && offer.getAsBoolean()) {
            return;
        }
        untold.addLast(offer);
        if (untold.size() == 1) {
            eventLoop().schedule(this::retry, RETRY_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void retry() {
        for (BooleanSupplier offer = untold.peekFirst(); offer != null; offer = untold.peekFirst()) {
            if (!offer.getAsBoolean()) {
                eventLoop().schedule(this::retry, RETRY_MS, TimeUnit.MILLISECONDS);
                return;
            }
            untold.removeFirst();
        }
    }
}
