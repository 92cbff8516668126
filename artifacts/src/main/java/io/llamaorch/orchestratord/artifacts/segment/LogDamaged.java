package io.llamaorch.orchestratord.artifacts.segment;

import java.io.IOException;

/** A file of a log is not what was written, or not of this daemon; the message names it and says what to do. */
public final class LogDamaged extends IOException {
    private static final long serialVersionUID = 1;

    public LogDamaged(String message) {
        super(message);
    }
}
