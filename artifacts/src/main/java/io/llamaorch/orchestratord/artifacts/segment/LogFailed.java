package io.llamaorch.orchestratord.artifacts.segment;

import java.io.IOException;

/**
 * A log can no longer say what is on stable storage: a sync failed, or what a failed write left could not be cut off.
 * Nothing is written to it any more until the process has started anew; reading goes on.
 */
public final class LogFailed extends IOException {
    private static final long serialVersionUID = 1;

    LogFailed(String message, IOException cause) {
        super(message + ": " + cause.getMessage(), cause);
    }
}
