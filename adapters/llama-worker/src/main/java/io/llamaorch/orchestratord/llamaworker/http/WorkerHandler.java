package io.llamaorch.orchestratord.llamaworker.http;

import io.llamaorch.orchestratord.llamaworker.engine.CompletionListener;
import io.llamaorch.orchestratord.llamaworker.engine.CompletionTask;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.timeout.IdleStateEvent;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One connection: routes its requests, and cancels its completion when it closes. On the event loop.
 *
 * <p>It is read all the time, also while a completion runs, for only so its closing is seen at once. A request that comes
 * while another runs breaks that off: clients here wait for their answers.
 */
final class WorkerHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    private final Supplier<@Nullable Serving> serving;
    private final Executor preparer;
    /** A request is being read or answered; stays so once a completion was taken, whose connection is spent. */
    private boolean busy;

    private @Nullable CompletionTask task;
    private @Nullable Serving inUse;

    WorkerHandler(Supplier<@Nullable Serving> serving, Executor preparer) {
        this.serving = serving;
        this.preparer = preparer;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
        if (busy) {
            ctx.close();
            return;
        }
        Channel channel = ctx.channel();
        boolean keepAlive = HttpUtil.isKeepAlive(request);
        try {
            if (request.decoderResult().isFailure()) {
                keepAlive = false;
                throw WireError.invalid("the request is not HTTP/1.1");
            }
            Serving now = serving.get();
            if (now == null) {
                throw WireError.unavailable("Loading model");
            }
            route(channel, request, now, keepAlive);
        } catch (WireError e) {
            Answers.send(channel, e, keepAlive);
        }
    }

    private void route(Channel channel, FullHttpRequest request, Serving now, boolean keepAlive) throws WireError {
        String uri = request.uri();
        int query = uri.indexOf('?');
        String path = query < 0 ? uri : uri.substring(0, query);
        if (HttpMethod.GET.equals(request.method())) {
            byte[] body =
                    switch (path) {
                        case "/health", "/v1/health" -> Documents.health();
                        case "/props" -> Documents.props(now);
                        case "/models", "/v1/models" -> Documents.models(now);
                        case "/slots" -> slots(now, uri);
                        case "/metrics" -> Documents.metrics(now.loop());
                        default -> throw WireError.notFound();
                    };
            String type = path.equals("/metrics") ? Answers.PROMETHEUS : Answers.JSON;
            Answers.send(channel, 200, type, body, keepAlive);
            return;
        }
        if (!HttpMethod.POST.equals(request.method())) {
            throw WireError.notFound();
        }
        byte[] body = ByteBufUtil.getBytes(request.content());
        switch (path) {
            case "/completion", "/completions" ->
                prepare(channel, keepAlive, () -> complete(channel, keepAlive, body, now));
            case "/tokenize" -> prepare(channel, keepAlive, () -> tokenize(channel, keepAlive, body, now));
            default -> throw WireError.notFound();
        }
    }

    private static byte[] slots(Serving now, String uri) throws WireError {
        boolean wanted = uri.contains("fail_on_no_slot=1");
        if (wanted && now.loop().processing() == now.loop().slotCount()) {
            throw WireError.unavailable("no slot available");
        }
        return Documents.slots(now.loop());
    }

    /** Has {@code work} done beside the loop, for a long text takes long to tokenize. */
    private void prepare(Channel channel, boolean keepAlive, Preparation work) throws WireError {
        busy = true;
        try {
            preparer.execute(() -> {
                Runnable then;
                try {
                    then = work.prepare();
                } catch (WireError e) {
                    then = () -> refuse(channel, e, keepAlive);
                }
                channel.eventLoop().execute(then);
            });
        } catch (RejectedExecutionException e) {
            // There is room for each connection's one request: the worker is ending.
            busy = false;
            throw WireError.unavailable("the worker is ending");
        }
    }

    /** Work beside the loop; what it answers is then run on the loop. */
    private interface Preparation {
        Runnable prepare() throws WireError;
    }

    private void refuse(Channel channel, WireError error, boolean keepAlive) {
        busy = false;
        Answers.send(channel, error, keepAlive);
    }

    private Runnable tokenize(Channel channel, boolean keepAlive, byte[] body, Serving now) throws WireError {
        byte[] tokens = Documents.tokenize(body, now.model());
        return () -> {
            busy = false;
            Answers.send(channel, 200, Answers.JSON, tokens, keepAlive);
        };
    }

    private Runnable complete(Channel channel, boolean keepAlive, byte[] body, Serving now) throws WireError {
        CompletionRequest request =
                CompletionRequest.read(body, now.model(), now.loop().ctx());
        return () -> offer(channel, keepAlive, request, now);
    }

    private void offer(Channel channel, boolean keepAlive, CompletionRequest request, Serving now) {
        if (!channel.isActive()) {
            // Its closing was told before there was a task to cancel.
            return;
        }
        CompletionListener answer = request.stream()
                ? new StreamedAnswer(channel, request, now.modelName())
                : new WholeAnswer(channel, request, now.modelName());
        CompletionTask taken = now.loop().offer(request.completion(), answer);
        if (taken == null) {
            String waiting = "no slot available, and as many requests wait as may: ";
            refuse(channel, WireError.unavailable(waiting + now.loop().deferred()), keepAlive);
            return;
        }
        task = taken;
        inUse = now;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Serving now = inUse;
        if (now != null && ctx.channel().isWritable()) {
            now.loop().wake();
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        CompletionTask running = task;
        if (running != null) {
            running.cancel();
        }
        ctx.fireChannelInactive();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent) {
            // Nothing is read while a completion runs, and that is no reason to end it.
            if (!busy) {
                ctx.close();
            }
            return;
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // The peer reset the connection, or sent what is no HTTP: nobody is left to tell.
        ctx.close();
    }
}
