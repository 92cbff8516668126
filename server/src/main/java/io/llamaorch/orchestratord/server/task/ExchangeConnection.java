package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.server.http.ContentType;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.sse.ReaderConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * A stream's reader over an HTTP exchange. <b>Owner thread:</b> the connection's loop, but for {@link #allowance}.
 */
final class ExchangeConnection implements ReaderConnection {
    private final Exchange exchange;
    private final ChannelHandlerContext context;
    private @Nullable Allowance allowance;

    ExchangeConnection(Exchange exchange) {
        this.exchange = exchange;
        this.context = exchange.context();
    }

    /** The stream's loop, before the reader is attached: what the head of the stream says of budgets. */
    void allowance(@Nullable Allowance asLastTold) {
        allowance = asLastTold;
    }

    @Override
    public EventLoop loop() {
        return context.channel().eventLoop();
    }

    @Override
    public boolean http10() {
        return exchange.http10();
    }

    @Override
    public void start() {
        if (!exchange.ended()) {
            AllowanceHeaders.budgets(exchange, allowance);
            exchange.startStream(200, ContentType.EVENT_STREAM);
        }
    }

    @Override
    public boolean write(ByteBuf bytes) {
        if (exchange.ended()) {
            bytes.release();
            return false;
        }
        context.write(bytes, context.voidPromise());
        context.flush();
        ChannelOutboundBuffer outbound = context.channel().unsafe().outboundBuffer();
        return outbound != null && outbound.isEmpty();
    }

    @Override
    public void whenDrained(Runnable callback) {
        // An empty buffer behind what the socket would not take: its promise is kept when that has gone.
        context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(future -> {
            if (future.isSuccess()) {
                callback.run();
            }
        });
    }

    @Override
    public void finish() {
        if (!exchange.ended()) {
            exchange.streamDone(true);
        }
    }

    @Override
    public void cut() {
        if (!exchange.ended()) {
            context.close(); // not a lingering close: what the socket has not taken must never be written
        }
    }
}
