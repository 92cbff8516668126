package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes the pipeline of each accepted connection; the child handler of the server's bootstrap.
 *
 * <p>{@code RequestGate → HttpRequestDecoder → HttpConnection}. Connections are counted over all loops; one too many is
 * told 503 and closed. Keys can be replaced while running; limits and routes are fixed.
 *
 * <p>Shared by all event loops: immutable but for volatile fields and the count.
 */
@ChannelHandler.Sharable
@SuppressWarnings("FutureReturnValueIgnored") // listeners are added to futures that need no answer
public final class HttpFront extends ChannelInitializer<Channel> {
    /** Most refused connections that are kept for a moment so that their clients can read why. */
    public static final int LINGERING_MAX = 256;

    private final HttpLimits limits;
    private final Router router;
    private final HttpEvents events;
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger lingering = new AtomicInteger();
    private final HttpDecoderConfig decoderConfig;

    private volatile ApiKeys keys;
    private volatile boolean draining;

    private final FastThreadLocal<Loop> loops = new FastThreadLocal<>();

    public HttpFront(HttpLimits limits, Router router, ApiKeys keys, HttpEvents events) {
        this.limits = limits;
        this.router = router;
        this.keys = keys;
        this.events = events;
        this.decoderConfig = decoderConfig(limits);
    }

    /** Keys for requests from now on; any thread. */
    public void keys(ApiKeys newKeys) {
        keys = newKeys;
    }

    /** From now on each answer closes its connection; any thread. */
    public void drain() {
        draining = true;
    }

    /** The route table. */
    public Router router() {
        return router;
    }

    /** Open connections; any thread. */
    public int connections() {
        return connections.get();
    }

    @Override
    protected void initChannel(Channel channel) {
        Loop loop = loops.get();
        if (loop == null) {
            loop = new Loop(this, LoopTicks.start(channel.eventLoop(), System::currentTimeMillis));
            loops.set(loop);
        }
        install(channel, loop);
    }

    /** The same with a given loop's state, for tests that drive its ticks. */
    void install(Channel channel, Loop loop) {
        if (connections.incrementAndGet() > limits.connectionsMax()) {
            connections.decrementAndGet();
            events.onConnection(false);
            String correlationId = loop.correlationIds().next();
            events.onAnswered(null, ErrorCode.POOL_UNAVAILABLE.status(), 0);
            events.onRefused(correlationId, ErrorCode.POOL_UNAVAILABLE.status(), channel.remoteAddress());
            ApiError error = ApiError.of(
                    ErrorCode.POOL_UNAVAILABLE,
                    "All " + limits.connectionsMax() + " connections are taken; reuse yours or come back.");
            halfClosable(channel);
            channel.pipeline().addLast(new Discard());
            channel.writeAndFlush(loop.responses()
                            .error(
                                    channel.alloc(),
                                    error.retryAfterMs(1000).by("connections"),
                                    correlationId,
                                    false,
                                    Responses.Connection.CLOSE,
                                    null))
                    .addListener(future -> linger(channel));
            return;
        }
        events.onConnection(true);
        channel.closeFuture().addListener(future -> {
            connections.decrementAndGet();
            events.onDisconnection();
        });
        halfClosable(channel);
        RequestGate gate = new RequestGate(limits, loop.ticks());
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addLast(gate);
        pipeline.addLast(new HttpRequestDecoder(decoderConfig));
        AnswerBytes answerBytes = events.countsBytes() ? new AnswerBytes() : null;
        if (answerBytes != null) {
            pipeline.addLast(answerBytes);
        }
        pipeline.addLast(new HttpConnection(loop, gate, answerBytes));
    }

    /** A client that has closed its side for writing still gets its answers; {@link RequestGate} closes then. */
    private static void halfClosable(Channel channel) {
        channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    }

    /** Closes for writing, then whole: a close over unread bytes would reset the connection and lose the answer. */
    private void linger(Channel channel) {
        if (channel instanceof DuplexChannel duplex && lingering.get() < LINGERING_MAX) {
            lingering.incrementAndGet();
            channel.closeFuture().addListener(closed -> lingering.decrementAndGet());
            duplex.shutdownOutput();
            channel.eventLoop().schedule(() -> channel.close(), limits.lingerMs(), TimeUnit.MILLISECONDS);
        } else {
            channel.close();
        }
    }

    /** Drops what a client sends that has had its answer. */
    private static final class Discard extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event == ChannelInputShutdownEvent.INSTANCE) {
                ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    /** The gate has refused whatever these limits would. */
    private static HttpDecoderConfig decoderConfig(HttpLimits limits) {
        return new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.requestLineBytesMax() + 2)
                .setMaxHeaderSize(Math.max(limits.headerBytesMax(), ChunkFraming.TRAILER_BYTES_MAX) + 2)
                .setMaxChunkSize(1 << 20)
                .setInitialBufferSize(256)
                .setHeadersFactory(DefaultHttpHeadersFactory.headersFactory().withValidation(false))
                .setTrailersFactory(DefaultHttpHeadersFactory.trailersFactory().withValidation(false));
    }

    /** What the connections of one event loop share. Owner: that loop. */
    static final class Loop {
        private final HttpFront front;
        private final LoopTicks ticks;
        private final Responses responses;
        private final CorrelationIds correlationIds = new CorrelationIds();

        Loop(HttpFront front, LoopTicks ticks) {
            this.front = front;
            this.ticks = ticks;
            this.responses = new Responses(ticks);
        }

        LoopTicks ticks() {
            return ticks;
        }

        Responses responses() {
            return responses;
        }

        CorrelationIds correlationIds() {
            return correlationIds;
        }

        HttpLimits limits() {
            return front.limits;
        }

        Router router() {
            return front.router;
        }

        HttpEvents events() {
            return front.events;
        }

        ApiKeys keys() {
            return front.keys;
        }

        boolean draining() {
            return front.draining;
        }
    }
}
