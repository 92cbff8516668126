package io.llamaorch.orchestratord.adapters.process;

/** How an engine ended. Bounded: {@link #label} is safe as a metric label. Public API: never reused for something else. */
public enum ExitKind {
    /** It was asked to stop. */
    STOPPED("stopped"),
    /** Exit code 0, and nobody had asked. */
    CLEAN("clean"),
    /** An exit code that says no more. */
    EXIT_CODE("exit_code"),
    /** Ended by a signal from outside. */
    SIGNAL("signal"),
    /** Ended by a signal of its own making, such as SIGSEGV or SIGABRT. */
    CRASH("crash"),
    /** The host had no memory for it. */
    HOST_OUT_OF_MEMORY("host_oom"),
    /** Its devices had no memory for it. */
    VRAM_OUT_OF_MEMORY("vram_oom"),
    /** Driver or device failed. */
    DRIVER_FAULT("driver_fault"),
    /** Its port was taken. */
    PORT_IN_USE("port_in_use"),
    /** The model's file is not there or not readable. */
    MODEL_MISSING("model_missing"),
    /** The program could not be started: its interpreter or a library is missing, or the command is wrong. */
    CANNOT_START("cannot_start"),
    /** It ran, and did not become ready in time or stopped answering. */
    UNRESPONSIVE("unresponsive"),
    /** The guard between daemon and engine was killed. */
    GUARD_LOST("guard_lost");

    private final String label;

    ExitKind(String label) {
        this.label = label;
    }

    /** Its name in metrics and logs. */
    public String label() {
        return label;
    }
}
