package io.llamaorch.orchestratord.adapters.process;

/**
 * Where a supervised engine stands.
 *
 * <pre>
 *   STOPPED ─▶ STARTING ─ready─▶ RUNNING ─stop─▶ STOPPING ─▶ STOPPED
 *                 ▲ └──────ended──────┘
 *                 │           ▼
 *                 └─────── BACKOFF        (a storm, or a candidate that ended ─▶ FAILED)
 * </pre>
 */
public enum EngineState {
    /** No process, and none is wanted. */
    STOPPED,
    /** The process runs and has not been seen ready. */
    STARTING,
    /** Seen ready. */
    RUNNING,
    /** Told to stop, and not gone yet. */
    STOPPING,
    /** It ended and will be started again. */
    BACKOFF,
    /** It ended and will not be started again until an operator acts. */
    FAILED
}
