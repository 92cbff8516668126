package io.llamaorch.orchestratord.scheduler.core;

/** How a lease ended. Bounded: safe as a metric label. */
public enum Outcome {
    /** The engine ended the decode by itself: end of text, a stop string, or the limit. Feeds the ETA model. */
    COMPLETED,
    /** The owner ended it early: a cancel, a client that left, or an abort. */
    CANCELED,
    /** The engine broke it. */
    FAILED,
    /** The engine was never asked, or refused the task before its first token. */
    NEVER_STARTED
}
