package io.llamaorch.orchestratord.artifacts.ledger;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One record that somebody wants to have written, and who wants to know.
 *
 * @param type of the record
 * @param id of the task
 * @param admitted what to write where it is an admission
 * @param ended what to write where it is an end
 * @param lane of who wants to know
 * @param ack told, null where nobody wants to know
 */
record LedgerRequest(
        int type,
        UUID id,
        @Nullable AdmittedTask admitted,
        @Nullable EndedTask ended,
        LedgerLane lane,
        @Nullable LedgerAck ack) {

    /** Whether it can wait for a disk that has no room; whoever asked is answered once and not held up. */
    boolean canWait() {
        return type != LedgerCodec.ADMITTED;
    }

    void encode(Payload payload) {
        payload.clear();
        if (admitted != null) {
            LedgerCodec.put(payload, admitted);
        } else if (ended != null) {
            LedgerCodec.put(payload, ended);
        } else {
            LedgerCodec.put(payload, id);
        }
    }

    void answer(@Nullable LedgerFailure failure) {
        if (ack != null) {
            lane.add(ack, failure);
        }
    }

    /** The same, for somebody who has been answered. */
    LedgerRequest unasked() {
        return new LedgerRequest(type, id, admitted, ended, lane, null);
    }
}
