package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.Transcript;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptReads;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.http.ContentType;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers for tasks that have left memory and whose transcripts are on disk. Each method on the loop of the connection
 * that asks; files are read elsewhere.
 */
final class ArchivedTasks {
    private final @Nullable TranscriptLog log;
    private final int stallMs;
    private final int retryMs;
    private final AtomicInteger readers = new AtomicInteger();

    /**
     * The tasks of a log.
     *
     * @param log null: there is none, and no task is found
     * @param stallMs a body that a client does not take for so long is cut off, ms
     * @param retryMs reconnection time told to clients, ms
     */
    ArchivedTasks(@Nullable TranscriptLog log, int stallMs, int retryMs) {
        this.log = log;
        this.stallMs = stallMs;
        this.retryMs = retryMs;
    }

    /** Clients that read; any thread. */
    int openReaders() {
        return readers.get();
    }

    /** Any thread: the task of that id, whoever asks; null where none is on disk. */
    @Nullable
    ArchivedTask get(UUID id) {
        TranscriptLog disk = log;
        return disk == null ? null : disk.get(id);
    }

    /** The task of that id, if the asker may see it. */
    @Nullable
    ArchivedTask find(UUID id, String asker, boolean all) {
        ArchivedTask task = get(id);
        return task != null && (all || task.owner().equals(asker)) ? task : null;
    }

    /** {@code GET /v1/tasks/{id}}: the state as it was at the end. */
    void status(Exchange exchange, ArchivedTask task) {
        open(exchange, task, (disk, transcript) -> {
            byte[] state = transcript.state();
            byte[] more = (",\"transcript\":\"" + task.transcript().digest().id() + "\"}")
                    .getBytes(StandardCharsets.US_ASCII);
            ByteBuf body = Unpooled.wrappedBuffer(
                    Unpooled.wrappedBuffer(state, 0, state.length - 1), Unpooled.wrappedBuffer(more));
            exchange.respond(200, ContentType.JSON, body);
        });
    }

    /** {@code GET} and {@code HEAD /v1/tasks/{id}/stream}. */
    void stream(Exchange exchange, ArchivedTask task, int lastEventId) {
        open(exchange, task, (disk, transcript) -> {
            if (lastEventId > transcript.events()) {
                exchange.respondError(TaskStream.beyond(lastEventId, transcript.events()));
            } else if (exchange.head()) {
                exchange.startStream(200, ContentType.EVENT_STREAM);
                exchange.streamDone(true);
            } else {
                new ArchiveReader(exchange, disk, task, transcript, lastEventId, stallMs, readers).start(retryMs);
            }
        });
    }

    private void open(Exchange exchange, ArchivedTask task, BiConsumer<TranscriptLog, Transcript> answer) {
        TranscriptLog disk = log;
        if (disk == null) {
            throw new IllegalStateException("an archived task without a disk");
        }
        disk.open(
                task.id(),
                task.transcript(),
                opened -> onLoop(exchange, () -> {
                    Transcript transcript = opened.transcript();
                    if (exchange.ended()) {
                        return;
                    }
                    if (transcript != null) {
                        answer.accept(disk, transcript);
                    } else {
                        exchange.respondError(error(opened.failure()));
                    }
                }));
    }

    private static ApiError error(TranscriptReads.@Nullable Failure failure) {
        if (failure == TranscriptReads.Failure.GONE) {
            return ApiError.of(ErrorCode.NOT_FOUND, "The transcript of this task is no longer kept.");
        }
        if (failure == TranscriptReads.Failure.CORRUPT) {
            return ApiError.of(
                    ErrorCode.NOT_FOUND, "The transcript of this task was damaged on the disk and cannot be read.");
        }
        return ApiError.of(
                ErrorCode.INTERNAL, "The transcript of this task cannot be read from the disk; the log says more.");
    }

    /** Goes on where the exchange lives; not at all where that loop has ended. */
    static void onLoop(Exchange exchange, Runnable step) {
        try {
            exchange.context().channel().eventLoop().execute(step);
        } catch (RejectedExecutionException e) {
            // The daemon has stopped.
        }
    }
}
