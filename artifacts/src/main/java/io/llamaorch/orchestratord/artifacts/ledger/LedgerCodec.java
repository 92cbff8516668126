package io.llamaorch.orchestratord.artifacts.ledger;

import io.llamaorch.orchestratord.artifacts.segment.SegmentRecord;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The ledger's records as bytes. A type is never used for something else; a change of a payload is a new version, and
 * the old ones are read for good. Types from 5 on are free: budgets, sessions and the catalog will take some.
 *
 * <pre>
 *   ADMITTED   id 16, exposed 1, ordinal 8, accepted 8, deadline 8, digest 16, pool, owner, correlation id, traceparent, request
 *   EXPOSED    id 16
 *   ENDED      id 16, then the members of {@link EndedTask} in their order
 *   FORGOTTEN  id 16
 * </pre>
 *
 * <p>A text or an array is its length, 4 bytes, −1 for null, and its bytes.
 */
final class LedgerCodec {
    static final int ADMITTED = 1;
    static final int EXPOSED = 2;
    static final int ENDED = 3;
    static final int FORGOTTEN = 4;

    /** Version of every payload so far. */
    static final int VERSION = 1;

    private static final int EXPOSED_AT = 16;

    private LedgerCodec() {}

    /** Whether this version can read a record. */
    static boolean isKnown(SegmentRecord record) {
        return record.type() <= FORGOTTEN && record.version() <= VERSION;
    }

    static void put(Payload to, UUID id) {
        to.put(id);
    }

    static void put(Payload to, AdmittedTask task) {
        to.put(task.id())
                .put(false)
                .put(task.ordinal())
                .put(task.acceptedAtMs())
                .put(task.deadlineAtMs())
                .put(task.digestHigh())
                .put(task.digestLow())
                .put(task.poolId())
                .put(task.owner())
                .put(task.correlationId())
                .put(task.traceparent())
                .put(task.request());
    }

    static void put(Payload to, EndedTask task) {
        to.put(task.id())
                .put(task.owner())
                .put(task.digestHigh())
                .put(task.digestLow())
                .put(task.sessionId())
                .put(task.state())
                .put(task.priority())
                .put(task.engine())
                .put(task.poolId())
                .put(task.replicaId())
                .put(task.tokensIn())
                .put(task.tokensOut())
                .put(task.finishReason())
                .put(task.createdAtMs())
                .put(task.startedAtMs())
                .put(task.endedAtMs())
                .put(task.queueTimeMs())
                .put(task.firstTokenMs())
                .put(task.decodeMs())
                .put(task.lastEventId())
                .put(task.correlationId());
        EndedTask.Failure error = task.error();
        to.put(error != null);
        if (error != null) {
            to.put(error.code())
                    .put(error.message())
                    .put(error.engine())
                    .put(error.poolId())
                    .put(error.retriable())
                    .put(error.retryAfterMs());
        }
        to.put(task.lost()).put(task.transcript());
    }

    /** The id that every payload begins with. */
    static UUID id(ByteBuffer payload) {
        int at = payload.position();
        return new UUID(payload.getLong(at), payload.getLong(at + 8));
    }

    /** Whether an ADMITTED payload says that something of the task was shown. */
    static boolean isExposed(ByteBuffer payload) {
        return payload.get(payload.position() + EXPOSED_AT) != 0;
    }

    /** The same ADMITTED payload, saying that something of the task was shown. */
    static ByteBuffer exposed(ByteBuffer payload) {
        return payload.put(payload.position() + EXPOSED_AT, (byte) 1);
    }

    static AdmittedTask admitted(ByteBuffer from) {
        UUID id = Payload.uuid(from);
        Payload.flag(from);
        return new AdmittedTask(
                id,
                from.getLong(),
                from.getLong(),
                from.getLong(),
                from.getLong(),
                from.getLong(),
                Payload.text(from),
                Payload.text(from),
                Payload.text(from),
                Payload.textOrNull(from),
                Payload.array(from));
    }

    static EndedTask ended(ByteBuffer from) {
        return new EndedTask(
                Payload.uuid(from),
                Payload.text(from),
                from.getLong(),
                from.getLong(),
                Payload.uuid(from),
                Payload.text(from),
                Payload.text(from),
                Payload.text(from),
                Payload.text(from),
                Payload.textOrNull(from),
                from.getInt(),
                from.getInt(),
                Payload.textOrNull(from),
                from.getLong(),
                from.getLong(),
                from.getLong(),
                from.getLong(),
                from.getLong(),
                from.getLong(),
                from.getInt(),
                Payload.text(from),
                failure(from),
                Payload.flag(from),
                Payload.array(from));
    }

    private static EndedTask.@Nullable Failure failure(ByteBuffer from) {
        return Payload.flag(from)
                ? new EndedTask.Failure(
                        Payload.text(from),
                        Payload.text(from),
                        Payload.textOrNull(from),
                        Payload.textOrNull(from),
                        Payload.flag(from),
                        from.getLong())
                : null;
    }
}
