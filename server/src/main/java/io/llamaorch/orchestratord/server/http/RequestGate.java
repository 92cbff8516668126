package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/**
 * Strict framing in front of Netty's decoder: lets one well-formed request through at a time, and nothing else.
 *
 * <p>The gate alone decides where a request ends. What is pipelined behind it stays here, unread, until
 * {@link #responseDone()}: answers are in order by construction, and nothing behind a malformed request is ever
 * interpreted. Bytes go on as they came, without a copy where a read holds exactly one request.
 *
 * <pre>
 *   HEAD ──▶ BODY ──▶ ANSWER ──▶ HEAD …        a request without a body skips BODY
 *     └────────┴──▶ REFUSED ──▶ CLOSED         one Refusal, one answer, lingering close
 * </pre>
 *
 * <p>A client may close its side for writing and still wait for its answers (RFC 9112 §9.6): what came whole is
 * answered, then the connection is closed. {@link InputEnded} tells the handlers behind.
 *
 * <p>Limits, timeouts and their answers: {@link HttpLimits}. Owner: the channel's event loop. RFC 9112 §2–§7, §9, §11.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close that fails is a channel that is closed
final class RequestGate extends ChannelDuplexHandler {
    private enum Phase {
        HEAD,
        BODY,
        ANSWER,
        REFUSED,
        CLOSED
    }

    private final HttpLimits limits;
    private final LoopTicks ticks;
    private final RequestHead head;
    private final ChunkFraming chunks = new ChunkFraming();

    private @Nullable ChannelHandlerContext context;
    private @Nullable ByteBuf held;
    private Phase phase = Phase.HEAD;
    private boolean processing;
    private boolean answered;
    private long bodyBytesLeft;
    private boolean headStarted;
    private boolean readStopped;
    private boolean inputEnded;
    private long lingerBytes;
    private long deadlineTick = LoopTicks.NEVER;

    /** Place in {@link LoopTicks}, kept by it. */
    int ticksIndex = -1;

    RequestGate(HttpLimits limits, LoopTicks ticks) {
        this.limits = limits;
        this.ticks = ticks;
        this.head = new RequestHead(limits);
    }

    /** Framing of the request that was let through last; valid until {@link #responseDone()}. */
    RequestHead head() {
        return head;
    }

    /** Whether the last byte of the current request was let through. */
    boolean requestEnded() {
        return phase == Phase.ANSWER;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        deadlineTick = ticks.deadline(limits.idleMs());
        ticks.add(this);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        ticks.remove(this);
        dropHeld();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        phase = Phase.CLOSED;
        ticks.remove(this);
        dropHeld();
        ctx.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (phase == Phase.REFUSED || phase == Phase.CLOSED) {
            lingerBytes += in.readableBytes();
            in.release();
            if (lingerBytes > limits.lingerBytesMax()) {
                ctx.close();
            }
            return;
        }
        ByteBuf before = held;
        held = before == null ? in : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), before, in);
        process(ctx);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            inputEnded = true;
            ctx.fireUserEventTriggered(InputEnded.NOW);
            closeIfAnswered();
        } else if (event != ChannelInputShutdownReadComplete.INSTANCE) {
            ctx.fireUserEventTriggered(event);
        }
    }

    /** Where the gate holds enough it reads no more, whoever asks: the decoder would, after an empty turn. */
    @Override
    public void read(ChannelHandlerContext ctx) {
        if (!readStopped) {
            ctx.read();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        ctx.fireChannelWritabilityChanged();
        if (ctx.channel().isWritable() && held != null) {
            resume(ctx);
        }
    }

    /** Whether no request can follow the current one: the client has closed its side, and nothing more is held. */
    boolean onLastRequest() {
        return inputEnded && held == null;
    }

    /** The answer to the current request is written, and the connection goes on. */
    void responseDone() {
        ChannelHandlerContext ctx = context();
        answered = true;
        if (phase == Phase.ANSWER) {
            next();
            resume(ctx);
        }
    }

    /**
     * The last answer of the connection is written: flushes, then closes.
     *
     * @param linger whether the client may still be sending: then it gets our FIN first, and what it sends is read and
     *     dropped for a while, so that no reset destroys the answer on its way (RFC 9112 §9.6)
     */
    void closeAfterAnswer(boolean linger) {
        ChannelHandlerContext ctx = context();
        boolean unread = !inputEnded && (linger || phase == Phase.BODY || held != null);
        phase = Phase.CLOSED;
        dropHeld();
        deadlineTick = ticks.deadline(limits.lingerMs());
        if (unread && ctx.channel() instanceof DuplexChannel duplex) {
            startReading(ctx);
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(future -> duplex.shutdownOutput());
        } else {
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** The loop's tick; closes or refuses what is late. */
    void onTick(long tick) {
        if (tick < deadlineTick) {
            return;
        }
        deadlineTick = LoopTicks.NEVER;
        ChannelHandlerContext ctx = context();
        if (phase == Phase.HEAD && headStarted) {
            refuse(
                    ctx,
                    ErrorCode.REQUEST_TIMEOUT,
                    "The request head was not complete within " + limits.headMs() + " ms.");
        } else if (phase == Phase.BODY && !answered) {
            refuse(
                    ctx,
                    ErrorCode.REQUEST_TIMEOUT,
                    "The request body was not complete within " + limits.bodyMs() + " ms.");
        } else {
            ctx.close();
        }
    }

    private ChannelHandlerContext context() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("the gate is in no pipeline");
        }
        return ctx;
    }

    private void resume(ChannelHandlerContext ctx) {
        if (processing || phase != Phase.HEAD) {
            return;
        }
        if (held != null) {
            process(ctx);
            ctx.fireChannelReadComplete();
        }
        ByteBuf rest = held;
        if (readStopped && (rest == null || rest.readableBytes() < limits.heldBytesMax())) {
            startReading(ctx);
        }
        closeIfAnswered();
    }

    /** After the end of the client's side: closes, once nothing that came whole waits for its answer. */
    private void closeIfAnswered() {
        if (!inputEnded || processing || phase == Phase.ANSWER) {
            return;
        }
        boolean waitsForTheSocket =
                phase == Phase.HEAD && held != null && !context().channel().isWritable();
        if (!waitsForTheSocket) {
            closeAfterAnswer(false);
        }
    }

    private void process(ChannelHandlerContext ctx) {
        if (processing) {
            return;
        }
        processing = true;
        try {
            ByteBuf in = held;
            while (in != null && in.isReadable() && step(ctx, in)) {
                in = held;
            }
        } finally {
            processing = false;
        }
        ByteBuf rest = held;
        if (rest != null && !rest.isReadable()) {
            dropHeld();
        } else if (rest != null && rest.readableBytes() >= limits.heldBytesMax() && waits(ctx)) {
            readStopped = true;
            ctx.channel().config().setAutoRead(false);
        }
    }

    private boolean waits(ChannelHandlerContext ctx) {
        return phase == Phase.ANSWER || (phase == Phase.HEAD && !ctx.channel().isWritable());
    }

    private void startReading(ChannelHandlerContext ctx) {
        if (readStopped) {
            readStopped = false;
            ctx.channel().config().setAutoRead(true);
        }
    }

    /** Reads on in the held bytes; false where it has to wait. */
    private boolean step(ChannelHandlerContext ctx, ByteBuf in) {
        return switch (phase) {
            case HEAD -> ctx.channel().isWritable() && readHead(ctx, in);
            case BODY -> readBody(ctx, in, 0);
            default -> false;
        };
    }

    private boolean readHead(ChannelHandlerContext ctx, ByteBuf in) {
        switch (head.read(in)) {
            case MORE -> {
                if (!headStarted) {
                    headStarted = true;
                    deadlineTick = ticks.deadline(limits.headMs());
                }
                return false;
            }
            case REFUSED -> {
                refuse(ctx, head.fault().code(), head.fault().message());
                return false;
            }
            default -> {}
        }
        headStarted = false;
        answered = false;
        in.skipBytes(head.start());
        int headBytes = head.end() - head.start();
        phase = Phase.BODY;
        if (head.fields().chunked()) {
            chunks.reset();
        } else {
            bodyBytesLeft = Math.max(0, head.fields().contentLength());
        }
        deadlineTick = ticks.deadline(limits.bodyMs());
        return readBody(ctx, in, headBytes);
    }

    /** Lets through {@code headBytes} and as much of the body behind them as is there. */
    private boolean readBody(ChannelHandlerContext ctx, ByteBuf in, int headBytes) {
        int from = in.readerIndex() + headBytes;
        int bytes;
        boolean ended;
        if (head.fields().chunked()) {
            int to = chunks.follow(in, from, in.writerIndex());
            if (chunks.refused()) {
                ctx.fireChannelRead(in.readRetainedSlice(to - in.readerIndex()));
                if (phase == Phase.BODY) {
                    refuse(ctx, ErrorCode.BAD_REQUEST, "Malformed HTTP request: " + chunks.error() + ".");
                }
                return false;
            }
            bytes = to - in.readerIndex();
            ended = chunks.done();
        } else {
            int body = (int) Math.min(bodyBytesLeft, in.writerIndex() - from);
            bodyBytesLeft -= body;
            bytes = headBytes + body;
            ended = bodyBytesLeft == 0;
        }
        if (ended) {
            phase = Phase.ANSWER;
            deadlineTick = LoopTicks.NEVER;
        }
        pass(ctx, in, bytes);
        if (phase == Phase.ANSWER && answered) {
            next();
        }
        return phase == Phase.HEAD;
    }

    private void pass(ChannelHandlerContext ctx, ByteBuf in, int bytes) {
        if (bytes == in.readableBytes()) {
            held = null;
            ctx.fireChannelRead(in);
        } else {
            ctx.fireChannelRead(in.readRetainedSlice(bytes));
        }
    }

    private void next() {
        phase = Phase.HEAD;
        head.reset();
        deadlineTick = ticks.deadline(limits.idleMs());
    }

    private void refuse(ChannelHandlerContext ctx, ErrorCode code, String message) {
        phase = Phase.REFUSED;
        dropHeld();
        deadlineTick = ticks.deadline(limits.lingerMs());
        ctx.fireUserEventTriggered(new Refusal(code, message, head.fields().correlationId()));
    }

    private void dropHeld() {
        ByteBuf rest = held;
        if (rest != null) {
            held = null;
            rest.release();
        }
    }
}
