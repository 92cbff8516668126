package io.llamaorch.orchestratord.adapters.gpu;

/** There is no GPU telemetry on this host now; the message is the reason that an operator reads. */
final class NvmlUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    NvmlUnavailableException(String reason) {
        super(reason, null, false, false);
    }

    /** The reason. */
    String reason() {
        return String.valueOf(getMessage());
    }
}
