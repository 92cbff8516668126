package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.HttpExchange;
import io.llamaorch.orchestratord.adapters.wire.HttpFailure;
import io.llamaorch.orchestratord.adapters.wire.HttpResponseParser;
import io.llamaorch.orchestratord.adapters.wire.JsonTextJoiner;
import io.llamaorch.orchestratord.adapters.wire.SseDecoder;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One decode at a llama-server: its answer's bytes to the sink. Owned by the call's loop.
 *
 * <p>The stream succeeded only if its last frame ({@code "stop":true}) was seen: a clean end without it is WORKER_RESET.
 */
final class LlamaCall implements EngineCall, HttpExchange.Listener, SseDecoder.Listener {
    /** Most bytes of an answer that is no stream. */
    static final int PLAIN_BODY_MAX_BYTES = 64 << 10;

    private final EngineSink sink;
    private final ByteBufAllocator allocator;
    private final @Nullable String prompt;
    private final SseDecoder decoder;
    private final JsonTextJoiner joiner = new JsonTextJoiner();

    private @Nullable HttpExchange exchange;
    private @Nullable ByteBuf plainBody;
    private int status;
    private boolean streaming;
    private boolean batchOpen;
    private boolean paused;
    private boolean ended;

    LlamaCall(EngineSink sink, ByteBufAllocator allocator, @Nullable String prompt) {
        this.sink = sink;
        this.allocator = allocator;
        this.prompt = prompt;
        this.decoder = new SseDecoder(allocator, this);
    }

    void startedAs(HttpExchange started) {
        exchange = started;
    }

    /** The request can't even be sent. */
    void refuse(EngineFailure failure) {
        fail(failure);
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

    @Override
    public void onHead(HttpResponseParser response) {
        status = response.status();
        streaming = status == 200 && response.isEventStream();
        if (streaming && !ended) {
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
            fail(new EngineFailure(ErrorCode.INTERNAL, "llama-server sent a frame past the limit", true));
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
        if (streaming) {
            String how = decoder.isWithinFrame() ? "within a frame" : "without its last frame";
            fail(HttpFailure.RESET.toEngineFailure("llama-server ended its stream " + how));
        } else {
            fail(plainFailure());
        }
    }

    @Override
    public void onFailure(HttpFailure failure, String what) {
        if (!streaming && status >= 400 && failure == HttpFailure.RESET) {
            fail(plainFailure());
        } else {
            fail(failure.toEngineFailure(what));
        }
    }

    @Override
    public void onData(ByteBuf buf, int offset, int length) {
        LlamaFrames frames = LlamaFrames.ofThread();
        switch (frames.scan(buf, offset, length)) {
            case LlamaFrames.TEXT -> {
                if (joiner.isIdle()) {
                    token(buf, offset + frames.textFrom(), frames.textTo() - frames.textFrom());
                } else {
                    joined(frames.bytes(), frames.textFrom(), frames.textTo(), false);
                }
            }
            case LlamaFrames.EMPTY -> {}
            default -> oddFrame(ByteBufUtil.getBytes(buf, offset, length));
        }
    }

    @Override
    public void onErrorField(ByteBuf buf, int offset, int length) {
        LlamaFrame frame = LlamaFrame.readError(ByteBufUtil.getBytes(buf, offset, length));
        fail(LlamaErrors.of(200, frame.error(), prompt));
    }

    private void oddFrame(byte[] bytes) {
        if (bytes.length == 0 || new String(bytes, StandardCharsets.ISO_8859_1).equals("[DONE]")) {
            return;
        }
        LlamaFrame frame = LlamaFrame.read(bytes);
        switch (frame.kind()) {
            case PARTIAL -> joined(bytes, frame.textFrom(), frame.textTo(), false);
            case LAST -> {
                int from = Math.max(frame.textFrom(), 0);
                joined(bytes, from, Math.max(frame.textTo(), from), true);
                LlamaFrame.Usage usage = frame.usage();
                if (usage != null && !ended) {
                    end(usage);
                }
            }
            case ERROR -> fail(LlamaErrors.of(200, frame.error(), prompt));
            case UNREADABLE ->
                fail(new EngineFailure(ErrorCode.INTERNAL, "llama-server sent a frame that is not JSON", true));
            default -> {}
        }
    }

    /** Hands over a piece by way of the joiner, for it or the one before is not regular. */
    private void joined(byte[] bytes, int from, int to, boolean last) {
        ByteBuf out = allocator.buffer(2 * (to - from) + 16);
        try {
            joiner.join(bytes, from, to, out);
            if (last) {
                joiner.flush(out);
            }
            if (out.isReadable()) {
                token(out, out.readerIndex(), out.readableBytes());
            }
        } finally {
            out.release();
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

    private void end(LlamaFrame.Usage usage) {
        FinishReason reason = usage.stopType().equals("limit") ? FinishReason.LENGTH : FinishReason.STOP;
        closeBatch();
        if (ended) {
            return;
        }
        over();
        HttpExchange running = exchange;
        if (running != null) {
            running.finish();
        }
        sink.end(new EngineUsage(
                reason, usage.tokensEvaluated(), usage.tokensPredicted(), usage.promptMs(), usage.predictedMs()));
    }

    private void fail(EngineFailure failure) {
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

    private void closeBatch() {
        if (batchOpen) {
            batchOpen = false;
            sink.batchEnd();
        }
    }

    private EngineFailure plainFailure() {
        ByteBuf body = plainBody;
        byte[] bytes = body == null ? new byte[0] : ByteBufUtil.getBytes(body);
        LlamaFrame frame = LlamaFrame.read(bytes);
        LlamaFrame.Fault error = frame.error();
        if (status == 200 && error == null) {
            return new EngineFailure(ErrorCode.INTERNAL, "llama-server answered with no event stream", true);
        }
        if (error == null && frame.kind() == LlamaFrame.Kind.UNREADABLE) {
            // A router that lost its child answers in plain text.
            error = new LlamaFrame.Fault(0, "", new String(bytes, StandardCharsets.UTF_8));
        }
        return LlamaErrors.of(status, error, prompt);
    }

    private void keepPlain(ByteBuf buf, int offset, int length) {
        ByteBuf body = plainBody;
        if (body == null) {
            body = allocator.buffer(Math.min(length, PLAIN_BODY_MAX_BYTES));
            plainBody = body;
        }
        int room = PLAIN_BODY_MAX_BYTES - body.readableBytes();
        if (length > room) {
            body.writeBytes(buf, offset, room);
            fail(plainFailure());
            return;
        }
        body.writeBytes(buf, offset, length);
    }

    private void over() {
        ended = true;
        decoder.close();
        ByteBuf body = plainBody;
        plainBody = null;
        if (body != null) {
            body.release();
        }
    }
}
