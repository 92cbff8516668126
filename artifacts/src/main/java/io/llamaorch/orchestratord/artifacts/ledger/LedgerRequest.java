package io.llamaorch.orchestratord.artifacts.ledger;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One record that somebody wants to have written, and who wants to know. Made by anybody, then {@code ledger}'s. */
final class LedgerRequest {
    private final int type;
    private final UUID id;
    private final @Nullable AdmittedTask admitted;
    private final @Nullable EndedTask ended;
    private final LedgerLane lane;
    private @Nullable LedgerAck ack;

    /**
     * A record to write.
     *
     * @param type of the record
     * @param id of the task
     * @param admitted what to write where it is an admission
     * @param ended what to write where it is an end
     * @param lane of who wants to know
     * @param ack told once, null where nobody wants to know
     */
    LedgerRequest(
            int type,
            UUID id,
            @Nullable AdmittedTask admitted,
            @Nullable EndedTask ended,
            LedgerLane lane,
            @Nullable LedgerAck ack) {
        this.type = type;
        this.id = id;
        this.admitted = admitted;
        this.ended = ended;
        this.lane = lane;
        this.ack = ack;
    }

    int type() {
        return type;
    }

    UUID id() {
        return id;
    }

    LedgerLane lane() {
        return lane;
    }

    /** Bytes that a client sent. */
    int clientBytes() {
        return admitted == null ? 0 : admitted.request().length;
    }

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

    /** Tells who asked; the first call counts. */
    void answer(@Nullable LedgerFailure failure) {
        LedgerAck asker = ack;
        ack = null;
        if (asker != null) {
            lane.add(asker, failure);
        }
    }
}
