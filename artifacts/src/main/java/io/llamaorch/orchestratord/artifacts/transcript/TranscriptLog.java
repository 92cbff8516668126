package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.GuardedFolder;
import io.llamaorch.orchestratord.artifacts.segment.SegmentLog;
import io.llamaorch.orchestratord.artifacts.segment.SegmentSettings;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The transcripts of tasks that are over, and the parts of running streams for which there is no memory.
 *
 * <pre>
 *   write, finish, abandon   any thread, never wait; at most one write or finish of a stream at a time
 *   queue                    bounded by number and bytes; where it is full nothing is taken
 *   answers                  on the writer, exactly once for what was taken, in the order in which it was taken
 *   get, find, reads         any thread, never wait
 *   durability               written before it is told, synchronised within {@value #SYNC_MS} ms and at the close:
 *                            the loss of power may take the last second's transcripts with it
 *   removal                  what no task needs goes with its segment; beyond the limit of bytes the oldest segment goes,
 *                            and the tasks that need it are forgotten; never one with a part of a stream that is not over
 * </pre>
 */
public final class TranscriptLog implements AutoCloseable {
    /** Most bytes of events in a part: what is read, checked and sent at once. */
    public static final int PART_BYTES_MAX = 16 << 10;

    /** Number in the root's {@code FORMAT}. */
    public static final int FORMAT = 1;

    static final int SYNC_MS = 1_000;
    private static final int STOP_WAIT_MS = 5_000;

    private final TranscriptSettings settings;
    private final GuardedFolder folder;
    private final SegmentLog segments;
    private final TranscriptArchive archive;
    private final TranscriptWriter writer;
    private final TranscriptReads reads;
    private final TranscriptEvents events;
    private final ArrayBlockingQueue<Job> queue;
    private final ConcurrentLinkedQueue<LiveTranscript> abandoned = new ConcurrentLinkedQueue<>();
    private final AtomicLong queuedBytes = new AtomicLong();
    private final Thread thread;
    private volatile boolean stopping;

    /** Something to write, and its bytes. */
    private record Job(long bytes, Runnable work) {}

    private TranscriptLog(
            TranscriptSettings settings,
            GuardedFolder folder,
            SegmentLog segments,
            LongSupplier nowMs,
            TranscriptEvents events) {
        this.settings = settings;
        this.folder = folder;
        this.segments = segments;
        this.events = events;
        this.archive = new TranscriptArchive(settings.tasksMax(), settings.keepMs(), events::onForgotten);
        this.writer = new TranscriptWriter(segments, settings.bytesMax(), archive, nowMs, events);
        this.reads = new TranscriptReads(segments, settings.threads(), events);
        this.queue = new ArrayBlockingQueue<>(settings.queueMax());
        this.thread = new Thread(this::run, "transcript-writer");
        thread.setDaemon(true);
    }

    /**
     * Opens the log; it reads none of what is there. Blocks.
     *
     * @param nowMs wall clock, ms since the epoch
     * @param salts random numbers
     * @throws FolderRefused where the root cannot or must not be used
     */
    public static TranscriptLog open(
            TranscriptSettings settings, Disk disk, LongSupplier nowMs, LongSupplier salts, TranscriptEvents events)
            throws FolderRefused {
        GuardedFolder folder = GuardedFolder.open(disk, settings.root(), "transcripts.root", FORMAT);
        try {
            SegmentLog segments = SegmentLog.openUnread(
                    disk, settings.root(), new SegmentSettings(settings.segmentBytes(), 0), salts);
            return new TranscriptLog(settings, folder, segments, nowMs, events);
        } catch (IOException e) {
            folder.close();
            throw new FolderRefused(
                    "cannot use the transcripts in " + settings.root() + " (key: transcripts.root): " + e.getMessage(),
                    e);
        }
    }

    /**
     * Makes a task of an earlier run known, in the order in which they ended; before {@link #start}.
     *
     * @return false where its transcript is no longer there, or was lost with the power
     */
    public boolean restore(ArchivedTask task) {
        TranscriptRef ref = task.transcript();
        long closedIn = SegmentLog.segmentOf(ref.position());
        boolean there = ref.firstSegment() >= segments.oldest() && closedIn < segments.newest();
        if (there && closedIn == segments.newest() - 1) {
            there = reads.isClosed(task.id(), ref); // the last run's last segment may not have been synchronised
        }
        if (there) {
            archive.add(task);
        }
        return there;
    }

    /** Takes work from now on; what no restored task needs is removed. */
    public void start() {
        thread.start();
    }

    // ---- what is known ----

    /** The task of that id whose transcript is on disk, or null. */
    public @Nullable ArchivedTask get(UUID id) {
        return archive.get(id);
    }

    /** The task whose transcript has that content, or null. */
    public @Nullable ArchivedTask find(Digest digest) {
        return archive.find(digest);
    }

    /** Tasks that are known. */
    public int size() {
        return archive.size();
    }

    /** Bytes of all segments. */
    public long bytes() {
        return segments.bytes();
    }

    /** Bytes that wait to be written. */
    public long queuedBytes() {
        return queuedBytes.get();
    }

    /** Whether nothing is written any more until the process starts anew. */
    public boolean hasFailed() {
        return segments.failed() != null;
    }

    /** Whether what was written last could not be written. */
    public boolean isFailing() {
        return writer.isFailing() || hasFailed();
    }

    // ---- writing ----

    /**
     * Writes the next parts of a stream.
     *
     * @param bytes about how many they are
     * @param done told where they stand, or null where they could not be written
     * @return false where it was not taken; {@code done} is not told then
     */
    public boolean write(LiveTranscript live, EventSource source, long bytes, Consumer<@Nullable PartTable> done) {
        return offer(bytes, () -> {
            PartTable written = writer.write(live, source);
            done.accept(written);
        });
    }

    /**
     * Who is told that a stream was closed.
     *
     * @see TranscriptLog#finish
     */
    public interface Finished {
        /**
         * Told once.
         *
         * @param task as it is known from now on; null where it could not be written
         * @param last the parts that were written with it, also where it could not be closed
         */
        void done(@Nullable ArchivedTask task, @Nullable PartTable last);
    }

    /**
     * Writes what is left of a stream, and closes it: its task is known from then on.
     *
     * @param bytes about how many they are
     * @param lastEvent id of the last event
     * @param head made on the writer
     * @param task makes what is to be known of it
     * @return false where it was not taken; {@code done} is not told then
     */
    public boolean finish(
            LiveTranscript live,
            EventSource rest,
            long bytes,
            int lastEvent,
            Supplier<TranscriptHead> head,
            TranscriptWriter.Naming task,
            Finished done) {
        return offer(bytes, () -> {
            int before = live.parts().size();
            ArchivedTask archived = writer.finish(live, rest, lastEvent, head, task);
            PartTable last = archived == null ? null : live.parts().copy(before);
            done.done(archived, last);
        });
    }

    /** The stream will not be closed: its parts are needed no more. */
    public void abandon(LiveTranscript live) {
        abandoned.add(live); // bounded by the streams
    }

    private boolean offer(long bytes, Runnable work) {
        if (stopping || segments.failed() != null) {
            return false;
        }
        long before = queuedBytes.getAndAdd(bytes);
        if ((before > 0 && before + bytes > settings.queueBytesMax()) || !queue.offer(new Job(bytes, work))) {
            queuedBytes.addAndGet(-bytes);
            events.onRefused();
            return false;
        }
        return true;
    }

    private void run() {
        long syncAtNs = System.nanoTime();
        boolean more = true;
        while (more) {
            try {
                boolean last = stopping;
                Job job = last ? queue.poll() : queue.poll(SYNC_MS, TimeUnit.MILLISECONDS);
                if (job != null) {
                    try {
                        job.work().run();
                    } finally {
                        queuedBytes.addAndGet(-job.bytes());
                    }
                }
                for (LiveTranscript live = abandoned.poll(); live != null; live = abandoned.poll()) {
                    writer.unpin(live);
                }
                more = job != null || !last;
                long nowNs = System.nanoTime();
                if (!more || nowNs - syncAtNs >= TimeUnit.MILLISECONDS.toNanos(SYNC_MS)) {
                    syncAtNs = nowNs;
                    writer.sync();
                    writer.trim();
                }
            } catch (InterruptedException e) {
                more = false; // nobody of ours does that
            } catch (RuntimeException | Error e) {
                events.onDefect(e);
            }
        }
    }

    // ---- reading ----

    /** Reads what a transcript is; {@code answer} is told on a reading thread, or on this one where the log is closed. */
    public void open(UUID task, TranscriptRef ref, Consumer<TranscriptReads.Opened> answer) {
        reads.open(task, ref, answer);
    }

    /** Reads one part; {@code answer} as in {@link #open}. */
    public void read(UUID task, PartTable parts, int part, Consumer<TranscriptReads.PartRead> answer) {
        reads.read(task, parts.position(part), parts.firstEvent(part), parts.bytes(part), answer);
    }

    /** Opens a transcript's content, every byte of which has been held against its id; {@code answer} as in {@link #open}. */
    public void openContent(UUID task, TranscriptRef ref, Consumer<TranscriptReads.Content> answer) {
        reads.openContent(task, ref, answer);
    }

    /** Writes and synchronises what was taken, closes the files. Waits for some seconds at most; again does nothing. */
    @Override
    public void close() {
        if (stopping) {
            return;
        }
        stopping = true;
        queue.offer(new Job(0, () -> {})); // it may sleep
        reads.close();
        try {
            if (thread.isAlive()) {
                thread.join(STOP_WAIT_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!thread.isAlive()) {
            try {
                segments.close();
            } catch (IOException e) {
                events.onDiskFailure("close", e, true);
            }
        }
        folder.close();
    }
}
