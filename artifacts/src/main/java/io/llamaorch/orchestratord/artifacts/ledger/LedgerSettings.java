package io.llamaorch.orchestratord.artifacts.ledger;

/**
 * How the ledger keeps its word.
 *
 * @param sync whether an acknowledgement waits for stable storage; else it waits for the file alone, which is brought to
 *     stable storage each {@code syncPeriodMs}
 * @param syncPeriodMs longest time that something written is not synchronised, where {@code sync} is false; ms
 * @param queueCount most admissions that wait to be written
 * @param queueBytes most bytes of their requests
 * @param segmentBytes length of a segment
 * @param maxBytes most bytes on disk; what is live may take half of it
 * @param endedMax most tasks that are over that come back at a start
 */
public record LedgerSettings(
        boolean sync,
        long syncPeriodMs,
        int queueCount,
        long queueBytes,
        int segmentBytes,
        long maxBytes,
        int endedMax) {}
