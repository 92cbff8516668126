package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.LiveTranscript;
import io.llamaorch.orchestratord.artifacts.transcript.PartTable;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptReads;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What of one stream's log is on disk, and what is on its way there.
 *
 * <pre>
 *   0 ─────── storedTo ─────── handedTo ─────── tail
 *     on disk        being written       in memory alone
 * </pre>
 *
 * <p>What is being written stays in memory until the writer has answered, and is neither cut nor given back. After a
 * failure what is stored stays readable, and nothing more is written. <b>Owner thread:</b> the stream's loop.
 */
final class TaskTranscript {
    private final TaskStream stream;
    private final TranscriptLog log;
    private final LiveTranscript live;
    private final PartTable parts = new PartTable();
    private int[] starts = new int[4];
    private int storedTo;
    private int storedEvents;
    private int handedTo;
    private int handedEvents;
    private boolean writing;
    private boolean broken;
    private boolean closed;
    private @Nullable ArchivedTask archived;

    TaskTranscript(TaskStream stream, TranscriptLog log) {
        this.stream = stream;
        this.log = log;
        this.live = new LiveTranscript(stream.info().id());
    }

    /** Offset up to which the log must not be cut. */
    int handedTo() {
        return handedTo;
    }

    /** The task as it is known from its transcript; null while that is not on disk. */
    @Nullable
    ArchivedTask archived() {
        return archived;
    }

    // ---- writing ----

    /**
     * Hands over what a running stream has in memory.
     *
     * @param bytesMin what has to come free at least
     * @return bytes of memory that will come free; 0 where nothing was handed over
     */
    int spill(int bytesMin) {
        FrameLog frames = stream.log();
        int to = frames.tail();
        int bytes = frames.droppableBytes(to);
        if (writing || broken || closed || bytes < bytesMin) {
            return 0;
        }
        int events = frames.events();
        FrameSource source = frames.source(handedTo, to, handedEvents + 1);
        boolean taken = log.write(
                live, source, source.length(), table -> onLoop(() -> onWritten(source, table, events, bytes)));
        if (!taken) {
            return 0;
        }
        writing = true;
        handedTo = to;
        handedEvents = events;
        return bytes;
    }

    private void onWritten(FrameSource source, @Nullable PartTable table, int events, int bytes) {
        writing = false;
        stream.home().spilled(bytes);
        if (table != null) {
            stored(source, table, events);
            stream.log().dropTo(storedTo, storedEvents);
        } else {
            broken = true;
            if (!closed) {
                handedTo = storedTo;
                handedEvents = storedEvents;
            }
        }
        if (stream.isOver() && !closed) {
            stream.onTranscript();
        }
    }

    /** Whether a part is being written, so that its memory must stay. */
    boolean isWriting() {
        return writing;
    }

    private void stored(FrameSource source, PartTable table, int events) {
        if (parts.size() + table.size() > starts.length) {
            starts = Arrays.copyOf(starts, Math.max(parts.size() + table.size(), starts.length * 2));
        }
        for (int i = 0; i < table.size(); i++) {
            starts[parts.size() + i] = source.start(i);
        }
        parts.addAll(table);
        storedTo = source.to();
        storedEvents = events;
    }

    /**
     * Hands over the rest of a stream that is over.
     *
     * @return whether it was taken; then {@link TaskStream#onTranscript} tells what came of it
     */
    boolean finish(TranscriptMaker.Made made) {
        if (broken) {
            return false;
        }
        FrameLog frames = stream.log();
        int to = frames.tail();
        int events = frames.events();
        FrameSource rest = frames.source(handedTo, to, handedEvents + 1);
        closed = log.finish(
                live,
                rest,
                rest.length(),
                events,
                made::head,
                made::archived,
                (task, table) -> onLoop(() -> onFinished(rest, task, table, events)));
        if (closed) {
            handedTo = to;
        }
        return closed;
    }

    private void onFinished(FrameSource rest, @Nullable ArchivedTask task, @Nullable PartTable table, int events) {
        if (task != null && table != null) {
            stored(rest, table, events);
            archived = task;
        }
        stream.onTranscript();
    }

    private void onLoop(Runnable step) {
        try {
            stream.home().eventLoop().execute(step);
        } catch (RejectedExecutionException e) {
            // The daemon has stopped: nobody waits.
        }
    }

    /** The stream is gone from memory: where it was not closed, its parts are of no use. */
    void abandon() {
        if (archived == null) {
            log.abandon(live);
        }
    }

    // ---- reading ----

    /** Whether an event is on disk. */
    boolean has(int event) {
        return event <= storedEvents;
    }

    /** The part with the event that begins there. */
    int partOf(int event) {
        return parts.find(event);
    }

    /** The part that holds an offset of the log. */
    int partAt(int offset) {
        int found = Arrays.binarySearch(starts, 0, parts.size(), offset);
        return found >= 0 ? found : -found - 2;
    }

    /** The event that a part begins with. */
    int firstEvent(int part) {
        return parts.firstEvent(part);
    }

    /** Offset of the log at which a part begins. */
    int startOf(int part) {
        return starts[part];
    }

    /** Offset of the log at which the next part begins. */
    int endOf(int part) {
        return part + 1 < parts.size() ? starts[part + 1] : storedTo;
    }

    /** Reads a part; told on the stream's loop. */
    void read(int part, Consumer<TranscriptReads.PartRead> answer) {
        log.read(stream.info().id(), parts, part, read -> onLoop(() -> answer.accept(read)));
    }
}
