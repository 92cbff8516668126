package io.llamaorch.orchestratord.llamaworker;

/** How the worker ended, for what supervises it; the numbers are those of {@code sysexits.h}. */
enum ExitCode {
    /** A wrong argument. */
    USAGE(64, "usage"),
    /** The file is no GGUF, or llama.cpp refuses it: another try won't help. */
    MODEL_REFUSED(65, "model_refused"),
    /** The file is missing or can't be read. */
    MODEL_MISSING(66, "model_missing"),
    /** llama.cpp can't run on this machine. */
    NATIVE_UNAVAILABLE(69, "native_unavailable"),
    /** A mistake of ours. */
    BROKEN(70, "broken"),
    /** The address is in use, or not of this machine. */
    CANNOT_LISTEN(73, "cannot_listen");

    private final int number;
    private final String label;

    ExitCode(int number, String label) {
        this.number = number;
        this.label = label;
    }

    int number() {
        return number;
    }

    /** Name in the line on standard error: {@code llama-worker: <label>: <sentence>}. */
    String label() {
        return label;
    }
}
