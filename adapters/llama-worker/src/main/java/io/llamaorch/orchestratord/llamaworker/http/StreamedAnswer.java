package io.llamaorch.orchestratord.llamaworker.http;

import io.llamaorch.orchestratord.llamaworker.engine.CompletionEnd;
import io.llamaorch.orchestratord.llamaworker.engine.CompletionListener;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;

/**
 * A completion as server-sent events, one frame a token. Called on the decode thread. The connection is announced as spent
 * and closes after the last frame.
 */
final class StreamedAnswer implements CompletionListener {
    private static final int[] NO_TOKENS = {};

    private final Channel channel;
    private final CompletionRequest request;
    private final String model;

    StreamedAnswer(Channel channel, CompletionRequest request, String model) {
        this.channel = channel;
        this.request = request;
        this.model = model;
    }

    @Override
    public void started() {
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        head.headers()
                .set(HttpHeaderNames.SERVER, Answers.SERVER)
                .set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream")
                .set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        channel.writeAndFlush(head);
    }

    @Override
    public void token(int token, String text, int predicted) {
        frame(g -> Frames.token(g, token, text, predicted, evaluated()));
    }

    @Override
    public boolean hasRoom() {
        return channel.isWritable();
    }

    @Override
    public void end(CompletionEnd end) {
        if (!end.tail().isEmpty()) {
            frame(g -> Frames.token(g, -1, end.tail(), end.predicted(), evaluated()));
        }
        frame(g -> Frames.last(g, request, model, end, "", NO_TOKENS));
        close();
    }

    @Override
    public void failed(String message) {
        WireError error = WireError.server(message);
        frame(error::writeTo);
        close();
    }

    private int evaluated() {
        return request.completion().prompt().length;
    }

    private void frame(Json.Writer object) {
        HttpContent chunk = new DefaultHttpContent(Unpooled.wrappedBuffer(Json.bytes("data: ", object, "\n\n")));
        channel.writeAndFlush(chunk);
    }

    private void close() {
        channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT).addListener(ChannelFutureListener.CLOSE);
    }
}
