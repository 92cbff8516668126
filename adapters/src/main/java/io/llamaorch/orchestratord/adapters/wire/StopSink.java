package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps stop strings out of the text of an engine that streams them before it notices them: a sink before the sink.
 *
 * <p>Text that may yet become a stop string is held back ({@link StopStrings}). With one found the rest is dropped and
 * the reason is {@code stop}, whenever the engine ends; {@code endsCall} is for engines that may overlook a stop string
 * (they look for its tokens, not its text): then the call ends there and then, and the engine is told by its close.
 *
 * <p>Owned by the call's loop.
 */
public final class StopSink implements EngineSink, EngineCall {
    private final EngineSink next;
    private final StopStrings stops;
    /** On the heap and not pooled: whoever ends the call may do so while this is being read. */
    private final ByteBuf out = Unpooled.buffer(256);

    private final boolean endsCall;

    private @Nullable EngineCall call;
    private long wholeBytes = Long.MAX_VALUE;
    private boolean batchOpen;
    private boolean over;

    /**
     * A sink before {@code next}.
     *
     * @param stops what ends the text, not empty
     * @param endsCall whether a stop string found ends the call
     */
    public StopSink(EngineSink next, List<String> stops, boolean endsCall) {
        this.next = next;
        this.stops = new StopStrings(stops);
        this.endsCall = endsCall;
    }

    /** The call whose sink this is. */
    public StopSink before(EngineCall started) {
        call = started;
        return this;
    }

    /**
     * The engine took back the end of what it had sent, for it was the start of a stop string: the whole text has so many
     * bytes ({@link StopStrings#meaningBytes}).
     */
    public void endsAt(long bytes) {
        wholeBytes = bytes;
    }

    @Override
    public void abort() {
        if (!over) {
            over = true;
            EngineCall running = call;
            if (running != null) {
                running.abort();
            }
        }
    }

    @Override
    public void resume() {
        EngineCall running = call;
        if (running != null) {
            running.resume();
        }
    }

    @Override
    public void accepted() {
        next.accepted();
    }

    @Override
    public boolean token(ByteBuf text, int offset, int length) {
        if (over || stops.isFound()) {
            return true;
        }
        out.clear();
        stops.accept(text, offset, length, out);
        boolean room = give();
        if (stops.isFound() && endsCall && !over) {
            closeBatch();
            abortThenEnd();
        }
        return room;
    }

    @Override
    public void batchEnd() {
        closeBatch();
    }

    @Override
    public void output(EngineOutput output) {
        next.output(output);
    }

    @Override
    public void end(EngineUsage usage) {
        if (over) {
            return;
        }
        out.clear();
        stops.flush(out, wholeBytes);
        give();
        closeBatch();
        if (!over) {
            over = true;
            next.end(
                    stops.isFound()
                            ? new EngineUsage(
                                    FinishReason.STOP,
                                    usage.tokensIn(),
                                    usage.tokensOut(),
                                    usage.promptMs(),
                                    usage.decodeMs())
                            : usage);
        }
    }

    @Override
    public void failed(EngineFailure failure) {
        if (!over) {
            closeBatch();
            over = true;
            next.failed(failure);
        }
    }

    private boolean give() {
        if (!out.isReadable()) {
            return true;
        }
        batchOpen = true;
        return next.token(out, out.readerIndex(), out.readableBytes());
    }

    private void closeBatch() {
        if (batchOpen && !over) {
            batchOpen = false;
            next.batchEnd();
        }
    }

    private void abortThenEnd() {
        if (over) {
            return;
        }
        abort();
        next.end(new EngineUsage(FinishReason.STOP, -1, -1, Double.NaN, Double.NaN));
    }
}
