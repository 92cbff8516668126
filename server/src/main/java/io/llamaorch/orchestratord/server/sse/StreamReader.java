package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.transcript.TranscriptReads;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;

/**
 * One client that reads a stream: a cursor into the stream's log, and at most one chunk of it on its way to the socket.
 *
 * <p>The next chunk is taken from the log only when the last one is in the kernel, so a slow client costs one chunk of
 * memory and delays nobody. <b>Owner threads:</b> fields and methods belong to the stream's loop, but for those under
 * "connection's loop"; where the two loops differ, a chunk crosses as a task, and so does the word that it was written.
 */
public final class StreamReader {
    /** Most bytes on their way at once: small, so that a cancel need not wait long for them. */
    static final int CHUNK_BYTES_MAX = 16 * 1024;

    private final TaskStream stream;
    private final ReaderConnection connection;
    private final boolean sameLoop;

    private int cursor;
    private int wantedEvent;
    private boolean loading;
    private boolean inFlight;
    private boolean lastInFlight;
    private boolean pumping;
    private boolean gone;
    private long progressAtNs;

    @SuppressWarnings("ReferenceEquality") // which loop, not a loop like it
    StreamReader(TaskStream stream, ReaderConnection connection) {
        this.stream = stream;
        this.connection = connection;
        this.sameLoop = connection.loop() == stream.home().eventLoop();
    }

    /** Bytes of the log that were handed to the connection so far. */
    int cursor() {
        return cursor;
    }

    /** The connection's loop. */
    EventLoop loop() {
        return connection.loop();
    }

    /** Whether a chunk is on its way. */
    boolean inFlight() {
        return inFlight;
    }

    /** Whether the reader waits for what the stream has not got yet. */
    boolean isCaughtUp(int tail) {
        return !inFlight && cursor == tail;
    }

    /** When it last made progress, ns; meaningful only while it has something to read. */
    long progressAtNs() {
        return progressAtNs;
    }

    /**
     * Sends the head of the answer, the reconnection time, and a comment, from {@code offset} of the log on.
     *
     * @param event the event to begin with, where {@code offset} is that of the part on disk that it is in; else 0
     */
    void start(int offset, int event, int retryMs, String comment) {
        cursor = offset;
        wantedEvent = event;
        progressAtNs = System.nanoTime();
        FrameWriter writer = stream.home().frames();
        writer.retry(retryMs);
        ByteBuf first = Unpooled.copiedBuffer(writer.bytes(), 0, writer.length());
        if (!comment.isEmpty()) {
            writer.comment(comment);
            first = Unpooled.wrappedBuffer(first, Unpooled.copiedBuffer(writer.bytes(), 0, writer.length()));
        }
        ByteBuf head = first;
        inFlight = true;
        if (sameLoop) {
            connection.start();
            deliver(head, false);
        } else {
            connection.loop().execute(() -> {
                connection.start();
                deliver(head, false);
            });
        }
    }

    /** Sends a comment, unless bytes are on their way: those show life as well. */
    void comment(FrameWriter writer) {
        if (inFlight || loading || gone) {
            return;
        }
        send(stream.home().sendBuffer(sameLoop).frame(writer), false);
    }

    /** Sends what the log has and this reader has not, as far as the connection takes it. */
    void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        try {
            FrameLog log = stream.log();
            while (!inFlight && !loading && !gone) {
                if (wantedEvent != 0 || cursor < log.memoryFrom()) {
                    load();
                    break;
                }
                int end = Math.min(log.boundaryWithin(cursor, CHUNK_BYTES_MAX), Math.max(cursor, stream.shown()));
                boolean last = stream.isOver() && end == log.tail();
                if (end == cursor && !last) {
                    break;
                }
                ByteBuf chunk = stream.home().sendBuffer(sameLoop).log(log, cursor, end - cursor, last);
                cursor = end;
                send(chunk, last);
            }
        } finally {
            pumping = false;
        }
    }

    /** Has the part of the log read that is on disk, where the cursor is: one at a time. */
    private void load() {
        TaskTranscript disk = stream.transcript();
        int part = wantedEvent != 0 ? disk.partOf(wantedEvent) : disk.partAt(cursor);
        if (disk.endOf(part) > stream.shown()) {
            return; // the ledger has not got that far
        }
        loading = true;
        disk.read(part, read -> {
            loading = false;
            if (gone) {
                return;
            }
            try {
                loaded(disk, part, read);
            } catch (Throwable thrown) {
                stream.readerFailed(this, thrown);
            }
        });
    }

    private void loaded(TaskTranscript disk, int part, TranscriptReads.PartRead read) {
        ByteBuffer events = read.events();
        if (events == null) {
            stream.readerUnreadable(this);
            return;
        }
        int from;
        if (wantedEvent != 0) {
            from = EventParts.indexOf(events, disk.firstEvent(part), wantedEvent);
        } else {
            from = EventParts.indexAt(events, disk.startOf(part), cursor);
        }
        wantedEvent = 0;
        cursor = disk.endOf(part);
        boolean last = stream.isOver() && cursor == stream.log().tail();
        send(EventParts.chunk(events, from, last), last);
    }

    /** Ends the connection in the midst of the stream; the client may resume. */
    void cut() {
        if (gone) {
            return;
        }
        gone = true;
        if (sameLoop) {
            connection.cut();
        } else {
            connection.loop().execute(connection::cut);
        }
    }

    /** Whether it reads over that connection. */
    @SuppressWarnings("ReferenceEquality") // this connection
    boolean isOn(ReaderConnection other) {
        return connection == other;
    }

    /** The client has gone, or has all: nothing more is sent. */
    void markGone() {
        gone = true;
    }

    /** Whether nothing more will be sent. */
    boolean isGone() {
        return gone;
    }

    private void send(ByteBuf bytes, boolean last) {
        progressAtNs = System.nanoTime(); // it had nothing to wait for until now
        inFlight = true;
        lastInFlight = last;
        if (sameLoop) {
            deliver(bytes, last);
        } else {
            connection.loop().execute(() -> deliver(bytes, last));
        }
    }

    private void onDelivered() {
        inFlight = false;
        progressAtNs = System.nanoTime();
        if (lastInFlight) {
            gone = true;
            stream.readerDone(this);
        } else if (!pumping) {
            try {
                stream.readerDelivered(this);
            } catch (Throwable thrown) {
                stream.readerFailed(this, thrown);
            }
        }
    }

    // ---- connection's loop ----

    private void deliver(ByteBuf bytes, boolean last) {
        ByteBuf body = connection.http10() ? unchunked(bytes) : bytes;
        if (connection.write(body)) {
            delivered(last);
        } else {
            connection.whenDrained(() -> delivered(last));
        }
    }

    private void delivered(boolean last) {
        if (last) {
            connection.finish();
        }
        if (sameLoop) {
            onDelivered();
        } else {
            stream.home().eventLoop().execute(this::onDelivered);
        }
    }

    /** The same bytes without their chunk framing; takes {@code chunks} over. */
    static ByteBuf unchunked(ByteBuf chunks) {
        ByteBuf plain = chunks.alloc().directBuffer(chunks.readableBytes());
        while (chunks.isReadable()) {
            int size = 0;
            for (int digit = chunks.readByte(); digit != '\r'; digit = chunks.readByte()) {
                size = (size << 4) | Character.digit(digit, 16);
            }
            chunks.skipBytes(1);
            plain.writeBytes(chunks, size);
            chunks.skipBytes(2);
        }
        chunks.release();
        return plain;
    }
}
