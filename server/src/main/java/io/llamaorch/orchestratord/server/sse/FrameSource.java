package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.transcript.EventSource;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A part of a {@link FrameLog} on its way to the disk: the frames without their chunk framing, read where they lie.
 *
 * <p>Made on the stream's loop, read on the transcripts' writer, and when that has answered looked at on the loop again.
 */
final class FrameSource implements EventSource {
    private final BlockPool pool;
    private final int[] blocks;
    private final int firstBlock;
    private final int from;
    private final int to;

    private int at;
    private int left;
    private int event;
    private int[] starts = new int[4];
    private int parts;

    FrameSource(BlockPool pool, int[] blocks, int firstBlock, int from, int to, int firstEvent) {
        this.pool = pool;
        this.blocks = blocks;
        this.firstBlock = firstBlock;
        this.from = from;
        this.to = to;
        this.at = from;
        this.event = firstEvent;
    }

    /** Bytes of frames. */
    int length() {
        return to - from;
    }

    /** Behind its last frame. */
    int to() {
        return to;
    }

    /** Where in the log each part began: at a frame, or inside of one that is longer than a part. */
    int start(int part) {
        return starts[part];
    }

    @Override
    public int next(ByteBuffer into) {
        if (at >= to) {
            return END;
        }
        if (parts == starts.length) {
            starts = Arrays.copyOf(starts, parts * 2);
        }
        starts[parts++] = at;
        if (left > 0) {
            copy(into); // no other frame in this part: it says where it begins by the event that it begins with
            return 0;
        }
        int first = event;
        while (at < to) {
            int header = at;
            int size = 0;
            for (int digit = byteAt(header); digit != '\r'; digit = byteAt(++header)) {
                size = size << 4 | Character.digit(digit, 16);
            }
            if (into.position() > 0 && size > into.remaining()) {
                break;
            }
            at = header + 2;
            left = size;
            event++;
            copy(into);
            if (left > 0) {
                break;
            }
        }
        return first;
    }

    /** As much of the frame as there is room for. */
    private void copy(ByteBuffer into) {
        int count = Math.min(left, into.remaining());
        int end = at + count;
        while (at < end) {
            int block = blocks[at / BlockPool.BLOCK_BYTES - firstBlock];
            int inBlock = at % BlockPool.BLOCK_BYTES;
            int n = Math.min(end - at, BlockPool.BLOCK_BYTES - inBlock);
            into.put(into.position(), pool.slabOf(block), BlockPool.offsetOf(block) + inBlock, n);
            into.position(into.position() + n);
            at += n;
        }
        left -= count;
        if (left == 0) {
            at += 2; // CRLF
        }
    }

    private byte byteAt(int offset) {
        int block = blocks[offset / BlockPool.BLOCK_BYTES - firstBlock];
        return pool.slabOf(block).get(BlockPool.offsetOf(block) + offset % BlockPool.BLOCK_BYTES);
    }
}
