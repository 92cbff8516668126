package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.EventLoop;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One streamed decode at an engine that answers with server-sent events: bytes to the sink, whatever the engine. What
 * its frames mean is told by a {@link FrameReader}. Owned by the call's loop.
 *
 * <p>The stream succeeded only if the reader said so ({@link #end}, {@link FrameReader#ended}): a clean end without that
 * is WORKER_RESET.
 */
public final class StreamCall implements EngineCall, HttpExchange.Listener, SseDecoder.Listener {
    /** Most bytes kept of an answer that is no stream. */
    public static final int PLAIN_BODY_MAX_BYTES = 64 << 10;

    /** Sends the call's request: on its loop, with this call as the listener. */
    @FunctionalInterface
    interface Sender {
        HttpExchange send(JsonBody body, StreamCall call) throws IOException;
    }

    private final EngineSink sink;
    private final ByteBufAllocator allocator;
    private final FrameReader reader;
    private final Sender sender;
    private final SseDecoder decoder;
    private final JsonTextJoiner joiner = new JsonTextJoiner();

    private @Nullable HttpExchange exchange;
    private @Nullable ByteBuf plainBody;
    private int status;
    private boolean streaming;
    private boolean delimited;
    private boolean batchOpen;
    private boolean paused;
    private boolean sentAgain;
    private boolean ended;

    StreamCall(EngineSink sink, ByteBufAllocator allocator, FrameReader reader, Sender sender) {
        this.sink = sink;
        this.allocator = allocator;
        this.reader = reader;
        this.sender = sender;
        this.decoder = new SseDecoder(allocator, this);
    }

    /** A call whose answer is fed in by hand, for measuring what lies between the socket and the sink. */
    public static StreamCall unsent(EngineSink sink, ByteBufAllocator allocator, FrameReader reader) {
        return new StreamCall(sink, allocator, reader, (body, self) -> {
            throw new IOException("a call without an engine");
        });
    }

    /**
     * Posts a request and streams the answer into {@code sink}; on {@code loop}, as {@code EngineAdapter.start}.
     *
     * @param path below the target's base URL
     */
    public static StreamCall start(
            EngineHttpClient client,
            EngineTarget target,
            String path,
            JsonBody body,
            @Nullable String traceparent,
            EventLoop loop,
            EngineSink sink,
            FrameReader reader) {
        StreamCall call = new StreamCall(
                sink,
                client.allocator(),
                reader,
                (content, self) ->
                        client.send(target, HttpRequests.post(client, target, path, content, traceparent), loop, self));
        try {
            call.exchange = call.sender.send(body, call);
        } catch (IOException e) {
            // jackson's words may quote the request: ours do not.
            loop.execute(() -> call.fail(unwritable(reader.engine())));
        }
        return call;
    }

    static EngineFailure unwritable(String engine) {
        return new EngineFailure(
                ErrorCode.INVALID_PARAMS, "the request can't be written as " + engine + " reads it", false);
    }

    @Override
    public void abort() {
        if (!ended) {
            over();
            HttpExchange running = exchange;
            if (running != null) {
                running.abort();
            }
        }
    }

    @Override
    public void resume() {
        HttpExchange running = exchange;
        if (paused && !ended && running != null) {
            paused = false;
            running.resume();
        }
    }

    /** For the reader: whether nothing more is wanted. */
    public boolean isEnded() {
        return ended;
    }

    /** For the reader: a piece of text, the inside of a JSON string at {@code bytes[from, to)}, well-formed or not. */
    public void text(byte[] bytes, int from, int to) {
        if (ended || from >= to) {
            return;
        }
        ByteBuf out = allocator.buffer(2 * (to - from) + 16);
        try {
            joiner.join(bytes, from, to, out);
            token(out);
        } finally {
            out.release();
        }
    }

    /** For the reader: the engine is done, and all its text was given. */
    public void end(EngineUsage usage) {
        if (ended) {
            return;
        }
        if (!joiner.isIdle()) {
            ByteBuf out = allocator.buffer(16);
            try {
                joiner.flush(out);
                token(out);
            } finally {
                out.release();
            }
        }
        closeBatch();
        if (ended) {
            return;
        }
        over();
        HttpExchange running = exchange;
        if (running != null) {
            running.finish();
        }
        sink.end(usage);
    }

    /** For the reader: the decode failed. */
    public void fail(EngineFailure failure) {
        if (ended) {
            return;
        }
        closeBatch();
        if (ended) {
            return;
        }
        over();
        HttpExchange running = exchange;
        if (running != null) {
            running.abort();
        }
        sink.failed(failure);
    }

    @Override
    public void onHead(HttpResponseParser response) {
        status = response.status();
        streaming = status == 200 && response.isEventStream();
        delimited = response.isDelimited();
        if (streaming && !ended) {
            HttpExchange running = exchange;
            if (running != null) {
                running.expectData();
            }
            sink.accepted();
        }
    }

    @Override
    public void onBody(ByteBuf buf, int offset, int length) {
        if (ended) {
            return;
        }
        if (!streaming) {
            keepPlain(buf, offset, length);
        } else if (decoder.feed(buf, offset, length) == SseDecoder.Result.TOO_LONG) {
            fail(new EngineFailure(ErrorCode.INTERNAL, reader.engine() + " sent a frame past the limit", true));
        }
    }

    @Override
    public void onBatchEnd() {
        if (batchOpen && !ended) {
            batchOpen = false;
            sink.batchEnd();
        }
    }

    @Override
    public void onComplete() {
        if (ended) {
            return;
        }
        if (!streaming) {
            refused();
            return;
        }
        EngineUsage usage = decoder.isWithinFrame() ? null : reader.ended(delimited);
        if (usage != null) {
            end(usage);
        } else {
            String how = decoder.isWithinFrame() ? "within a frame" : "without its last frame";
            fail(HttpFailure.RESET.toEngineFailure(reader.engine() + " ended its stream " + how));
        }
    }

    @Override
    public void onFailure(HttpFailure failure, String what) {
        if (ended) {
            return;
        }
        EngineUsage usage = streaming ? reader.ended(false) : null;
        if (usage != null) {
            end(usage);
        } else if (!streaming && status >= 400 && failure == HttpFailure.RESET) {
            refused();
        } else {
            fail(failure.toEngineFailure(what));
        }
    }

    @Override
    public void onData(ByteBuf buf, int offset, int length) {
        HttpExchange running = exchange;
        if (running != null) {
            running.onData();
        }
        FrameScanner found = reader.scanner();
        switch (found.scan(buf, offset, length)) {
            case FrameScanner.TEXT, FrameScanner.EMPTY -> {
                int from = reader.textFrom(found);
                if (from < 0) {
                    reader.read(ByteBufUtil.getBytes(buf, offset, length), this);
                } else if (from < found.textTo()) {
                    text(found, from, buf, offset);
                }
            }
            default -> {
                if (length > 0) {
                    reader.read(ByteBufUtil.getBytes(buf, offset, length), this);
                }
            }
        }
    }

    @Override
    public void onErrorField(ByteBuf buf, int offset, int length) {
        reader.readErrorField(ByteBufUtil.getBytes(buf, offset, length), this);
    }

    private void text(FrameScanner found, int from, ByteBuf buf, int offset) {
        if (joiner.isIdle()) {
            token(buf, offset + from, found.textTo() - from);
        } else {
            text(found.bytes(), from, found.textTo());
        }
    }

    private void token(ByteBuf whole) {
        if (whole.isReadable()) {
            token(whole, whole.readerIndex(), whole.readableBytes());
        }
    }

    private void token(ByteBuf buf, int offset, int length) {
        batchOpen = true;
        if (!sink.token(buf, offset, length) && !ended) {
            paused = true;
            HttpExchange running = exchange;
            if (running != null) {
                running.pause();
            }
        }
    }

    private void closeBatch() {
        if (batchOpen) {
            batchOpen = false;
            sink.batchEnd();
        }
    }

    /** The answer is whole and is no stream. */
    private void refused() {
        ByteBuf kept = plainBody;
        byte[] body = kept == null ? new byte[0] : ByteBufUtil.getBytes(kept);
        JsonBody other = sentAgain || status == 200 ? null : reader.otherBody(status, body);
        if (other == null) {
            fail(refusal(body));
            return;
        }
        sentAgain = true;
        dropPlain();
        status = 0;
        try {
            exchange = sender.send(other, this);
        } catch (IOException e) {
            fail(unwritable(reader.engine()));
        }
    }

    private EngineFailure refusal(byte[] body) {
        EngineFailure failure = reader.refusal(status, body);
        boolean wordless = status == 200 && EngineFault.read(body).message().isEmpty();
        return wordless
                ? new EngineFailure(ErrorCode.INTERNAL, reader.engine() + " answered with no event stream", true)
                : failure;
    }

    private void keepPlain(ByteBuf buf, int offset, int length) {
        ByteBuf body = plainBody;
        if (body == null) {
            body = allocator.buffer(Math.min(length, PLAIN_BODY_MAX_BYTES));
            plainBody = body;
        }
        int room = PLAIN_BODY_MAX_BYTES - body.readableBytes();
        body.writeBytes(buf, offset, Math.min(length, room));
        if (length > room) {
            fail(refusal(ByteBufUtil.getBytes(body)));
        }
    }

    private void over() {
        ended = true;
        decoder.close();
        dropPlain();
    }

    private void dropPlain() {
        ByteBuf body = plainBody;
        plainBody = null;
        if (body != null) {
            body.release();
        }
    }
}
