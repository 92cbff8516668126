package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.PartTable;
import io.llamaorch.orchestratord.artifacts.transcript.Transcript;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptReads;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.sse.EventParts;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One client that reads the stream of a task that is on disk alone: a part is read by a thread of the log's, written here,
 * and the next is read when the socket has taken it. So it costs one part of memory, however slow its client is.
 *
 * <p>A client that takes nothing for the stall time is cut off, and so is one whose next part cannot be read: it may
 * resume. <b>Owner thread:</b> the connection's loop.
 */
final class ArchiveReader {
    private final ExchangeConnection connection;
    private final Exchange exchange;
    private final TranscriptLog log;
    private final ArchivedTask task;
    private final PartTable parts;
    private final int stallMs;
    private final AtomicInteger readers;
    private int part;
    private int firstEvent;
    private boolean over;
    private @Nullable ScheduledFuture<?> stall;

    /**
     * A reader that has not begun.
     *
     * @param lastEventId what the client has; not beyond the transcript's last
     * @param readers counts those that are reading
     */
    ArchiveReader(
            Exchange exchange,
            TranscriptLog log,
            ArchivedTask task,
            Transcript transcript,
            int lastEventId,
            int stallMs,
            AtomicInteger readers) {
        this.exchange = exchange;
        this.connection = new ExchangeConnection(exchange);
        this.log = log;
        this.task = task;
        this.parts = transcript.parts();
        this.stallMs = stallMs;
        this.readers = readers;
        this.firstEvent = lastEventId + 1;
        this.part = lastEventId == transcript.events() ? parts.size() : Math.max(0, parts.find(firstEvent));
    }

    /** Sends the head of the answer, the reconnection time, and then what the client has not. */
    void start(int retryMs) {
        readers.incrementAndGet();
        exchange.onClose(this::leave);
        connection.start();
        ByteBuffer retry = ByteBuffer.wrap(("retry: " + retryMs + "\n\n").getBytes(StandardCharsets.US_ASCII));
        send(body(retry, 0, part == parts.size()), part == parts.size());
    }

    private ByteBuf body(ByteBuffer bytes, int from, boolean last) {
        return connection.http10() ? EventParts.plain(bytes, from) : EventParts.chunk(bytes, from, last);
    }

    private void next() {
        if (!over) {
            log.read(task.id(), parts, part, read -> ArchivedTasks.onLoop(exchange, () -> loaded(read)));
        }
    }

    private void loaded(TranscriptReads.PartRead read) {
        if (over) {
            return;
        }
        ByteBuffer events = read.events();
        if (events == null) {
            connection.cut();
            leave();
            return;
        }
        int from = firstEvent > 0 ? EventParts.indexOf(events, parts.firstEvent(part), firstEvent) : 0;
        firstEvent = 0;
        part++;
        send(body(events, from, part == parts.size()), part == parts.size());
    }

    private void send(ByteBuf bytes, boolean last) {
        if (connection.write(bytes)) {
            sent(last);
            return;
        }
        if (over) {
            return;
        }
        stall = connection
                .loop()
                .schedule(
                        () -> {
                            connection.cut();
                            leave();
                        },
                        stallMs,
                        TimeUnit.MILLISECONDS);
        connection.whenDrained(() -> {
            ScheduledFuture<?> watch = stall;
            if (watch != null) {
                watch.cancel(false);
            }
            sent(last);
        });
    }

    private void sent(boolean last) {
        if (last && !over) {
            connection.finish();
            leave();
        } else {
            next();
        }
    }

    /** It has all, was cut, or its client has gone. */
    private void leave() {
        if (!over) {
            over = true;
            readers.decrementAndGet();
            ScheduledFuture<?> watch = stall;
            if (watch != null) {
                watch.cancel(false);
            }
        }
    }
}
