package io.llamaorch.orchestratord.artifacts.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The way back to one event loop: all acknowledgements of a batch cross as one task. <b>Owner thread:</b> {@code ledger}.
 */
public final class LedgerLane {
    private final Executor loop;
    private final Consumer<Throwable> onDefect;
    private List<Settled> gathered = new ArrayList<>();

    private record Settled(LedgerAck ack, @Nullable LedgerFailure failure) {}

    /**
     * A lane.
     *
     * @param loop where acknowledgements are given
     * @param onDefect told there of one that threw; the others are given all the same
     */
    public LedgerLane(Executor loop, Consumer<Throwable> onDefect) {
        this.loop = loop;
        this.onDefect = onDefect;
    }

    /** Keeps it for {@link #flush}. */
    void add(LedgerAck ack, @Nullable LedgerFailure failure) {
        gathered.add(new Settled(ack, failure));
    }

    /** Sends what has gathered. */
    void flush() {
        if (gathered.isEmpty()) {
            return;
        }
        List<Settled> batch = gathered;
        gathered = new ArrayList<>();
        try {
            loop.execute(() -> deliver(batch));
        } catch (RejectedExecutionException e) {
            // the loop has ended, and with it everybody who waited
        }
    }

    private void deliver(List<Settled> batch) {
        for (Settled settled : batch) {
            try {
                settled.ack().settled(settled.failure());
            } catch (Throwable thrown) {
                onDefect.accept(thrown);
            }
        }
    }
}
