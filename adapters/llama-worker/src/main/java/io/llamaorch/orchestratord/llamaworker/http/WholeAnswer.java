package io.llamaorch.orchestratord.llamaworker.http;

import io.llamaorch.orchestratord.llamaworker.engine.CompletionEnd;
import io.llamaorch.orchestratord.llamaworker.engine.CompletionListener;
import io.netty.channel.Channel;
import java.util.stream.IntStream;

/** A completion as one JSON object at its end. Called on the decode thread; bounded by a slot's context. */
final class WholeAnswer implements CompletionListener {
    private final Channel channel;
    private final CompletionRequest request;
    private final String model;
    private final StringBuilder text = new StringBuilder();
    private final IntStream.Builder tokens = IntStream.builder();

    WholeAnswer(Channel channel, CompletionRequest request, String model) {
        this.channel = channel;
        this.request = request;
        this.model = model;
    }

    @Override
    public void started() {}

    @Override
    public void token(int token, String piece, int predicted) {
        text.append(piece);
        tokens.add(token);
    }

    @Override
    public boolean hasRoom() {
        return true;
    }

    @Override
    public void end(CompletionEnd end) {
        text.append(end.tail());
        int[] named = request.returnTokens() ? tokens.build().toArray() : new int[0];
        byte[] body = Json.bytes(g -> Frames.last(g, request, model, end, text.toString(), named));
        Answers.send(channel, 200, Answers.JSON, body, false);
    }

    @Override
    public void failed(String message) {
        Answers.send(channel, WireError.server(message), false);
    }
}
