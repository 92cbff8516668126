package io.llamaorch.orchestratord.server.sse;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * One task's frames in order, each as the bytes of one HTTP chunk ({@code hex-size CRLF event CRLF}), addressed by byte
 * offset from 0. The oldest may have left memory, once they are on disk ({@link TaskTranscript}).
 *
 * <p>Event ids are dense from 1, so the n-th frame is event n; every 32nd frame's offset is kept, and the frames
 * between are walked by their chunk sizes. <b>Owner thread:</b> the stream's loop.
 */
final class FrameLog {
    private static final int MARK_EVERY = 32;
    private static final int[] EMPTY = {};
    /** Left of the offsets that an int has, for the last frame. */
    private static final int TAIL_MARGIN = 64 << 20;

    private final BlockArena arena;
    private int[] blocks = EMPTY;
    private int blockCount;
    private int[] marks = EMPTY;
    private int tail;
    private int events;
    private int memoryFrom;
    private int eventsDropped;
    private int blocksDropped;

    FrameLog(BlockArena arena) {
        this.arena = arena;
    }

    /** Bytes in the log; the offset of the next frame. */
    int tail() {
        return tail;
    }

    /** The first offset that is in memory; what is before it is on disk. */
    int memoryFrom() {
        return memoryFrom;
    }

    /** Frames that are no longer in memory. */
    int eventsDropped() {
        return eventsDropped;
    }

    /** Blocks that the log has taken, of which the oldest may have been given back. */
    int blocks() {
        return blockCount;
    }

    /** Bytes of blocks that {@link #dropTo} would give back at an offset. */
    int droppableBytes(int to) {
        return (to / BlockPool.BLOCK_BYTES - blocksDropped) * BlockPool.BLOCK_BYTES;
    }

    /** Whether a frame of that length would leave the offsets that there are. */
    boolean isFull(int length) {
        return tail > Integer.MAX_VALUE - TAIL_MARGIN - length;
    }

    /** Takes the memory that the next bytes need, so that appending them cannot fail; false where there is none. */
    boolean reserve(int length) {
        return ensureBlocks(tail + length, false);
    }

    /** Frames in the log; the id of the newest event, 0 for none. */
    int events() {
        return events;
    }

    /**
     * Adds one frame, {@code frame[0, length)}.
     *
     * @return false where the arena's budget is used up; nothing was added
     */
    boolean append(byte[] frame, int length) {
        return append(frame, length, false);
    }

    /** Adds a task's terminal frame, beyond every budget if need be. */
    void appendTerminal(byte[] frame, int length) {
        append(frame, length, true);
    }

    private boolean append(byte[] frame, int length, boolean beyondBudget) {
        if (!ensureBlocks(tail + length, beyondBudget)) {
            return false;
        }
        if (events % MARK_EVERY == 0 && events > 0) {
            int mark = events / MARK_EVERY - 1;
            if (mark == marks.length) {
                marks = Arrays.copyOf(marks, Math.max(4, marks.length * 2));
            }
            marks[mark] = tail;
        }
        int done = 0;
        while (done < length) {
            int block = blocks[tail / BlockPool.BLOCK_BYTES];
            int inBlock = tail % BlockPool.BLOCK_BYTES;
            int n = Math.min(length - done, BlockPool.BLOCK_BYTES - inBlock);
            arena.slabOf(block).put(BlockPool.offsetOf(block) + inBlock, frame, done, n);
            done += n;
            tail += n;
        }
        events++;
        return true;
    }

    /** Copies {@code [offset, offset + length)} to {@code target} from its index {@code targetAt} on. */
    void copyTo(ByteBuffer target, int targetAt, int offset, int length) {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            int block = blocks[at / BlockPool.BLOCK_BYTES];
            int inBlock = at % BlockPool.BLOCK_BYTES;
            int n = Math.min(end - at, BlockPool.BLOCK_BYTES - inBlock);
            target.put(targetAt + at - offset, arena.slabOf(block), BlockPool.offsetOf(block) + inBlock, n);
            at += n;
        }
    }

    /** The last frame boundary within {@code maxBytes} of {@code from}, but one frame at least. */
    int boundaryWithin(int from, int maxBytes) {
        if (tail - from <= maxBytes) {
            return tail;
        }
        int end = from;
        while (end < tail) {
            int next = end + frameLength(end);
            if (next - from > maxBytes && end > from) {
                break;
            }
            end = next;
        }
        return end;
    }

    /**
     * Where the frame of an event starts; {@link #tail} for the one that comes next.
     *
     * @param eventId {@link #eventsDropped} + 1 … {@link #events} + 1
     */
    int offsetOf(int eventId) {
        if (eventId > events) {
            return tail;
        }
        int index = eventId - 1;
        int mark = index / MARK_EVERY;
        int at = mark * MARK_EVERY;
        int offset = mark == 0 ? 0 : marks[mark - 1];
        if (offset < memoryFrom) {
            at = eventsDropped;
            offset = memoryFrom;
        }
        for (; at < index; at++) {
            offset += frameLength(offset);
        }
        return offset;
    }

    /**
     * The frames from one boundary to another, for who reads them on another thread: until it has, they must neither be
     * dropped nor released.
     */
    FrameSource source(int from, int to, int firstEvent) {
        int first = from / BlockPool.BLOCK_BYTES;
        int last = (to + BlockPool.BLOCK_BYTES - 1) / BlockPool.BLOCK_BYTES;
        return new FrameSource(arena.pool(), Arrays.copyOfRange(blocks, first, last), first, from, to, firstEvent);
    }

    /**
     * Gives the memory before a frame boundary back: it is on disk.
     *
     * @param eventsBefore frames before it
     */
    void dropTo(int offset, int eventsBefore) {
        memoryFrom = offset;
        eventsDropped = eventsBefore;
        for (int end = offset / BlockPool.BLOCK_BYTES; blocksDropped < end; blocksDropped++) {
            arena.give(blocks[blocksDropped]);
        }
    }

    /**
     * Drops the frames from {@code offset} on; {@code offset} is a frame boundary.
     *
     * @return how many of the dropped frames were tokens
     */
    int truncate(int offset) {
        int tokens = 0;
        int at = offset;
        while (at < tail) {
            if (isToken(at)) {
                tokens++;
            }
            at += frameLength(at);
            events--;
        }
        tail = offset;
        giveBlocksFrom((tail + BlockPool.BLOCK_BYTES - 1) / BlockPool.BLOCK_BYTES);
        return tokens;
    }

    /** Gives all memory back; what was in it is on disk, or gone. */
    void release() {
        giveBlocksFrom(blocksDropped);
        blocks = EMPTY;
        marks = EMPTY;
        memoryFrom = tail;
        eventsDropped = events;
    }

    private boolean ensureBlocks(int bytes, boolean beyondBudget) {
        int needed = (bytes + BlockPool.BLOCK_BYTES - 1) / BlockPool.BLOCK_BYTES;
        if (needed > blocks.length) {
            blocks = Arrays.copyOf(blocks, Math.max(needed, blocks.length == 0 ? 1 : blocks.length * 2));
        }
        int had = blockCount;
        while (blockCount < needed) {
            int block = beyondBudget ? arena.takeBeyondBudget() : arena.take();
            if (block == BlockPool.NONE) {
                giveBlocksFrom(had);
                return false;
            }
            blocks[blockCount++] = block;
        }
        return true;
    }

    private void giveBlocksFrom(int first) {
        while (blockCount > Math.max(first, blocksDropped)) {
            arena.give(blocks[--blockCount]);
        }
    }

    /** Length of the whole chunk that starts at {@code offset}: size line, event, CRLF. */
    private int frameLength(int offset) {
        int size = 0;
        int at = offset;
        for (int digit = byteAt(at); digit != '\r'; digit = byteAt(++at)) {
            size = (size << 4) | Character.digit(digit, 16);
        }
        return (at - offset) + 2 + size + 2;
    }

    /** Whether the frame at {@code offset} is a token: its lines are {@code size}, {@code id: n}, {@code event: t…}. */
    private boolean isToken(int offset) {
        int at = offset;
        for (int lines = 0; lines < 2; at++) {
            if (byteAt(at) == '\n') {
                lines++;
            }
        }
        return byteAt(at + "event: ".length()) == 't';
    }

    private byte byteAt(int offset) {
        int block = blocks[offset / BlockPool.BLOCK_BYTES];
        return arena.slabOf(block).get(BlockPool.offsetOf(block) + offset % BlockPool.BLOCK_BYTES);
    }
}
