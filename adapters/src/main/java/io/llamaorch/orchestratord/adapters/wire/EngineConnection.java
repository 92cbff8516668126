package io.llamaorch.orchestratord.adapters.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;

/**
 * One connection to an engine: hands what is read to the exchange that has it, and closes where none has. Owned by its
 * loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close shows as the channel's end
final class EngineConnection extends ChannelInboundHandlerAdapter {
    private @Nullable HttpExchange exchange;
    private @Nullable Channel channel;
    private @Nullable Runnable onIdleEnd;
    private int exchanges;
    private boolean closed;

    EngineConnection(HttpExchange first) {
        exchange = first;
        exchanges = 1;
    }

    /** Whether an earlier exchange used it: its end may be stale news. */
    boolean isReused() {
        return exchanges > 1;
    }

    boolean isOpen() {
        Channel ch = channel;
        return !closed && ch != null && ch.isActive();
    }

    /** Gives the connection to {@code next}. */
    void attach(HttpExchange next) {
        exchange = next;
        onIdleEnd = null;
        exchanges++;
    }

    /** Takes the connection from its exchange; {@code whenEnded} runs where it ends before the next one comes. */
    void detach(Runnable whenEnded) {
        exchange = null;
        onIdleEnd = whenEnded;
    }

    void write(ByteBuf bytes) {
        Channel ch = channel;
        if (ch == null) {
            bytes.release();
            return;
        }
        ch.writeAndFlush(bytes);
    }

    void setReading(boolean reading) {
        Channel ch = channel;
        if (ch != null) {
            ch.config().setAutoRead(reading);
        }
    }

    /** Closes at once: what the engine still writes meets a reset, which is how it learns that nobody reads. */
    void close() {
        exchange = null;
        closed = true;
        Channel ch = channel;
        if (ch != null) {
            ch.close();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        if (closed) {
            ctx.close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf buf = (ByteBuf) msg;
        HttpExchange current = exchange;
        if (current != null) {
            current.onRead(buf);
            return;
        }
        buf.release();
        end();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        HttpExchange current = exchange;
        if (current != null) {
            current.onReadComplete();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        HttpExchange current = exchange;
        if (current != null) {
            current.onClosed("the engine closed the connection");
        } else {
            end();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        HttpExchange current = exchange;
        if (current != null) {
            current.onClosed(
                    "the connection to the engine broke: " + cause.getClass().getSimpleName());
        }
        end();
    }

    private void end() {
        Runnable ended = onIdleEnd;
        onIdleEnd = null;
        if (ended != null) {
            ended.run();
        }
        close();
    }
}
