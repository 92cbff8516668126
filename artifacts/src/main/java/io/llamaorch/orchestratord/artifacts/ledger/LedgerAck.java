package io.llamaorch.orchestratord.artifacts.ledger;

import org.jspecify.annotations.Nullable;

/** Learns what became of a record; once, on its lane. */
@FunctionalInterface
public interface LedgerAck {
    /**
     * The record is as safe as the settings promise, or not.
     *
     * @param failure null where it is
     */
    void settled(@Nullable LedgerFailure failure);
}
