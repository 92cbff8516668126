package io.llamaorch.orchestratord.llamaworker.http;

/** The address can't be listened on; the message names it and says why. */
public final class ListenException extends Exception {
    private static final long serialVersionUID = 1L;

    ListenException(String message) {
        super(message);
    }
}
