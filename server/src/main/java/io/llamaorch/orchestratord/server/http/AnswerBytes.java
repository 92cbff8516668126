package io.llamaorch.orchestratord.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;

/** Counts the bytes that are written to one connection, between two looks. Owner: the channel's event loop. */
final class AnswerBytes extends ChannelOutboundHandlerAdapter {
    private long bytes;

    /** Bytes written since the last look. */
    long take() {
        long taken = bytes;
        bytes = 0;
        return taken;
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf buffer) {
            bytes += buffer.readableBytes();
        }
        ctx.write(message, promise);
    }
}
