package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.AdmittedTask;
import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.artifacts.ledger.Ledger;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerAck;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerFailure;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerLane;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The ledger as tasks use it; or none, where durability is off: then nothing is waited for. Acknowledgements come on the
 * task's home loop. <b>Owner thread:</b> the home loop of the task in question, but for {@link #reserve}.
 */
final class TaskLedger {
    private static final long RETRY_MS = 1_000;

    private final @Nullable Ledger ledger;
    private final List<LedgerLane> lanes = new ArrayList<>();
    private final LedgerLane unheard = new LedgerLane(Runnable::run, thrown -> {});

    /** @param loops in the order of their indices; each gets its acknowledgements as one task a batch */
    TaskLedger(@Nullable Ledger ledger, List<LoopContext> loops, EventLog log) {
        this.ledger = ledger;
        for (LoopContext loop : loops) {
            lanes.add(new LedgerLane(loop.eventLoop(), thrown -> log.defect("ledger", null, thrown)));
        }
    }

    /** Any thread: whether tasks go on record. */
    boolean isOn() {
        return ledger != null;
    }

    /** Any thread: whether what goes on record now survives. */
    boolean isSound() {
        return ledger != null && !ledger.failed();
    }

    /** Any thread: takes room for a task before the scheduler is asked; null where there is room. */
    @Nullable
    ApiError reserve(Task task) {
        if (ledger == null) {
            return null;
        }
        int bytes = task.submission().body().length;
        LedgerFailure failure = ledger.reserve(bytes);
        if (failure != null) {
            return error(failure);
        }
        task.reserved(bytes);
        return null;
    }

    /** Gives back what was taken for a task, if that has not been done. */
    void release(Task task) {
        int bytes = task.takeReserved();
        if (ledger != null && bytes >= 0) {
            ledger.release(bytes);
        }
    }

    /** A task is in; {@code ack} follows, at once where there is no ledger. */
    void admit(Task task, String poolId, long ordinal, LedgerAck ack) {
        if (ledger == null) {
            ack.settled(null);
            return;
        }
        TaskInfo info = task.stream().info();
        Submission submission = task.submission();
        AdmittedTask record = new AdmittedTask(
                info.id(),
                ordinal,
                info.createdAtMs(),
                info.createdAtMs() + submission.deadlineMs(),
                submission.digest().high(),
                submission.digest().low(),
                poolId,
                info.owner(),
                info.correlationId(),
                info.traceparent(),
                submission.body());
        task.dropBody();
        ledger.admit(record, lane(task), failure -> {
            release(task);
            ack.settled(failure);
        });
        wake(ledger);
    }

    /** Events are about to be shown; whether {@code ack} follows. */
    boolean expose(Task task, LedgerAck ack) {
        if (ledger == null || ledger.failed()) {
            return false;
        }
        ledger.expose(task.stream().info().id(), lane(task), ack);
        wake(ledger);
        return true;
    }

    /** A task is over; whether {@code ack} follows. */
    boolean end(Task task, LedgerAck ack) {
        if (ledger == null || ledger.failed()) {
            return false;
        }
        EndedTask record = EndedTasks.of(task);
        ledger.end(record, lane(task), ack);
        wake(ledger);
        return true;
    }

    /** Nothing is remembered of a task any more. */
    void forget(Task task) {
        if (ledger != null) {
            UUID id = task.stream().info().id();
            ledger.forget(id, lane(task));
            wake(ledger);
        }
    }

    /** Any thread: nothing is remembered of a task that had left memory. */
    void forget(UUID id) {
        if (ledger != null) {
            ledger.forget(id, unheard);
            ledger.wake();
        }
    }

    private LedgerLane lane(Task task) {
        return lanes.get(task.home().index());
    }

    private static void wake(Ledger ledger) {
        LoopContext loop = LoopContext.current();
        if (loop == null) {
            ledger.wake();
        } else {
            loop.wakeAtEndOfTurn(ledger);
        }
    }

    /** What somebody is told whose task is not in the ledger. */
    static ApiError error(LedgerFailure failure) {
        return switch (failure) {
            case QUEUE ->
                ApiError.of(
                                ErrorCode.ADMISSION_REJECT,
                                "More tasks wait to be put on record than may; come back in " + RETRY_MS + " ms.")
                        .by("ledger")
                        .retryAfterMs(RETRY_MS);
            case BYTES ->
                ApiError.of(
                                ErrorCode.STORAGE_FULL,
                                "The tasks that are open or kept take all the room that the ledger may have"
                                        + " (ledger.max_bytes); wait until some have ended and are forgotten.")
                        .by("ledger");
            case DISK ->
                ApiError.of(
                                ErrorCode.STORAGE_FULL,
                                "The disk did not take the task's record, so the task was not accepted; try again when"
                                        + " there is room.")
                        .by("disk");
            case FAILED ->
                ApiError.of(
                                ErrorCode.INTERNAL,
                                "The disk failed and no task can be put on record until the daemon has started anew;"
                                        + " whether this one is, is not known. Submit it again, with the same task_id,"
                                        + " after that, or go elsewhere.")
                        .by("ledger");
        };
    }
}
