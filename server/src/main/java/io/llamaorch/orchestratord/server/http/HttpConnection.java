package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One client connection: routes, authenticates and collects each request, and writes its answer.
 *
 * <p>Order of refusals, each before the body is read: 417, 400 and 404 by target, 501 and 405 by method, 401 and 403,
 * 406, 415, 411, 413. A refused body up to {@link HttpLimits#discardBytesMax()} of known length is read and dropped;
 * behind any other the connection closes, lingering. Written answers leave when the loop's turn ends.
 *
 * <p>Owner: the channel's event loop. RFC 9110 §9–§11, RFC 9112 §9.
 */
@SuppressWarnings("FutureReturnValueIgnored") // writes carry the void promise: a failure reaches exceptionCaught
final class HttpConnection extends ChannelInboundHandlerAdapter {
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    private static final int FIRST_BODY_BYTES = 16 << 10;

    private final HttpFront.Loop loop;
    private final RequestGate gate;

    private @Nullable ChannelHandlerContext context;
    private @Nullable Exchange exchange;
    private @Nullable ByteBuf body;
    private int bodyBytesMax;
    private boolean loopbackPeer;
    private boolean reading;
    private boolean inputEnded;
    private int requests;

    HttpConnection(HttpFront.Loop loop, RequestGate gate) {
        this.loop = loop;
        this.gate = gate;
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
        SocketAddress peer = ctx.channel().remoteAddress();
        // A peer without an IP address came by a socket of this host.
        loopbackPeer = true;
        if (peer instanceof InetSocketAddress internet) {
            loopbackPeer = internet.getAddress().isLoopbackAddress();
        }
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
        ctx.write(
                loop.responses()
                        .error(
                                ctx.alloc(),
                                error,
                                id != null ? id : loop.correlationIds().next(),
                                false,
                                Responses.Connection.CLOSE,
                                null),
                ctx.voidPromise());
        loop.events().onAnswered(null, refusal.code().status(), 0);
        gate.closeAfterAnswer(true);
    }

    private void onHead(HttpRequest request) {
        RequestHead head = gate.head();
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
        ApiError error = examine(current, head);
        if (error != null) {
            refuseHead(current, head, error);
        } else if (current.open() && head.expectContinue() && (head.chunked() || head.contentLength() > 0)) {
            context()
                    .writeAndFlush(
                            Responses.continueLine(context().alloc()), context().voidPromise());
        }
    }

    /** Answers before the body: what follows of it is dropped, or the connection closed. */
    private void refuseHead(Exchange current, RequestHead head, ApiError error) {
        boolean droppable =
                !head.chunked() && head.contentLength() <= loop.limits().discardBytesMax();
        boolean mayNotCome = head.expectContinue() && head.contentLength() > 0;
        if (!droppable || mayNotCome || error.code() == ErrorCode.EXPECTATION_FAILED) {
            current.closeAfterwards();
        }
        answer(current, error);
    }

    private @Nullable ApiError examine(Exchange current, RequestHead head) {
        HttpRequest request = current.request();
        if (request.decoderResult().isFailure()) {
            current.closeAfterwards();
            return ApiError.of(ErrorCode.BAD_REQUEST, "Malformed HTTP request.");
        }
        if (head.expectOther()) {
            return ApiError.of(ErrorCode.EXPECTATION_FAILED, "Expect names something other than 100-continue.");
        }
        HttpMethod method = request.method();
        String target = request.uri();
        if (target.equals("*")) {
            return allow(current, loop.router().allow());
        }
        String path = Router.path(target, head.pathOffset());
        Router.Path found = path == null ? null : loop.router().find(path);
        if (path == null || found == null) {
            return ApiError.of(ErrorCode.NOT_FOUND, "No such path; see the API's contract for those that exist.");
        }
        if (!METHODS.contains(method.name())) {
            return ApiError.of(ErrorCode.NOT_IMPLEMENTED, "The method is not one that this daemon knows.");
        }
        if (method.equals(HttpMethod.OPTIONS)) {
            return allow(current, found.allow());
        }
        Route route = found.route(method);
        if (route == null) {
            current.addHeader("Allow", found.allow());
            return ApiError.of(
                    ErrorCode.METHOD_NOT_ALLOWED,
                    "This path does not have the method " + method.name() + "; it has " + found.allow() + ".");
        }
        current.routed(route, path, found.parameter(path));
        ApiError denied = authenticate(current, route);
        return denied != null ? denied : examineBody(current, route, head);
    }

    /** Answers OPTIONS; a body that cannot be dropped closes the connection behind it. */
    private @Nullable ApiError allow(Exchange current, String methods) {
        RequestHead head = gate.head();
        if (head.chunked() || head.contentLength() > loop.limits().discardBytesMax() || head.expectContinue()) {
            current.closeAfterwards();
        }
        current.addHeader("Allow", methods);
        current.respondEmpty(204);
        return null;
    }

    private @Nullable ApiError authenticate(Exchange current, Route route) {
        ApiKeys.Result result = loop.keys()
                .authenticate(
                        current.header("X-API-Key"),
                        current.header(HttpHeaderNames.AUTHORIZATION),
                        loopbackPeer,
                        route.scope());
        return switch (result.outcome()) {
            case GRANTED -> {
                current.identified(result.identity());
                yield null;
            }
            case MISSING ->
                ApiError.of(ErrorCode.UNAUTHORIZED, "No key was given; send X-API-Key or Authorization: Bearer.");
            case WRONG ->
                ApiError.of(
                        ErrorCode.FORBIDDEN,
                        "The key is not known, or none is configured and the peer is not of this host.");
            case OUT_OF_SCOPE ->
                ApiError.of(
                        ErrorCode.FORBIDDEN,
                        "The key lacks the scope " + route.scope().name().toLowerCase(java.util.Locale.ROOT) + ".");
            default -> {
                current.closeAfterwards();
                yield ApiError.of(
                        ErrorCode.BAD_REQUEST, "X-API-Key and Authorization name different keys; send one of them.");
            }
        };
    }

    private @Nullable ApiError examineBody(Exchange current, Route route, RequestHead head) {
        if (!route.answerType().isEmpty()
                && !RequestRules.accepts(current.header(HttpHeaderNames.ACCEPT), route.answerType())) {
            return ApiError.of(
                    ErrorCode.NOT_ACCEPTABLE,
                    "This path answers " + route.answerType() + "; add it to Accept or leave Accept out.",
                    "Accept",
                    route.answerType());
        }
        BodyPolicy policy = route.body();
        boolean hasBody = head.chunked() || head.contentLength() > 0;
        if (policy.kind() == BodyPolicy.Kind.NONE) {
            bodyBytesMax = loop.limits().discardBytesMax();
        } else {
            bodyBytesMax =
                    policy.bytesMax() > 0 ? policy.bytesMax() : loop.limits().bodyBytesMax();
            if (policy.kind() == BodyPolicy.Kind.JSON
                    && !RequestRules.isJson(current.header(HttpHeaderNames.CONTENT_TYPE))) {
                return ApiError.of(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                        "The Content-Type is not application/json in UTF-8; send that, or none.");
            }
            if (!RequestRules.isIdentity(current.header(HttpHeaderNames.CONTENT_ENCODING))) {
                return ApiError.of(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must be sent without a Content-Encoding.");
            }
            if (policy.required() && !head.chunked() && head.contentLength() < 0) {
                if (head.http10()) {
                    current.closeAfterwards();
                }
                return ApiError.of(ErrorCode.LENGTH_REQUIRED, "This path needs a body; send Content-Length.");
            }
        }
        if (hasBody && head.contentLength() > bodyBytesMax) {
            return tooLarge(head.contentLength() + " bytes");
        }
        return null;
    }

    private ApiError tooLarge(String length) {
        return ApiError.of(
                        ErrorCode.PAYLOAD_TOO_LARGE,
                        "The body has " + length + "; this path takes at most " + bodyBytesMax + ", send less.")
                .by("body_bytes");
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
            answer(current, tooLarge("more than " + bodyBytesMax + " bytes"));
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
        if (length > bodyBytesMax) {
            bytes.release();
            return false;
        }
        if (before == null && more == gate.head().contentLength()) {
            body = bytes;
            return true;
        }
        if (before == null) {
            before = ctx.alloc().buffer(Math.max(more, Math.min(FIRST_BODY_BYTES, bodyBytesMax)), bodyBytesMax);
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
        ChannelHandlerContext ctx = context();
        ctx.write(
                loop.responses()
                        .headOf(
                                ctx.alloc(),
                                status,
                                current.correlationId(),
                                type,
                                bytes.readableBytes(),
                                connectionOf(current),
                                current.furtherLines()),
                ctx.voidPromise());
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
        over(current);
    }

    private void answered(Exchange current, int status) {
        loop.events().onAnswered(current.route(), status, current.startedNs());
        over(current);
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
