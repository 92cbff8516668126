package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptRef;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec.Digest;
import io.llamaorch.orchestratord.server.sse.Ending;
import io.llamaorch.orchestratord.server.sse.Ending.Outcome;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What is kept of a task that is over, and told of it, before and after a restart. On its home loop. */
final class EndedTasks {
    private static final byte[] NO_TRANSCRIPT = {};

    private EndedTasks() {}

    /** How a task ended that is over. */
    static EndedTask of(Task task) {
        EndedTask recovered = task.recoveredEnd();
        TaskStream stream = task.stream();
        Ending ending = stream.ending();
        if (recovered != null) {
            return recovered;
        }
        if (ending == null) {
            throw new IllegalStateException("not over");
        }
        TaskInfo info = stream.info();
        Dispatch dispatch = stream.dispatch();
        Admission admission = stream.admission();
        EngineUsage usage = ending.usage();
        ApiError error = ending.error();
        ArchivedTask archived = stream.archived();
        long waitedNs = dispatch != null ? dispatch.queueTimeNs() : stream.endedAtNs() - info.createdAtNs();
        return new EndedTask(
                info.id(),
                info.owner(),
                task.digest().high(),
                task.digest().low(),
                info.sessionId(),
                state(ending.outcome()),
                info.priority().wireName(),
                info.engine(),
                dispatch != null ? dispatch.poolId() : admission == null ? "" : admission.poolId(),
                dispatch == null ? null : dispatch.replicaId(),
                usage == null ? -1 : usage.tokensIn(),
                stream.tokens(),
                finishReason(ending),
                info.createdAtMs(),
                stream.startedAtNs() == 0 ? 0 : wallMs(info, stream.startedAtNs()),
                wallMs(info, stream.endedAtNs()),
                waitedNs / 1_000_000,
                stream.firstTokenAtNs() == 0 ? -1 : stream.firstTokenMs(),
                stream.decodeMs(),
                stream.lastEventId(),
                info.correlationId(),
                error == null ? null : EndedTask.Failure.of(error),
                false,
                archived == null ? NO_TRANSCRIPT : archived.transcript().encode());
    }

    /** What is known of it where its transcript is on disk; null where that is not so. */
    static @Nullable ArchivedTask archived(EndedTask task) {
        TranscriptRef ref = TranscriptRef.decode(task.transcript());
        return ref == null ? null : archived(task, ref);
    }

    /** The same, of a transcript that has just been written. */
    static ArchivedTask archived(EndedTask task, TranscriptRef ref) {
        return new ArchivedTask(
                task.id(), task.owner(), task.digestHigh(), task.digestLow(), task.poolId(), task.endedAtMs(), ref);
    }

    /** How a task ended that ran and was shown when the daemon went down. */
    static EndedTask reset(TaskInfo info, Digest digest, String poolId, long nowMs) {
        ApiError error = ApiError.of(
                        ErrorCode.WORKER_RESET,
                        "The daemon started again while this task ran, and events of it had been sent; submit it again"
                                + " with a new task_id.")
                .at(info.engine(), poolId);
        return new EndedTask(
                info.id(),
                info.owner(),
                digest.high(),
                digest.low(),
                info.sessionId(),
                state(Outcome.FAILED),
                info.priority().wireName(),
                info.engine(),
                poolId,
                null,
                -1,
                0,
                null,
                info.createdAtMs(),
                0,
                Math.max(nowMs, info.createdAtMs()),
                Math.max(0, nowMs - info.createdAtMs()),
                -1,
                0,
                1,
                info.correlationId(),
                EndedTask.Failure.of(error),
                true,
                NO_TRANSCRIPT);
    }

    /** What a stream's owner knows of a task that was over before the daemon started. */
    static TaskInfo info(EndedTask task, long nowNs, long nowMs) {
        return new TaskInfo(
                task.id(),
                task.sessionId(),
                task.owner(),
                task.engine(),
                Priority.valueOf(task.priority().toUpperCase(Locale.ROOT)),
                true,
                OptionalLong.empty(),
                null,
                task.correlationId(),
                null,
                task.createdAtMs(),
                nowNs - Math.max(0, nowMs - task.createdAtMs()) * 1_000_000);
    }

    /** The same, as its stream's ending. */
    static Ending ending(EndedTask task) {
        EndedTask.Failure error = task.error();
        Outcome outcome =
                switch (task.state()) {
                    case "completed" -> Outcome.COMPLETED;
                    case "canceled" -> Outcome.CANCELED;
                    default -> Outcome.FAILED;
                };
        return new Ending(outcome, null, null, error == null ? null : error.toError(), null);
    }

    private static String state(Outcome outcome) {
        return switch (outcome) {
            case COMPLETED -> "completed";
            case CANCELED -> "canceled";
            case FAILED, EVICTED -> "failed";
        };
    }

    private static @Nullable String finishReason(Ending ending) {
        EngineUsage usage = ending.usage();
        if (usage != null) {
            return usage.finishReason().wireName();
        }
        return ending.outcome() == Outcome.CANCELED ? FinishReason.CANCELED.wireName() : null;
    }

    private static long wallMs(TaskInfo info, long atNs) {
        return info.createdAtMs() + (atNs - info.createdAtNs()) / 1_000_000;
    }
}
