package io.llamaorch.orchestratord.llamaworker.binding;

/** The library can't serve on this machine; the message says why, and what the machine is. */
public final class NativeLibraryException extends Exception {
    private static final long serialVersionUID = 1L;

    NativeLibraryException(String message) {
        super(message);
    }
}
