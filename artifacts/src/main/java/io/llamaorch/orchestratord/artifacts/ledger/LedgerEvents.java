package io.llamaorch.orchestratord.artifacts.ledger;

/** What happens in the ledger, for metrics and logs. On the ledger's thread; never blocks, never throws. */
public interface LedgerEvents {
    /**
     * Records are as safe as the settings promise.
     *
     * @param records how many
     * @param bytes that they take
     * @param tookNs from the first append to the end of the sync
     */
    void onCommitted(int records, long bytes, long tookNs);

    /** The disk did not take a batch; it may take the next. */
    void onRefused(Throwable cause);

    /** Nothing is written any more until the process has started anew. */
    void onFailed(Throwable cause);

    /** A defect of the daemon. */
    void onDefect(Throwable defect);
}
