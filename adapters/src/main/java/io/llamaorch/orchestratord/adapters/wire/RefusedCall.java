package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.netty.channel.EventLoop;

/** A call that the adapter knows to be in vain before anything is sent. Owned by its loop. */
public final class RefusedCall implements EngineCall {
    private boolean over;

    private RefusedCall() {}

    /** Fails a call, from the loop and not from within this method. */
    public static EngineCall of(EngineFailure failure, EventLoop loop, EngineSink sink) {
        RefusedCall call = new RefusedCall();
        loop.execute(() -> {
            if (!call.over) {
                call.over = true;
                sink.failed(failure);
            }
        });
        return call;
    }

    @Override
    public void abort() {
        over = true;
    }

    @Override
    public void resume() {}
}
