package io.llamaorch.orchestratord.artifacts.ledger;

/** Why something is not in the ledger. Bounded: safe as a metric label. */
public enum LedgerFailure {
    /** More waits to be written than may. Nothing happened. */
    QUEUE,
    /** What is live takes all that it may. Nothing happened. */
    BYTES,
    /** The disk did not take it. It is not in the ledger, and may be tried again. */
    DISK,
    /** The disk lied once, and is not trusted until the process has started anew. It may be in the ledger or not. */
    FAILED
}
