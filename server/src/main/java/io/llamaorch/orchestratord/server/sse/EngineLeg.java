package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The engine's side of one stream: takes what the adapter hands over and puts it into the stream's {@link TokenQueue}.
 *
 * <p><b>Owner thread:</b> the engine call's loop. The stream's loop calls only {@link #abort}, {@link #onRoom} and
 * {@link #queue}.
 */
final class EngineLeg implements EngineSink {
    private final TaskStream stream;
    private final EventLoop loop;
    private final boolean sameLoop;
    private final TokenQueue queue;
    private @Nullable EngineCall call;
    private boolean stopped;
    private boolean aborted;
    private volatile boolean signaled;

    /**
     * A leg that is not started.
     *
     * @param stream where the tokens go
     * @param engineLoop context of the loop that will own the engine call
     * @param queueSlabs capacity of the hand-off
     */
    EngineLeg(TaskStream stream, StreamLoop engineLoop, int queueSlabs) {
        this.stream = stream;
        this.loop = engineLoop.eventLoop();
        this.sameLoop = engineLoop == stream.home();
        this.queue = new TokenQueue(queueSlabs, engineLoop.slabs());
    }

    /** Starts the call, on its own loop. */
    void start(EngineAdapter adapter, EngineTarget target, TaskRequest request, @Nullable String traceparent) {
        if (sameLoop) {
            call = adapter.start(target, request, traceparent, loop, this);
        } else {
            loop.execute(() -> {
                if (!aborted) {
                    call = adapter.start(target, request, traceparent, loop, this);
                }
            });
        }
    }

    /** Stream's loop: the hand-off, for its consumer's side. */
    TokenQueue queue() {
        return queue;
    }

    /** Stream's loop: ends the call; nothing comes out of the queue that matters any more. */
    void abort() {
        if (sameLoop) {
            abortOnLoop();
        } else {
            loop.execute(this::abortOnLoop);
        }
    }

    /** Stream's loop: the queue was full and has room again. */
    void onRoom() {
        if (sameLoop) {
            publish();
        } else {
            loop.execute(this::publish);
        }
    }

    /** Stream's loop: called first in a drain that {@link #signal} asked for from another loop. */
    void clearSignal() {
        if (!sameLoop) {
            signaled = false;
            VarHandle.fullFence();
        }
    }

    private void abortOnLoop() {
        aborted = true;
        if (call != null) {
            call.abort();
        }
    }

    private void publish() {
        if (aborted) {
            return;
        }
        queue.publish();
        if (stopped && !queue.wasFull()) {
            stopped = false;
            if (call != null) {
                call.resume();
            }
        }
        signal();
    }

    /** Tells the stream's loop that there is something to drain; at most one word is under way. */
    private void signal() {
        if (sameLoop) {
            stream.drain();
            return;
        }
        VarHandle.fullFence(); // what was published, before the look at the flag
        if (!signaled) {
            signaled = true;
            stream.home().eventLoop().execute(stream);
        }
    }

    @Override
    public void accepted() {
        queue.accepted();
        signal();
    }

    @Override
    public boolean token(ByteBuf text, int offset, int length) {
        boolean room = queue.offer(text, offset, length);
        stopped |= !room;
        return room;
    }

    @Override
    public void batchEnd() {
        publish();
    }

    /** Never: {@code TaskRoutes} admits no task of such a workload. */
    @Override
    public void output(EngineOutput output) {
        throw new IllegalStateException("no way yet to hand on what is not text");
    }

    @Override
    public void end(EngineUsage usage) {
        queue.end(usage);
        signal();
    }

    @Override
    public void failed(EngineFailure failure) {
        queue.fail(failure);
        signal();
    }
}
