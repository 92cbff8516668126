package io.llamaorch.orchestratord.server.task;

import io.netty.channel.EventLoop;
import java.util.List;

/** All event loops of the daemon. Immutable. */
public final class LoopContexts {
    private final LoopContext[] all;

    LoopContexts(List<LoopContext> all) {
        this.all = all.toArray(new LoopContext[0]);
    }

    /** In order of their index. */
    public List<LoopContext> all() {
        return List.of(all);
    }

    /** The one of that index. */
    LoopContext get(int index) {
        return all[index];
    }

    /** The one of that event loop: a few comparisons, loops are few. */
    @SuppressWarnings("ReferenceEquality") // which loop, not a loop like it
    LoopContext of(EventLoop loop) {
        for (LoopContext context : all) {
            if (context.eventLoop() == loop) {
                return context;
            }
        }
        throw new IllegalArgumentException("not a loop of this daemon");
    }
}
