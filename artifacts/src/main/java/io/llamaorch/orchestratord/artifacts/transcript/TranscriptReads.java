package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.segment.LogDamaged;
import io.llamaorch.orchestratord.artifacts.segment.SegmentLog;
import io.llamaorch.orchestratord.artifacts.segment.SegmentRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The reading half of a {@link TranscriptLog}: a few threads, one record at a time for each reader, so that what waits is
 * bounded by the readers. Every record is checked before it is given away.
 */
public final class TranscriptReads {
    private static final long IDLE_S = 30;

    /** Why something cannot be read. */
    public enum Failure {
        /** Its segment was removed. */
        GONE,
        /** It is not what was written. */
        CORRUPT,
        /** The disk failed. */
        DISK,
        /** The log is closed. */
        CLOSED
    }

    /**
     * What came of an open.
     *
     * @param transcript null where it failed
     * @param failure null where it did not
     */
    public record Opened(@Nullable Transcript transcript, @Nullable Failure failure) {}

    /**
     * What came of reading a part.
     *
     * @param events its bytes, the receiver's; null where it failed
     * @param failure null where it did not
     */
    public record PartRead(@Nullable ByteBuffer events, @Nullable Failure failure) {}

    /**
     * What came of opening a content.
     *
     * @param reader null where it failed
     * @param failure null where it did not
     */
    public record Content(@Nullable TranscriptContent reader, @Nullable Failure failure) {}

    private interface Read<T> {
        T run() throws IOException;
    }

    private final SegmentLog segments;
    private final TranscriptEvents events;
    private final ThreadPoolExecutor executor;

    TranscriptReads(SegmentLog segments, int threads, TranscriptEvents events) {
        this.segments = segments;
        this.events = events;
        AtomicInteger number = new AtomicInteger();
        executor = new ThreadPoolExecutor(
                threads, threads, IDLE_S, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "transcripts-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
    }

    void open(UUID task, TranscriptRef ref, Consumer<Opened> answer) {
        submit(
                task,
                ref.position(),
                () -> transcript(task, ref),
                transcript -> answer.accept(new Opened(transcript, null)),
                failure -> answer.accept(new Opened(null, failure)));
    }

    void read(UUID task, long position, int firstEvent, int bytes, Consumer<PartRead> answer) {
        submit(
                task,
                position,
                () -> partOf(segments.read(position), task, firstEvent, bytes),
                part -> answer.accept(new PartRead(part, null)),
                failure -> answer.accept(new PartRead(null, failure)));
    }

    void openContent(UUID task, TranscriptRef ref, Consumer<Content> answer) {
        submit(
                task,
                ref.firstSegment() << 31,
                () -> verified(task, ref),
                content -> answer.accept(new Content(content, null)),
                failure -> answer.accept(new Content(null, failure)));
    }

    /** Reads a slice of content; {@code done} is told null where all went well. */
    void slice(TranscriptContent content, long from, ByteBuffer into, Consumer<@Nullable IOException> done) {
        submit(
                content.task(),
                0,
                () -> {
                    content.copy(from, into);
                    return content;
                },
                whole -> done.accept(null),
                failure -> done.accept(new IOException("the transcript cannot be read: " + failure)));
    }

    private <T> void submit(UUID task, long position, Read<T> read, Consumer<T> answer, Consumer<Failure> failed) {
        try {
            executor.execute(() -> run(task, position, read, answer, failed));
        } catch (RejectedExecutionException e) {
            failed.accept(Failure.CLOSED);
        }
    }

    private <T> void run(UUID task, long position, Read<T> read, Consumer<T> answer, Consumer<Failure> failed) {
        try {
            T result;
            try {
                result = read.run();
            } catch (IOException e) {
                failed.accept(failure(task, position, e));
                return;
            }
            answer.accept(result);
        } catch (RuntimeException | Error e) {
            events.onDefect(e);
        }
    }

    private Failure failure(UUID task, long position, IOException e) {
        boolean removed = position != 0 && SegmentLog.segmentOf(position) < segments.oldest();
        if (e instanceof NoSuchFileException || removed) {
            return Failure.GONE;
        }
        if (e instanceof LogDamaged) {
            events.onCorrupt(task);
            return Failure.CORRUPT;
        }
        events.onDiskFailure("read", e, false);
        return Failure.DISK;
    }

    /** Whether the closing record is there; blocks. */
    boolean isClosed(UUID task, TranscriptRef ref) {
        try {
            return transcript(task, ref).parts().size() > 0;
        } catch (IOException e) {
            return false;
        }
    }

    private Transcript transcript(UUID task, TranscriptRef ref) throws IOException {
        SegmentRecord record = segments.read(ref.position());
        Transcript transcript;
        try {
            transcript = Transcript.decode(record.payload());
        } catch (RuntimeException e) {
            throw new LogDamaged("no closing record: " + e.getMessage());
        }
        if (record.type() != TranscriptWriter.CLOSING
                || !transcript.task().equals(task)
                || !transcript.digest().equals(ref.digest())) {
            throw new LogDamaged("the closing record of another transcript");
        }
        return transcript;
    }

    /** The events of a part. */
    static ByteBuffer partOf(SegmentRecord record, UUID task, int firstEvent, int bytes) throws LogDamaged {
        ByteBuffer payload = record.payload();
        if (record.type() != TranscriptWriter.PART
                || payload.remaining() != TranscriptWriter.PART_HEADER_BYTES + bytes
                || payload.getLong() != task.getMostSignificantBits()
                || payload.getLong() != task.getLeastSignificantBits()
                || payload.getInt() != firstEvent) {
            throw new LogDamaged("a part of another stream");
        }
        return payload.slice();
    }

    private TranscriptContent verified(UUID task, TranscriptRef ref) throws IOException {
        Transcript transcript = transcript(task, ref);
        MessageDigest sha256 = TranscriptWriter.sha256();
        sha256.update(Transcript.preamble(transcript.head()));
        PartTable parts = transcript.parts();
        for (int i = 0; i < parts.size(); i++) {
            sha256.update(partOf(segments.read(parts.position(i)), task, parts.firstEvent(i), parts.bytes(i)));
        }
        if (!HexFormat.of().formatHex(sha256.digest()).equals(ref.digest().hex())) {
            throw new LogDamaged("the content does not match its id");
        }
        return new TranscriptContent(this, segments, transcript);
    }

    /** Reads that are under way end; no other begins. */
    void close() {
        executor.shutdown(); // no interrupt: it would close the file under all of them
    }
}
