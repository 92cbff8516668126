package io.llamaorch.orchestratord.server.metrics;

import java.util.Locale;

/** Why a task was canceled, as a label and as a word in the log. */
public enum CancelReason {
    /** A client asked. */
    CLIENT,
    /** Nobody was attached for longer than the grace. */
    DISCONNECT,
    /** The deadline passed. */
    DEADLINE,
    /** The pool was drained. */
    DRAIN,
    /** The daemon stopped. */
    SHUTDOWN;

    /** The label's value. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
