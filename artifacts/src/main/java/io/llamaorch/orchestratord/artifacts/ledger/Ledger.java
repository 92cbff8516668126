package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.GuardedFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The ledger as the daemon uses it: what is handed over here is written by the thread {@code ledger}, which acknowledges
 * it when it is as safe as the settings promise.
 *
 * <pre>
 *   producers  any thread     admit (after reserve), expose, end, forget; then wake, soon
 *   consumer   ledger         takes what there is, appends it, synchronises once, acknowledges
 *   ordering   records of one thread are written in their order
 *   bound      admissions: count and bytes, by reserve; all else: a handful a task, and tasks are bounded
 *   failure    a full disk refuses admissions and keeps the rest in memory until there is room; a failed sync is for good
 * </pre>
 */
public final class Ledger implements AutoCloseable {
    private static final int FORMAT = 1;
    private static final int QUEUE_CHUNK = 1024;

    private final GuardedFolder folder;
    private final LedgerWriter writer;
    private final LedgerRoom room;
    private final MpscUnboundedVarHandleArrayQueue<LedgerRequest> queue =
            new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);
    private final Thread thread;
    private @Nullable Recovery recovery;
    private volatile boolean parked;
    private volatile boolean closing;

    private Ledger(GuardedFolder folder, LedgerSettings settings, LedgerEvents events, LedgerWriter writer)
            throws IOException {
        this.folder = folder;
        this.writer = writer;
        this.room = new LedgerRoom(settings);
        this.recovery = writer.recover();
        LedgerLoop loop = new LedgerLoop(settings, events, writer, room, queue);
        this.thread = new Thread(() -> run(loop), "ledger");
        thread.setDaemon(true);
    }

    /**
     * Opens the ledger: replays what is there. Blocks; {@link #start} comes next.
     *
     * @param path its folder, absolute; made where it is not there
     * @param key the configuration's key that names it, for messages
     * @param salts random numbers
     * @throws FolderRefused where the folder must not or cannot be used, or is damaged; the message says what to do
     */
    public static Ledger open(
            Disk disk, Path path, String key, LedgerSettings settings, LongSupplier salts, LedgerEvents events)
            throws FolderRefused {
        GuardedFolder folder = GuardedFolder.open(disk, path, key, FORMAT);
        boolean opened = false;
        LedgerWriter writer = null;
        try {
            writer = LedgerWriter.open(disk, path, settings, salts, events);
            Ledger ledger = new Ledger(folder, settings, events, writer);
            opened = true;
            return ledger;
        } catch (IOException e) {
            throw new FolderRefused("cannot use the ledger in " + path + ": " + e.getMessage(), e);
        } finally {
            if (!opened) {
                if (writer != null) {
                    writer.close();
                }
                folder.close();
            }
        }
    }

    /**
     * What was found; for the one that opens, once: it is not kept.
     *
     * @throws IllegalStateException the second time
     */
    public Recovery takeRecovery() {
        Recovery found = recovery;
        recovery = null;
        if (found == null) {
            throw new IllegalStateException("taken");
        }
        return found;
    }

    /** Starts the thread; once. */
    public void start() {
        thread.start();
    }

    // ---- any thread ----

    /**
     * Takes room for an admission; {@link #release} gives it back, once, when its acknowledgement has come or it is not
     * to be written after all.
     *
     * @param bytes of its request
     * @return null where there is room
     */
    public @Nullable LedgerFailure reserve(int bytes) {
        return failed() ? LedgerFailure.FAILED : room.take(bytes);
    }

    /** Gives back what {@link #reserve} took. */
    public void release(int bytes) {
        room.give(bytes);
    }

    /** A task was accepted. */
    public void admit(AdmittedTask task, LedgerLane lane, LedgerAck ack) {
        queue.offer(new LedgerRequest(LedgerCodec.ADMITTED, task.id(), task, null, lane, ack));
    }

    /** An event of an open task is about to be shown. */
    public void expose(UUID id, LedgerLane lane, LedgerAck ack) {
        queue.offer(new LedgerRequest(LedgerCodec.EXPOSED, id, null, null, lane, ack));
    }

    /** A task is over. */
    public void end(EndedTask task, LedgerLane lane, LedgerAck ack) {
        queue.offer(new LedgerRequest(LedgerCodec.ENDED, task.id(), null, task, lane, ack));
    }

    /** Nothing is remembered of a task any more. */
    public void forget(UUID id, LedgerLane lane) {
        queue.offer(new LedgerRequest(LedgerCodec.FORGOTTEN, id, null, null, lane, null));
    }

    /** What was handed over before is looked at soon. */
    public void wake() {
        if (parked) {
            parked = false; // others need not as well
            LockSupport.unpark(thread);
        }
    }

    /** Whether nothing is written any more until the process has started anew. */
    public boolean failed() {
        return writer.failed() != null;
    }

    /** Why; null where it is not so. */
    public @Nullable String failure() {
        IOException failure = writer.failed();
        return failure == null ? null : failure.getMessage();
    }

    /** Admissions that have taken room; a moment's figure. */
    public int waiting() {
        return room.count();
    }

    /** Bytes of their requests; a moment's figure. */
    public long waitingBytes() {
        return room.bytes();
    }

    /** Bytes on disk; a moment's figure. */
    public long bytes() {
        return writer.bytes();
    }

    /** Segments on disk; a moment's figure. */
    public int segments() {
        return writer.segments();
    }

    /** Writes and synchronises what was handed over before, ends the thread, gives the folder free. Blocks. */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        writer.close();
        folder.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- the thread ----

    private void run(LedgerLoop loop) {
        while (true) {
            boolean last = closing;
            long idleNs = loop.turn();
            if (idleNs > 0) {
                if (last) {
                    break;
                }
                park(idleNs);
            }
        }
        loop.finish();
    }

    private void park(long idleNs) {
        parked = true;
        if (queue.isEmpty() && !closing) {
            LockSupport.parkNanos(this, idleNs);
        }
        parked = false;
    }
}
