package io.llamaorch.orchestratord.server.sse;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * What the streams of one event loop share: memory, the frame writer, slabs, the clock that drives heartbeats and
 * metrics, and the transcripts of tasks that are over.
 *
 * <p>One timer serves all streams: every {@value #TICK_MS} ms it visits a share of them, so that each is visited about
 * once a second however many there are. <b>Owner thread:</b> the loop, but for {@link #eventLoop} and the gauges.
 */
public final class StreamLoop {
    private static final int TICK_MS = 50;
    private static final int TICKS_PER_ROUND = 20;
    /** Room for the end of the body behind a full chunk. */
    private static final int SEND_MARGIN = 64;

    private final EventLoop eventLoop;
    private final StreamSettings settings;
    private final StreamEvents events;
    private final BlockArena arena;
    private final FrameWriter frames = new FrameWriter();
    private final SlabPool slabs;
    private final SendBuffer sendBuffer = new SendBuffer(StreamReader.CHUNK_BYTES_MAX + SEND_MARGIN);
    private final Retention retention;
    private final RetainedStreams retained;

    private final List<TaskStream> watched = new ArrayList<>();
    private int nextVisit;
    private volatile int readers; // written by the loop alone
    private volatile long publishedBytes;

    /**
     * The context of one loop.
     *
     * @param eventLoop the loop
     * @param settings limits and periods
     * @param events told of what happens
     * @param sharedSlabs see {@link SlabPool}
     * @param retention what all loops together may keep
     */
    public StreamLoop(
            EventLoop eventLoop,
            StreamSettings settings,
            StreamEvents events,
            Queue<TokenSlab> sharedSlabs,
            Retention retention) {
        this.eventLoop = eventLoop;
        this.settings = settings;
        this.events = events;
        this.arena = new BlockArena(retention.pool());
        this.slabs = new SlabPool(sharedSlabs);
        this.retained = new RetainedStreams(this, retention);
        retention.join(retained);
        this.retention = retention;
    }

    /** Starts the clock. */
    public void start() {
        eventLoop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** The loop. */
    public EventLoop eventLoop() {
        return eventLoop;
    }

    /**
     * Where a write's bytes are put together.
     *
     * @param reusable whether the write is made on this loop, so that the buffer is back when it returns
     */
    SendBuffer sendBuffer(boolean reusable) {
        return reusable ? sendBuffer : new SendBuffer(StreamReader.CHUNK_BYTES_MAX + SEND_MARGIN);
    }

    StreamSettings settings() {
        return settings;
    }

    StreamEvents events() {
        return events;
    }

    BlockArena arena() {
        return arena;
    }

    FrameWriter frames() {
        return frames;
    }

    SlabPool slabs() {
        return slabs;
    }

    /** Bytes of transcripts in memory, as of the last tick; any thread. */
    public long transcriptBytes() {
        return publishedBytes;
    }

    /** Readers attached, as of now; any thread. */
    public int openReaders() {
        return readers;
    }

    /** Tasks that are over and kept, as of now; any thread. */
    public int retainedTasks() {
        return retained.size();
    }

    /** The transcripts of tasks that are over. */
    RetainedStreams retained() {
        return retained;
    }

    /** A running task's transcript has grown: where that is too much for all loops, the oldest that is over goes. */
    void relieve() {
        if (arena.overBudget()) {
            retention.limitBytes(retained);
        }
    }

    void watch(TaskStream stream) {
        if (stream.watchIndex < 0) {
            stream.watchIndex = watched.size();
            watched.add(stream);
        }
    }

    void unwatch(TaskStream stream) {
        int index = stream.watchIndex;
        if (index < 0) {
            return;
        }
        TaskStream last = watched.remove(watched.size() - 1);
        if (last != stream) {
            watched.set(index, last);
            last.watchIndex = index;
        }
        stream.watchIndex = -1;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void countReader(int change) {
        readers += change;
    }

    private void tick() {
        long nowNs = System.nanoTime();
        publishedBytes = arena.usedBytes();
        int visits = (watched.size() + TICKS_PER_ROUND - 1) / TICKS_PER_ROUND;
        for (int i = 0; i < visits && !watched.isEmpty(); i++) {
            if (nextVisit >= watched.size()) {
                nextVisit = 0;
            }
            watched.get(nextVisit++).onTick(nowNs);
        }
        retained.expire(nowNs);
    }
}
