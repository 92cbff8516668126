package io.llamaorch.orchestratord.server.sse;

import java.util.ArrayList;
import java.util.List;

/**
 * How much of a stream may be shown, given what the ledger has of it: no event before it is on record that something was
 * shown, and the last one only when it is on record how the task ended. So a restart never contradicts what a client saw.
 *
 * <pre>
 *   nothing on record        no event
 *   exposed                  all events but the last
 *   ended                    all
 * </pre>
 *
 * <p>Where there is no ledger, or it has failed, nothing is waited for. <b>Owner thread:</b> the stream's loop.
 */
final class RecordGate {
    private static final int NOT_OVER = Integer.MAX_VALUE;

    private final TaskStream stream;
    private boolean asked;
    private boolean exposed;
    private boolean recorded;
    private int lastAt = NOT_OVER;
    private int shown;
    private List<Runnable> waiters = List.of();

    RecordGate(TaskStream stream) {
        this.stream = stream;
    }

    /** Bytes of the log that readers may be sent. */
    int shown() {
        return shown;
    }

    /** A reader is there and the task runs: the ledger is told before the first event comes, so that nobody waits for it. */
    void expose() {
        if (!asked && lastAt == NOT_OVER) {
            asked = true;
            if (!stream.home().events().expose(stream)) {
                onExposed();
            }
        }
    }

    /** It is on record that something was shown, or need not be. */
    void onExposed() {
        exposed = true;
        settle();
    }

    /** The next event is the last one. */
    void hold(int at) {
        lastAt = at;
        settle();
    }

    /** It is on record how the task ended, or need not be. */
    void onRecorded() {
        recorded = true;
        settle();
        List<Runnable> waiting = waiters;
        waiters = List.of();
        waiting.forEach(stream::runWaiter);
    }

    private void settle() {
        shown = recorded ? Integer.MAX_VALUE : exposed ? lastAt : 0;
    }

    /** Runs it when the end is on record: at once for a task that is not over. */
    void whenRecorded(Runnable waiter) {
        if (recorded || lastAt == NOT_OVER) {
            stream.runWaiter(waiter);
            return;
        }
        if (waiters.isEmpty()) {
            waiters = new ArrayList<>(1);
        }
        waiters.add(waiter);
    }
}
