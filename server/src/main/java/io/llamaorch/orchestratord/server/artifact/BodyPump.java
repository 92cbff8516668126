package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.SliceReader;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends a part of an artifact as the body of an answer, slice by slice: a store thread reads one, the loop writes it, and
 * the next is read when the socket has taken it. So a download costs one slice of memory, however slow its client is.
 *
 * <p>A client that takes nothing for the stall time is cut off; so is one whose bytes cannot be read any more, for its
 * {@code Content-Length} is out. Owner: the connection's loop.
 */
final class BodyPump {
    private static final int SLICE_BYTES = 64 << 10;

    private final Exchange exchange;
    private final SliceReader reader;
    private final long to;
    private final int stallMs;
    private long at;
    private @Nullable ScheduledFuture<?> stall;

    BodyPump(Exchange exchange, SliceReader reader, long from, long to, int stallMs) {
        this.exchange = exchange;
        this.reader = reader;
        this.at = from;
        this.to = to;
        this.stallMs = stallMs;
    }

    /** Reads and sends on; the head has been written. */
    void next() {
        if (exchange.ended()) {
            reader.close();
            return;
        }
        if (at == to) {
            reader.close();
            exchange.streamDone(true);
            return;
        }
        int count = (int) Math.min(SLICE_BYTES, to - at);
        ChannelHandlerContext context = exchange.context();
        ByteBuf slice = context.alloc().directBuffer(count, count);
        reader.read(at, slice.nioBuffer(0, count), failure -> {
            try {
                context.channel().eventLoop().execute(() -> loaded(slice, count, failure));
            } catch (RejectedExecutionException e) {
                slice.release(); // the daemon stops
                reader.close();
            }
        });
    }

    private void loaded(ByteBuf slice, int count, @Nullable IOException failure) {
        if (failure != null || exchange.ended()) {
            slice.release();
            reader.close();
            if (!exchange.ended()) {
                exchange.streamDone(false);
            }
            return;
        }
        at += count;
        ChannelHandlerContext context = exchange.context();
        stall = context.channel().eventLoop().schedule(() -> context.close(), stallMs, TimeUnit.MILLISECONDS);
        context.writeAndFlush(slice.writerIndex(count)).addListener(written -> {
            ScheduledFuture<?> watch = stall;
            if (watch != null) {
                watch.cancel(false);
            }
            if (written.isSuccess()) {
                next();
            } else {
                reader.close();
                context.close();
            }
        });
    }
}
