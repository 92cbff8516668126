package io.llamaorch.orchestratord.server.metrics;

import java.util.Locale;

/** How an accepted task ended, as a label. Each accepted task is counted once. */
public enum TaskOutcome {
    /** Its last event is {@code end}: end of text, a stop string, or {@code max_tokens}. */
    COMPLETED,
    /** Canceled, queued or running. */
    CANCELED,
    /** Taken out of its queue: deadline passed, or its place went to another. */
    EVICTED,
    /** Its last event is {@code error} and it had a slot: the engine failed, a limit passed, the daemon stopped. */
    FAILED;

    /** The label's value. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
