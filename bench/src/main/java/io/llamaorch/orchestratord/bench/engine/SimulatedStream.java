package io.llamaorch.orchestratord.bench.engine;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/** One generation under way. <b>Owner thread:</b> the loop. */
final class SimulatedStream {
    private final SimulatorConnection connection;
    private final Channel channel;
    private final FrameTable frames;
    private final int total;
    private int written;
    private boolean gone;

    /** The next in the same place of the pacer's wheel. */
    @Nullable
    SimulatedStream next;

    /** When the next token is due, in ticks of the pacer. */
    long dueTick;

    SimulatedStream(SimulatorConnection connection, Channel channel, FrameTable frames, int total) {
        this.connection = connection;
        this.channel = channel;
        this.frames = frames;
        this.total = total;
    }

    /** The client has left: nothing more is written. */
    void abort() {
        gone = true;
    }

    boolean gone() {
        return gone;
    }

    /** Whether the client takes more now. */
    boolean writable() {
        return channel.isWritable();
    }

    /**
     * Writes tokens in one write, and after the last one the end of the stream.
     *
     * @return tokens written
     */
    int write(int tokens) {
        int to = Math.min(total, written + tokens);
        int count = to - written;
        ByteBuf bytes;
        if (frames.stamped()) {
            bytes = channel.alloc().directBuffer((to - written) * 192 + 1024);
            long nowNs = System.nanoTime();
            for (int n = written; n < to; n++) {
                ByteBuf frame = frames.slice(n, n + 1);
                int at = bytes.writerIndex();
                bytes.writeBytes(frame);
                frames.stamp(bytes.slice(at, bytes.writerIndex() - at), n, nowNs);
            }
        } else {
            bytes = frames.slice(written, to);
        }
        written = to;
        if (written < total) {
            channel.writeAndFlush(bytes, channel.voidPromise());
        } else {
            channel.write(bytes, channel.voidPromise());
            channel.writeAndFlush(
                    ByteBufUtil.writeAscii(channel.alloc(), FrameTable.last(total)), channel.voidPromise());
            gone = true;
            connection.onStreamComplete();
        }
        return count;
    }
}
