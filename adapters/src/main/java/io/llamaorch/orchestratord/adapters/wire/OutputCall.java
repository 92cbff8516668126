package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One request whose answer is a single JSON document: embeddings, scores. Owned by the call's loop; the document, which
 * may be large, is read on a virtual thread.
 */
public final class OutputCall implements EngineCall, HttpExchange.Listener {
    /** Longest answer, bytes: 2,048 vectors of 1,536 numbers in about 20 digits. */
    static final int ANSWER_MAX_BYTES = 64 << 20;

    /** What one engine's document means. Called on any thread. */
    public interface Reader {
        /** How the engine is named in messages. */
        String engine();

        /**
         * Reads the document of an answer of status 200.
         *
         * @return null where it is not what was asked for
         */
        @Nullable
        Answer read(byte[] body);

        /** The failure that any other answer stands for. */
        EngineFailure refusal(int status, byte[] body);
    }

    /** The result and what it took. */
    public record Answer(EngineOutput output, EngineUsage usage) {}

    private final EngineSink sink;
    private final Reader reader;
    private final EventLoop loop;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private @Nullable HttpExchange exchange;
    private int status;
    private boolean ended;

    private OutputCall(EngineSink sink, Reader reader, EventLoop loop) {
        this.sink = sink;
        this.reader = reader;
        this.loop = loop;
    }

    /** Posts a request and gives the answer to {@code sink}; on {@code loop}, as {@code EngineAdapter.start}. */
    public static OutputCall start(
            EngineHttpClient client,
            EngineTarget target,
            String path,
            JsonBody content,
            @Nullable String traceparent,
            EventLoop loop,
            EngineSink sink,
            Reader reader) {
        OutputCall call = new OutputCall(sink, reader, loop);
        try {
            ByteBuf request = HttpRequests.post(client, target, path, content, traceparent);
            call.exchange = client.send(target, request, loop, call);
        } catch (IOException e) {
            loop.execute(() -> call.fail(StreamCall.unwritable(reader.engine())));
        }
        return call;
    }

    @Override
    public void abort() {
        if (!ended) {
            ended = true;
            HttpExchange running = exchange;
            if (running != null) {
                running.abort();
            }
        }
    }

    @Override
    public void resume() {}

    @Override
    public void onHead(HttpResponseParser response) {
        status = response.status();
        if (status == 200 && !ended) {
            sink.accepted();
        }
    }

    @Override
    public void onBody(ByteBuf buf, int offset, int length) {
        if (ended) {
            return;
        }
        int limit = status == 200 ? ANSWER_MAX_BYTES : StreamCall.PLAIN_BODY_MAX_BYTES;
        if (body.size() + length > limit) {
            fail(
                    status == 200
                            ? new EngineFailure(
                                    ErrorCode.INTERNAL,
                                    reader.engine() + " sent an answer longer than " + limit + " bytes",
                                    true)
                            : reader.refusal(status, body.toByteArray()));
            return;
        }
        try {
            buf.getBytes(offset, body, length);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void onBatchEnd() {}

    @Override
    public void onComplete() {
        if (ended) {
            return;
        }
        byte[] bytes = body.toByteArray();
        if (status != 200) {
            fail(reader.refusal(status, bytes));
            return;
        }
        Thread.ofVirtual().name("engine-answer").start(() -> {
            Answer answer = reader.read(bytes);
            loop.execute(() -> deliver(answer));
        });
    }

    @Override
    public void onFailure(HttpFailure failure, String what) {
        boolean refused = status >= 400 && failure == HttpFailure.RESET;
        fail(refused ? reader.refusal(status, body.toByteArray()) : failure.toEngineFailure(what));
    }

    private void deliver(@Nullable Answer answer) {
        if (ended) {
            return;
        }
        if (answer == null) {
            fail(new EngineFailure(
                    ErrorCode.INTERNAL, reader.engine() + " answered with other than what was asked for", true));
            return;
        }
        sink.output(answer.output());
        if (!ended) {
            ended = true;
            sink.end(answer.usage());
        }
    }

    private void fail(EngineFailure failure) {
        if (!ended) {
            ended = true;
            HttpExchange running = exchange;
            if (running != null) {
                running.abort();
            }
            sink.failed(failure);
        }
    }
}
