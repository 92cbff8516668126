package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.segment.LogDamaged;
import io.llamaorch.orchestratord.artifacts.segment.LogFailed;
import io.llamaorch.orchestratord.artifacts.segment.SegmentLog;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The writing half of a {@link TranscriptLog}. <b>Thread:</b> its writer, for every method. */
public final class TranscriptWriter {
    static final int PART = 1;
    static final int CLOSING = 2;
    static final int VERSION = 1;
    static final int PART_HEADER_BYTES = 16 + Integer.BYTES;
    private static final int BATCH_BYTES = 256 << 10;

    private final SegmentLog segments;
    private final long bytesMax;
    private final TranscriptArchive archive;
    private final LongSupplier nowMs;
    private final TranscriptEvents events;
    private final TreeMap<Long, Integer> pins = new TreeMap<>();
    private final ByteBuffer part = ByteBuffer.allocateDirect(PART_HEADER_BYTES + TranscriptLog.PART_BYTES_MAX);
    private boolean dirty;
    private volatile boolean failing;

    /** Makes what is to be known of a task from where its transcript is. */
    @FunctionalInterface
    public interface Naming {
        ArchivedTask of(TranscriptRef ref);
    }

    TranscriptWriter(
            SegmentLog segments,
            long bytesMax,
            TranscriptArchive archive,
            LongSupplier nowMs,
            TranscriptEvents events) {
        this.segments = segments;
        this.bytesMax = bytesMax;
        this.archive = archive;
        this.nowMs = nowMs;
        this.events = events;
    }

    /** Any thread: whether what was written last could not be. */
    boolean isFailing() {
        return failing;
    }

    /** Writes parts; where they stand, or null where they could not be written. */
    @Nullable
    PartTable write(LiveTranscript live, EventSource source) {
        int before = live.parts().size();
        try {
            if (live.isBroken()) {
                return null;
            }
            check();
            append(live, source, null);
            flush();
            failing = false;
            return live.parts().copy(before);
        } catch (IOException e) {
            failed(live, before, "write", e);
        } catch (RuntimeException | Error e) {
            failed(live, before, e);
        }
        return null;
    }

    /** Writes what is left and the closing record; null where that could not be done. */
    @Nullable
    ArchivedTask finish(
            LiveTranscript live, EventSource rest, int lastEvent, Supplier<TranscriptHead> maker, Naming naming) {
        int before = live.parts().size();
        try {
            if (live.isBroken()) {
                return null;
            }
            check();
            TranscriptHead head = maker.get();
            MessageDigest sha256 = sha256();
            sha256.update(Transcript.preamble(head));
            for (int i = 0; i < before; i++) {
                sha256.update(TranscriptReads.partOf(
                        segments.read(live.parts().position(i)),
                        live.task(),
                        live.parts().firstEvent(i),
                        live.parts().bytes(i)));
            }
            append(live, rest, sha256);
            Digest digest = new Digest(HexFormat.of().formatHex(sha256.digest()));
            Transcript transcript = new Transcript(live.task(), digest, head, lastEvent, live.parts());
            long position = append(CLOSING, transcript.encode());
            flush();
            long first = live.pinned() == LiveTranscript.UNPINNED ? SegmentLog.segmentOf(position) : live.pinned();
            TranscriptRef ref = new TranscriptRef(digest, position, first, transcript.contentBytes());
            ArchivedTask task = naming.of(ref);
            failing = false;
            archive.add(task);
            unpin(live);
            events.onStored(task);
            return task;
        } catch (IOException e) {
            if (e instanceof LogDamaged) {
                events.onCorrupt(live.task());
            }
            failed(live, before, "finish", e);
        } catch (RuntimeException | Error e) {
            failed(live, before, e);
        }
        return null;
    }

    private void failed(LiveTranscript live, int before, String operation, IOException e) {
        failing = true;
        live.markBroken();
        live.parts().cut(before);
        events.onDiskFailure(operation, e, e instanceof LogFailed);
    }

    private void failed(LiveTranscript live, int before, Throwable defect) {
        live.markBroken();
        live.parts().cut(before);
        events.onDefect(defect);
        try {
            flush(); // of what was appended nothing is referenced; the batch has to be empty
        } catch (IOException e) {
            events.onDiskFailure("write", e, e instanceof LogFailed);
        }
    }

    private void append(LiveTranscript live, EventSource source, @Nullable MessageDigest digest) throws IOException {
        while (true) {
            part.clear();
            part.putLong(live.task().getMostSignificantBits())
                    .putLong(live.task().getLeastSignificantBits())
                    .putInt(0);
            ByteBuffer room = part.slice();
            int firstEvent = source.next(room);
            if (firstEvent == EventSource.END) {
                return;
            }
            part.putInt(16, firstEvent);
            int length = room.position();
            part.position(0).limit(PART_HEADER_BYTES + length);
            if (digest != null) {
                digest.update(room.flip());
            }
            long position = append(PART, part);
            pin(live, SegmentLog.segmentOf(position));
            live.parts().add(position, firstEvent, length);
            if (segments.batchBytes() >= BATCH_BYTES) {
                flush();
            }
        }
    }

    private long append(int type, ByteBuffer payload) throws IOException {
        if (!segments.hasRoom(payload.remaining())) {
            flush();
            segments.roll();
            dirty = false; // a segment is synchronised before the next one begins
            limitBytes();
        }
        return segments.append(type, VERSION, payload);
    }

    private void check() throws LogFailed {
        LogFailed failed = segments.failed();
        if (failed != null) {
            throw failed; // before anything is in the batch
        }
    }

    private void flush() throws IOException {
        if (segments.batchBytes() > 0) {
            segments.write();
            dirty = true;
        }
    }

    /** Brings what was written to stable storage. */
    void sync() {
        if (!dirty) {
            return;
        }
        dirty = false;
        try {
            segments.sync();
        } catch (LogFailed e) {
            events.onDiskFailure("sync", e, true);
        }
    }

    // ---- removal ----

    private void pin(LiveTranscript live, long segment) {
        if (live.pinned() == LiveTranscript.UNPINNED) {
            live.pin(segment);
            pins.merge(segment, 1, Integer::sum);
        }
    }

    /** Its segments may be removed. */
    void unpin(LiveTranscript live) {
        if (live.pinned() != LiveTranscript.UNPINNED) {
            pins.computeIfPresent(live.pinned(), (segment, count) -> count == 1 ? null : count - 1);
            live.pin(LiveTranscript.UNPINNED);
        }
    }

    private boolean isPinned(long segment) {
        return !pins.isEmpty() && pins.firstKey() <= segment;
    }

    private void limitBytes() throws IOException {
        while (segments.bytes() > bytesMax && segments.oldest() < segments.newest()) {
            long oldest = segments.oldest();
            if (isPinned(oldest)) {
                throw new IOException("No space left: the oldest transcripts are of streams that are not over, and all"
                        + " take " + segments.bytes() + " bytes (transcripts.max_bytes: " + bytesMax + ")");
            }
            archive.forgetSegment(oldest);
            segments.removeOldest();
        }
    }

    /** Forgets what is too old or too many, removes the segments that nothing needs. */
    void trim() {
        archive.trim(nowMs.getAsLong());
        try {
            long needed = Math.min(archive.oldestSegment(), pins.isEmpty() ? Long.MAX_VALUE : pins.firstKey());
            while (segments.failed() == null && segments.oldest() < segments.newest() && segments.oldest() < needed) {
                segments.removeOldest();
            }
        } catch (IOException e) {
            events.onDiskFailure("remove", e, e instanceof LogFailed);
        }
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
