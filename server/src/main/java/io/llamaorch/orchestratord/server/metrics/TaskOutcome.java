package io.llamaorch.orchestratord.server.metrics;

import java.util.Locale;

/** How an accepted task ended, as a label. Each accepted task is counted once. */
public enum TaskOutcome {
    /** End of text, or a stop string. */
    STOP,
    /** {@code max_tokens} or the context was used up. */
    LENGTH,
    /** Canceled, queued or running. */
    CANCELED,
    /** Taken out of its queue: deadline passed, or its place went to another. */
    EVICTED,
    /** The engine failed, or a limit on its silence passed. */
    ERROR;

    /** The label's value. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
