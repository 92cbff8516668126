package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One client connection: has each request checked ({@link RequestChecks}), collects its body, and writes its answer.
 *
 * <p>What is refused is refused before the body is read. A refused body up to {@link HttpLimits#discardBytesMax()} of known length is read and dropped;
 * behind any other the connection closes, lingering. Written answers leave when the loop's turn ends.
 *
 * <p>Owner: the channel's event loop. RFC 9110 §9–§11, RFC 9112 §9.
 */
@SuppressWarnings("FutureReturnValueIgnored") // writes carry the void promise: a failure reaches exceptionCaught
final class HttpConnection extends ChannelInboundHandlerAdapter {
    private static final int FIRST_BODY_BYTES = 16 << 10;

    private final HttpFront.Loop loop;
    private final RequestGate gate;
    private final RequestChecks checks;

    private @Nullable ChannelHandlerContext context;
    private @Nullable Exchange exchange;
    private @Nullable ByteBuf body;
    private boolean reading;
    private boolean inputEnded;
    private final @Nullable AnswerBytes answerBytes;
    private int requests;

    /**
     * A connection.
     *
     * @param answerBytes counts what is written to it; null where nobody wants to know
     */
    HttpConnection(HttpFront.Loop loop, RequestGate gate, @Nullable AnswerBytes answerBytes) {
        this.loop = loop;
        this.gate = gate;
        this.answerBytes = answerBytes;
        this.checks = new RequestChecks(loop);
    }

    ChannelHandlerContext context() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("the connection is in no pipeline");
        }
        return ctx;
    }

    Responses responses() {
        return loop.responses();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        checks.peer(ctx.channel().remoteAddress());
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        clientLeft();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        clientLeft();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        reading = true;
        if (message instanceof HttpRequest request) {
            onHead(request);
        }
        if (message instanceof HttpContent content) {
            onContent(ctx, content);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reading = false;
        ctx.flush();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof Refusal refusal) {
            refused(ctx, refusal);
        } else if (event == InputEnded.NOW) {
            inputEnded = true;
            closeIfReaderLeft();
        }
    }

    /** Who reads a stream says nothing while it does: the end of its side is the only word that it has left (HTTP-33). */
    private void closeIfReaderLeft() {
        Exchange current = exchange;
        if (inputEnded && current != null && current.needsClient()) {
            context().close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof IOException)) {
            Exchange current = exchange;
            loop.events().onDefect(current == null ? "" : current.correlationId(), cause);
        }
        ctx.close();
    }

    private void refused(ChannelHandlerContext ctx, Refusal refusal) {
        Exchange current = exchange;
        ApiError error = ApiError.of(refusal.code(), refusal.message());
        if (current != null) {
            current.closeAfterwards();
            answer(current, error);
            return;
        }
        String id = refusal.correlationId();
        String correlationId = id != null ? id : loop.correlationIds().next();
        ctx.write(
                loop.responses().error(ctx.alloc(), error, correlationId, false, Responses.Connection.CLOSE, null),
                ctx.voidPromise());
        loop.events().onAnswered(null, refusal.code().status(), 0);
        loop.events()
                .onRefused(correlationId, refusal.code().status(), ctx.channel().remoteAddress());
        gate.closeAfterAnswer(true);
    }

    private void onHead(HttpRequest request) {
        HeaderFields head = gate.head().fields();
        requests++;
        int most = loop.limits().requestsPerConnectionMax();
        boolean keepAlive = head.keepAlive() && (most == 0 || requests < most) && !loop.draining();
        String id = head.correlationId();
        Exchange current = new Exchange(
                this,
                request,
                head.http10(),
                keepAlive,
                id != null ? id : loop.correlationIds().next(),
                System.nanoTime());
        exchange = current;
        ApiError error = checks.examine(current, gate.head());
        if (error != null) {
            refuseHead(current, head, error);
        } else if (current.open() && head.expectContinue() && (head.chunked() || head.contentLength() > 0)) {
            context()
                    .writeAndFlush(
                            Responses.continueLine(context().alloc()), context().voidPromise());
        }
    }

    /** Answers before the body: what follows of it is dropped, or the connection closed. */
    private void refuseHead(Exchange current, HeaderFields head, ApiError error) {
        boolean droppable =
                !head.chunked() && head.contentLength() <= loop.limits().discardBytesMax();
        boolean mayNotCome = head.expectContinue() && head.contentLength() > 0;
        if (!droppable || mayNotCome || error.code() == ErrorCode.EXPECTATION_FAILED) {
            current.closeAfterwards();
        }
        answer(current, error);
    }

    private void onContent(ChannelHandlerContext ctx, HttpContent content) {
        Exchange current = exchange;
        boolean last = content instanceof LastHttpContent;
        ByteBuf bytes = content.content();
        if (current == null || !current.open()) {
            bytes.release();
            return;
        }
        if (content.decoderResult().isFailure()) {
            bytes.release();
            current.closeAfterwards();
            answer(current, ApiError.of(ErrorCode.BAD_REQUEST, "Malformed HTTP request body."));
            return;
        }
        if (!collect(ctx, bytes)) {
            current.closeAfterwards();
            answer(current, checks.tooLarge("more than " + checks.bodyBytesMax() + " bytes"));
            return;
        }
        if (last) {
            dispatch(current);
        }
    }

    /** Takes the bytes over; false where they are too many. */
    private boolean collect(ChannelHandlerContext ctx, ByteBuf bytes) {
        int more = bytes.readableBytes();
        ByteBuf before = body;
        if (more == 0) {
            bytes.release();
            return true;
        }
        int length = before == null ? more : before.readableBytes() + more;
        if (length > checks.bodyBytesMax()) {
            bytes.release();
            return false;
        }
        if (before == null && more == gate.head().fields().contentLength()) {
            body = bytes;
            return true;
        }
        if (before == null) {
            before = ctx.alloc()
                    .buffer(Math.max(more, Math.min(FIRST_BODY_BYTES, checks.bodyBytesMax())), checks.bodyBytesMax());
            body = before;
        }
        before.writeBytes(bytes);
        bytes.release();
        return true;
    }

    private void dispatch(Exchange current) {
        Route route = current.route();
        if (route == null) {
            throw new IllegalStateException("an open exchange without a route");
        }
        ByteBuf bytes = body;
        body = null;
        current.body(bytes == null ? Unpooled.EMPTY_BUFFER : bytes);
        try {
            route.handler().handle(current);
        } catch (Exception defect) {
            loop.events().onDefect(current.correlationId(), defect);
            if (current.open()) {
                answer(
                        current,
                        ApiError.of(ErrorCode.INTERNAL, "The daemon failed on this request; its log says more."));
            } else if (current.streaming()) {
                context().close();
            }
        } finally {
            if (bytes != null) {
                bytes.release();
            }
            current.body(Unpooled.EMPTY_BUFFER);
        }
        closeIfReaderLeft();
    }

    /** Answers with {@code bytes[0, length)}. */
    void answer(Exchange current, int status, ContentType type, byte[] bytes, int length) {
        current.beginAnswer();
        if (current.closed()) {
            return;
        }
        ChannelHandlerContext ctx = context();
        ByteBuf out = loop.responses()
                .whole(
                        ctx.alloc(),
                        status,
                        current.correlationId(),
                        type,
                        bytes,
                        length,
                        current.head(),
                        connectionOf(current),
                        current.furtherLines());
        ctx.write(out, ctx.voidPromise());
        answered(current, status);
    }

    /** Answers with a buffer, which is taken over. */
    void answer(Exchange current, int status, ContentType type, ByteBuf bytes) {
        current.beginAnswer();
        if (current.closed()) {
            bytes.release();
            return;
        }
        writeHeadOf(current, status, type, bytes.readableBytes());
        ChannelHandlerContext ctx = context();
        if (current.head()) {
            bytes.release();
        } else {
            ctx.write(bytes, ctx.voidPromise());
        }
        answered(current, status);
    }

    /** Answers with an error. */
    void answer(Exchange current, ApiError error) {
        current.beginAnswer();
        if (current.closed()) {
            return;
        }
        ChannelHandlerContext ctx = context();
        ctx.write(
                loop.responses()
                        .error(
                                ctx.alloc(),
                                error,
                                current.correlationId(),
                                current.head(),
                                connectionOf(current),
                                current.furtherLines()),
                ctx.voidPromise());
        answered(current, error.code().status());
    }

    /** Answers HEAD: a head that tells the length, and no body. */
    void answerHead(Exchange current, int status, ContentType type, long length) {
        current.beginAnswer();
        if (current.closed()) {
            return;
        }
        writeHeadOf(current, status, type, length);
        answered(current, status);
    }

    void startBody(Exchange current, int status, ContentType type, long length) {
        current.beginStream(status);
        if (current.closed()) {
            return;
        }
        loop.events().onAnswered(current.route(), status, current.startedNs());
        writeHeadOf(current, status, type, length);
    }

    private void writeHeadOf(Exchange current, int status, ContentType type, long length) {
        ChannelHandlerContext ctx = context();
        ctx.write(
                loop.responses()
                        .headOf(
                                ctx.alloc(),
                                status,
                                current.correlationId(),
                                type,
                                length,
                                connectionOf(current),
                                current.furtherLines()),
                ctx.voidPromise());
    }

    void startStream(Exchange current, int status, ContentType type) {
        current.beginStream(status);
        if (current.closed()) {
            return;
        }
        if (current.http10()) {
            current.closeAfterwards();
        }
        loop.events().onAnswered(current.route(), status, current.startedNs());
        ChannelHandlerContext ctx = context();
        ctx.write(
                loop.responses()
                        .streamHead(
                                ctx.alloc(),
                                status,
                                current.correlationId(),
                                type,
                                !current.http10(),
                                connectionOf(current),
                                current.furtherLines()),
                ctx.voidPromise());
    }

    void streamDone(Exchange current, boolean keepConnection) {
        current.endStream();
        if (current.closed()) {
            return;
        }
        if (!keepConnection) {
            current.closeAfterwards();
        }
        tellOver(current, current.streamStatus(), keepConnection);
        over(current);
    }

    private void answered(Exchange current, int status) {
        loop.events().onAnswered(current.route(), status, current.startedNs());
        tellOver(current, status, true);
        over(current);
    }

    private void tellOver(Exchange current, int status, boolean complete) {
        AnswerBytes counter = answerBytes;
        loop.events().onOver(current, status, counter == null ? -1 : counter.take(), complete);
    }

    private void over(Exchange current) {
        exchange = null;
        dropBody();
        if (!current.keepAlive()) {
            gate.closeAfterAnswer(!gate.requestEnded());
            return;
        }
        gate.responseDone();
        if (!reading) {
            context().flush();
        }
    }

    private Responses.Connection connectionOf(Exchange current) {
        if (!current.keepAlive() || gate.onLastRequest()) {
            return Responses.Connection.CLOSE;
        }
        return current.http10() ? Responses.Connection.KEEP_SAID : Responses.Connection.KEEP;
    }

    private void clientLeft() {
        dropBody();
        Exchange current = exchange;
        if (current != null) {
            exchange = null;
            tellOver(current, current.streaming() ? current.streamStatus() : 0, false);
            current.clientLeft();
        }
    }

    private void dropBody() {
        ByteBuf bytes = body;
        if (bytes != null) {
            body = null;
            bytes.release();
        }
    }
}
