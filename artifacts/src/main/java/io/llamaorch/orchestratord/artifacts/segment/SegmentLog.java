package io.llamaorch.orchestratord.artifacts.segment;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An append-only log in segment files.
 *
 * <pre>
 *   writer    hasRoom → append* → write → sync → (acknowledge), roll where there is no room; one thread
 *   readers   read(position) of what was written; any thread
 *   order     records are visited at open in the order of append; segments go oldest first
 *   failure   append never fails; write and roll may, and can be tried again: nothing of the batch is in the log then.
 *             A failed sync, or tail that cannot be cut off, is {@link LogFailed} now and for every call after it
 *   memory    the batch, which its owner bounds, and at open one segment
 * </pre>
 */
public final class SegmentLog implements Closeable {
    private static final int OFFSET_BITS = 31;
    private static final int BATCH_BYTES_MIN = 64 << 10;
    private static final int BATCH_BYTES_KEPT = 1 << 20;

    private final Disk disk;
    private final Path folder;
    private final SegmentSettings settings;
    private final LongSupplier salts;
    private final ConcurrentSkipListMap<Long, Segment> segments = new ConcurrentSkipListMap<>();

    // the writer's
    private ByteBuffer batch = ByteBuffer.allocateDirect(BATCH_BYTES_MIN);
    private Segment current;
    private int written;
    private int synced;
    private int extended;
    private long closedBytes;

    private volatile long bytes;
    private volatile @Nullable LogFailed failed;

    private SegmentLog(
            Disk disk, Path folder, SegmentSettings settings, LongSupplier salts, @Nullable RecordVisitor visitor)
            throws IOException {
        this.disk = disk;
        this.folder = folder;
        this.settings = settings;
        this.salts = salts;
        boolean opened = false;
        try {
            long last = replay(visitor);
            current = begin(last + 1);
            opened = true;
        } finally {
            if (!opened) {
                close();
            }
        }
    }

    /**
     * Opens a log: visits all records, cuts a torn tail off, and begins a segment.
     *
     * @param folder there, and nobody else's; files that are no segments must not be in it, but for those of a {@link
     *     io.llamaorch.orchestratord.artifacts.disk.GuardedFolder}
     * @param salts random numbers
     * @param visitor sees each record; what it throws ends the opening, with nothing changed
     * @throws LogDamaged where the folder holds what was not written there; nothing was changed
     */
    public static SegmentLog open(
            Disk disk, Path folder, SegmentSettings settings, LongSupplier salts, RecordVisitor visitor)
            throws IOException {
        return new SegmentLog(disk, folder, settings, salts, visitor);
    }

    /**
     * Opens a log whose records are found by positions that are kept elsewhere: none is visited, a torn tail stays where
     * it is, and what is damaged is met by who reads it. Begins a segment.
     *
     * @param folder as in {@link #open}
     * @throws LogDamaged where the folder holds what was not written there; nothing was changed
     */
    public static SegmentLog openUnread(Disk disk, Path folder, SegmentSettings settings, LongSupplier salts)
            throws IOException {
        return new SegmentLog(disk, folder, settings, salts, null);
    }

    // ---- positions ----

    static long position(long segment, int offset) {
        return segment << OFFSET_BITS | offset;
    }

    /** The number of the segment that a position is in, from 1; a later record has the same one or a greater one. */
    public static long segmentOf(long position) {
        return position >>> OFFSET_BITS;
    }

    private static int offsetOf(long position) {
        return (int) (position & Integer.MAX_VALUE);
    }

    // ---- opening ----

    private long replay(@Nullable RecordVisitor visitor) throws IOException {
        TreeSet<Long> numbers = new TreeSet<>();
        for (String name : disk.list(folder)) {
            long number = Segment.number(name);
            if (number > 0) {
                numbers.add(number);
            } else if (!name.equals("FORMAT") && !name.equals("LOCK") && !name.equals("FORMAT.new")) {
                throw new LogDamaged(
                        folder.resolve(name) + " is no file of this daemon; nothing was changed: move it" + " away");
            }
        }
        if (numbers.isEmpty()) {
            return 0;
        }
        long last = numbers.last();
        if (last - numbers.first() + 1 != numbers.size()) {
            throw new LogDamaged(folder + " lacks a segment between " + Segment.name(numbers.first()) + " and "
                    + Segment.name(last) + "; nothing was changed: restore it from a copy, or move the folder away to"
                    + " start with an empty one");
        }
        int end = 0;
        int length = 0;
        for (long number : numbers) {
            Path path = folder.resolve(Segment.name(number));
            Disk.File file = disk.open(path);
            ByteBuffer content;
            try {
                Segment unread = new Segment(number, path, file, 0);
                content = visitor == null ? unread.head() : unread.bytes();
                length = Math.toIntExact(file.size());
                if (length < Frames.HEADER_BYTES || !Frames.isHeader(content, number)) {
                    if (number != last || length > Frames.HEADER_BYTES) {
                        throw new LogDamaged(path + " does not begin as a segment of this daemon's version does;"
                                + " nothing was changed: restore it from a copy, or start the version that wrote it");
                    }
                    file.close(); // a crash came before its first sync: nothing was ever in it
                    end = 0;
                    break;
                }
                segments.put(number, new Segment(number, path, file, Frames.salt(content)));
            } catch (IOException e) {
                file.close();
                throw e;
            }
            end = visitor == null ? length : SegmentScan.walk(content, number, path, number == last, visitor);
            closedBytes += end;
        }
        if (end <= Frames.HEADER_BYTES) {
            drop(last); // empty: its number is used again
            return last - 1;
        }
        if (end != length) {
            cut(folder.resolve(Segment.name(last)), end);
        }
        return last;
    }

    private void cut(Path path, int end) throws IOException {
        try (Disk.File file = disk.change(path)) {
            file.truncate(end);
            file.sync();
        }
    }

    private void drop(long number) throws IOException {
        Segment segment = segments.remove(number);
        if (segment != null) {
            closedBytes -= Frames.HEADER_BYTES;
            segment.file().close();
        }
        disk.delete(folder.resolve(Segment.name(number)));
        disk.syncFolder(folder);
    }

    // ---- writing ----

    /** Writer: whether a record of that many bytes fits into the segment that is written to; an empty one takes any. */
    public boolean hasRoom(int payloadBytes) {
        long end = end();
        return end + Frames.length(payloadBytes) <= settings.segmentBytes()
                || (end == Frames.HEADER_BYTES
                        && Frames.length(payloadBytes) < Integer.MAX_VALUE - settings.extendBytes());
    }

    private long end() {
        return (long) written + batch.position();
    }

    /**
     * Writer: adds a record to the batch that {@link #write} writes.
     *
     * @param type 1 … 255
     * @param version 0 … 255
     * @param payload from position to limit; the position stays
     * @return where it will stand
     */
    public long append(int type, int version, ByteBuffer payload) {
        if (type < 1 || type > 255 || version < 0 || version > 255) {
            throw new IllegalArgumentException("type " + type + ", version " + version);
        }
        if (!hasRoom(payload.remaining())) {
            throw new IllegalStateException("no room for " + payload.remaining() + " bytes; roll comes first");
        }
        long position = position(current.number(), (int) end());
        ensure((int) Frames.length(payload.remaining()));
        Frames.put(batch, current.salt(), synced, type, version, payload);
        return position;
    }

    private void ensure(int more) {
        if (batch.remaining() < more) {
            int length =
                    Math.max(Math.addExact(batch.position(), more), (int) Math.min(2L * batch.capacity(), 1 << 30));
            batch = ByteBuffer.allocateDirect(length).put(batch.flip());
        }
    }

    /** Writer: empties the batch. */
    public void discard() {
        batch.clear();
    }

    /** Writer: bytes in the batch. */
    public int batchBytes() {
        return batch.position();
    }

    /**
     * Writer: writes the batch, from when on it can be read. It is empty afterwards, whatever comes.
     *
     * @throws LogFailed where the log is of no use any more
     * @throws IOException where nothing of the batch was written, and later batches may be
     */
    public void write() throws IOException {
        if (failed != null) {
            discard();
        }
        check();
        batch.flip();
        int end = written + batch.remaining();
        try {
            fill(current.file(), batch, written);
            if (end > extended && settings.extendBytes() > 0) {
                extend(end);
            }
            written = end;
            extended = Math.max(extended, end);
            bytes = closedBytes + written;
        } catch (IOException e) {
            cutBack(e);
            throw e;
        } finally {
            batch.clear();
            if (batch.capacity() > BATCH_BYTES_KEPT) {
                batch = ByteBuffer.allocateDirect(BATCH_BYTES_MIN);
            }
        }
    }

    private void extend(int end) throws IOException {
        long target = Math.min((long) end + settings.extendBytes(), Math.max(end, settings.segmentBytes()));
        if (target > end) {
            fill(current.file(), ByteBuffer.allocate((int) (target - end)), end);
            extended = (int) target;
        }
    }

    private static void fill(Disk.File file, ByteBuffer source, long position) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            int count = file.write(source, at);
            if (count <= 0) {
                throw new IOException("the disk took none of " + source.remaining() + " bytes");
            }
            at += count;
        }
    }

    private void cutBack(IOException cause) throws LogFailed {
        try {
            current.file().truncate(written);
            extended = written;
            current.file().sync(); // else a crash could bring back what was refused
        } catch (IOException e) {
            cause.addSuppressed(e);
            throw fail("a failed write could not be undone in " + current.path(), cause);
        }
    }

    /** Writer: brings what was written to stable storage. */
    public void sync() throws LogFailed {
        check();
        if (synced == written) {
            return;
        }
        try {
            current.file().syncData();
        } catch (IOException e) {
            throw fail("the sync of " + current.path() + " failed", e);
        }
        synced = written;
    }

    /**
     * Writer: closes the segment, synchronised, and begins the next. The batch is empty.
     *
     * @throws LogFailed where the log is of no use any more
     * @throws IOException where the old one is still written to
     */
    public void roll() throws IOException {
        check();
        if (batch.position() > 0) {
            throw new IllegalStateException("a batch of " + batch.position() + " bytes is not written");
        }
        if (written == Frames.HEADER_BYTES) {
            return;
        }
        if (extended > written) {
            current.file().truncate(written);
            extended = written;
        }
        try {
            current.file().sync(); // its length too
        } catch (IOException e) {
            throw fail("the sync of " + current.path() + " failed", e);
        }
        synced = written;
        int closed = written;
        current = begin(current.number() + 1);
        closedBytes += closed;
        bytes = closedBytes + written;
    }

    /** A new segment, durable and empty. */
    private Segment begin(long number) throws IOException {
        if (number > (1L << (63 - OFFSET_BITS)) - 1) {
            throw new IOException("no more segments can be counted");
        }
        Path path = folder.resolve(Segment.name(number));
        long salt = salts.getAsLong();
        Disk.File file = null;
        try {
            file = disk.create(path);
            fill(file, Frames.header(number, salt), 0);
            file.sync();
        } catch (IOException e) {
            undo(path, file, e);
            throw e;
        }
        try {
            disk.syncFolder(folder);
        } catch (IOException e) {
            file.close();
            throw fail("the sync of " + folder + " failed", e);
        }
        Segment begun = new Segment(number, path, file, salt);
        segments.put(number, begun);
        written = Frames.HEADER_BYTES;
        synced = Frames.HEADER_BYTES;
        extended = Frames.HEADER_BYTES;
        bytes = closedBytes + written;
        return begun;
    }

    private void undo(Path path, Disk.@Nullable File file, IOException cause) throws LogFailed {
        try {
            if (file != null) {
                file.close();
            }
            disk.delete(path);
        } catch (NoSuchFileException e) {
            // it was never made
        } catch (IOException e) {
            cause.addSuppressed(e);
            throw fail("a new segment could neither be begun nor removed: " + path, cause);
        }
    }

    private LogFailed fail(String message, IOException cause) {
        LogFailed failure = new LogFailed(message, cause);
        failed = failure;
        return failure;
    }

    private void check() throws LogFailed {
        LogFailed failure = failed;
        if (failure != null) {
            throw failure;
        }
    }

    // ---- removing ----

    /** Any thread: the number of the oldest segment. */
    public long oldest() {
        return segments.firstKey();
    }

    /** Any thread: the number of the segment that is written to. */
    public long newest() {
        return segments.lastKey();
    }

    /**
     * Writer: visits the written records of one segment.
     *
     * @throws LogDamaged where they are not what was written
     */
    public void visit(long number, RecordVisitor visitor) throws IOException {
        Segment segment = segment(number);
        SegmentScan.walk(segment.bytes(), number, segment.path(), number == newest(), visitor);
    }

    /**
     * Writer: removes the oldest segment, which is not the one that is written to, durably.
     *
     * @throws LogFailed where the log is of no use any more
     * @throws IOException where it is still there
     */
    public void removeOldest() throws IOException {
        check();
        Map.Entry<Long, Segment> oldest = segments.firstEntry();
        if (oldest.getKey() == current.number()) {
            throw new IllegalStateException("the segment that is written to");
        }
        Segment segment = oldest.getValue();
        long length = segment.file().size();
        try {
            disk.delete(segment.path());
        } catch (NoSuchFileException e) {
            // an earlier try removed it and failed
        }
        try {
            disk.syncFolder(folder); // before the next one goes: no older one may come back without it
        } catch (IOException e) {
            throw fail("the sync of " + folder + " failed", e);
        }
        segments.remove(oldest.getKey());
        closedBytes -= length;
        bytes = closedBytes + written;
        try {
            segment.file().close();
        } catch (IOException e) {
            // it is gone, whatever its handle says
        }
    }

    // ---- reading ----

    /**
     * Any thread: a record that was written.
     *
     * @throws NoSuchFileException where its segment was removed
     * @throws LogDamaged where it is not what was written
     */
    public SegmentRecord read(long position) throws IOException {
        return segment(segmentOf(position)).read(offsetOf(position));
    }

    private Segment segment(long number) throws NoSuchFileException {
        Segment segment = segments.get(number);
        if (segment == null) {
            throw new NoSuchFileException(folder.resolve(Segment.name(number)).toString());
        }
        return segment;
    }

    /** Any thread: bytes of all segments that hold records or headers. */
    public long bytes() {
        return bytes;
    }

    /** Any thread: segments. */
    public int segments() {
        return segments.size();
    }

    /** Any thread: why nothing is written any more; null while it is. */
    public @Nullable LogFailed failed() {
        return failed;
    }

    /** Closes the files. What is in the batch, or was written and not synchronised, is left to chance. */
    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (Segment segment : segments.values()) {
            try {
                segment.file().close();
            } catch (IOException e) {
                failure = e;
            }
        }
        segments.clear();
        if (failure != null) {
            throw failure;
        }
    }
}
