package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

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
    /** What a stream has to have for a write of its own; where that is not enough, whatever frees a block. */
    private static final int SPILL_BYTES = 16 << 10;

    private static final int SPILL_BYTES_LEAST = BlockPool.BLOCK_BYTES;
    /** Time for which nobody is asked again where there was not enough to spill, ns. */
    private static final long FRUITLESS_NS = 10_000_000;

    private final EventLoop eventLoop;
    private final StreamSettings settings;
    private final StreamEvents events;
    private final BlockArena arena;
    private final FrameWriter frames = new FrameWriter();
    private final SlabPool slabs;
    private final SendBuffer sendBuffer = new SendBuffer(StreamReader.CHUNK_BYTES_MAX + SEND_MARGIN);
    private final Retention retention;
    private final RetainedStreams retained;

    private final @Nullable TranscriptLog transcripts;
    private final @Nullable TranscriptMaker transcriptMaker;

    private final List<TaskStream> watched = new ArrayList<>();
    private final List<TaskStream> waiting = new ArrayList<>();
    private int nextSpill;
    private long fruitlessAtNs;
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
        this(eventLoop, settings, events, sharedSlabs, retention, null, null);
    }

    /**
     * The same with a disk for transcripts.
     *
     * @param transcripts where they go; null: nowhere
     * @param transcriptMaker says what is known of their tasks
     */
    public StreamLoop(
            EventLoop eventLoop,
            StreamSettings settings,
            StreamEvents events,
            Queue<TokenSlab> sharedSlabs,
            Retention retention,
            @Nullable TranscriptLog transcripts,
            @Nullable TranscriptMaker transcriptMaker) {
        this.transcripts = transcripts;
        this.transcriptMaker = transcriptMaker;
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

    /** Where transcripts go; null: nowhere. */
    @Nullable
    TranscriptLog transcripts() {
        return transcripts;
    }

    /** Says what is known of tasks for their transcripts; null where those go nowhere. */
    @Nullable
    TranscriptMaker transcriptMaker() {
        return transcriptMaker;
    }

    /**
     * A running task's transcript has grown: where that is too much for all loops, the oldest that is over goes, and where
     * none is left, what running ones have goes to disk.
     */
    void relieve() {
        if (arena.overBudget() && !retention.limitBytes(retained)) {
            spill();
        }
    }

    private void spill() {
        if (transcripts == null || retention.excessBytes() <= 0) {
            return;
        }
        long nowNs = System.nanoTime();
        if (fruitlessAtNs != 0 && nowNs - fruitlessAtNs < FRUITLESS_NS) {
            return;
        }
        fruitlessAtNs = 0;
        long excess = retention.excessBytes();
        if (spillOwn(excess) < excess) {
            fruitlessAtNs = nowNs;
            retention.askSpill(retained);
        }
    }

    /** Hands over what running streams of this loop have in memory, until so much will come free; how much will. */
    long spillOwn(long bytes) {
        long found = 0;
        for (int least = SPILL_BYTES;
                least > 0 && found < bytes;
                least = least == SPILL_BYTES ? SPILL_BYTES_LEAST : 0) {
            for (int i = watched.size(); i > 0 && found < bytes; i--) {
                nextSpill = nextSpill >= watched.size() ? 0 : nextSpill;
                int coming = watched.get(nextSpill++).spill(least);
                found += coming;
                retention.countSpilling(coming);
            }
        }
        return found;
    }

    /** What a spill has handed over is on disk and its memory free, or it is not and stays. */
    void spilled(int bytes) {
        retention.countSpilling(-bytes);
        fruitlessAtNs = 0;
    }

    /**
     * A stream finds no memory: whether some will come free, so that it should wait; then it is driven on by the clock.
     */
    boolean awaitRoom(TaskStream stream) {
        TranscriptLog disk = transcripts;
        if (disk == null || disk.isFailing()) {
            return false;
        }
        long excess = Math.max(SPILL_BYTES, retention.excessBytes());
        boolean more = spillOwn(excess) > 0;
        more |= retention.askSpill(retained);
        if (!more && retention.spillingBytes() <= 0 && disk.queuedBytes() == 0) {
            return false;
        }
        if (!waiting.contains(stream)) {
            waiting.add(stream); // those that found none since the last tick: few
        }
        return true;
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
        for (TaskStream stream : drainWaiting()) {
            stream.run();
        }
        retained.expire(nowNs);
    }

    private List<TaskStream> drainWaiting() {
        if (waiting.isEmpty()) {
            return List.of();
        }
        List<TaskStream> now = List.copyOf(waiting);
        waiting.clear();
        return now;
    }
}
