package io.llamaorch.orchestratord.llamaworker;

/** The worker can't serve; the message is for who started it. */
final class WorkerExit extends Exception {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    WorkerExit(ExitCode code, String message) {
        super(message);
        this.code = code;
    }

    ExitCode code() {
        return code;
    }
}
