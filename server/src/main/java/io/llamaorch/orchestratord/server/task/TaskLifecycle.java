package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerFailure;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.scheduler.core.Charge;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.Outcome;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.log.StreamSummary;
import io.llamaorch.orchestratord.server.metrics.CancelReason;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.PoolSeries;
import io.llamaorch.orchestratord.server.metrics.RejectReason;
import io.llamaorch.orchestratord.server.metrics.ReplicaSeries;
import io.llamaorch.orchestratord.server.metrics.TaskOutcome;
import io.llamaorch.orchestratord.server.pool.Pools;
import io.llamaorch.orchestratord.server.pool.Replica;
import io.llamaorch.orchestratord.server.pool.Watches;
import io.llamaorch.orchestratord.server.sse.Ending;
import io.llamaorch.orchestratord.server.sse.StreamEvents;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import java.util.UUID;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What happens when something happens to a task: the scheduler is told, it is counted, it is logged. Every method on the
 * task's home loop.
 *
 * <p>What gives a slot or an id back is never lost: see {@link LoopContext#tell}.
 */
final class TaskLifecycle implements StreamEvents {
    private final TaskRegistry registry;
    private final Pools pools;
    private final Metrics metrics;
    private final EventLog log;
    private final IntFunction<LoopContext> engineLoopOf;
    private @Nullable SchedulerRing<Task> ring;
    private @Nullable Watches watches;
    private @Nullable TaskLedger ledger;
    private volatile @Nullable ApiError stopError;

    /**
     * Not yet connected to the scheduler; {@link #connect} comes before the first task.
     *
     * @param engineLoopOf the loop that makes the engine calls of streams of a loop, by the latter's index
     */
    TaskLifecycle(
            TaskRegistry registry, Pools pools, Metrics metrics, EventLog log, IntFunction<LoopContext> engineLoopOf) {
        this.registry = registry;
        this.pools = pools;
        this.metrics = metrics;
        this.log = log;
        this.engineLoopOf = engineLoopOf;
    }

    /** The ring and this class need each other; called once, before the threads start. */
    void connect(SchedulerRing<Task> newRing, Watches newWatches, TaskLedger newLedger) {
        ring = newRing;
        watches = newWatches;
        ledger = newLedger;
    }

    private TaskLedger ledger() {
        TaskLedger connected = ledger;
        if (connected == null) {
            throw new IllegalStateException("not connected to the ledger");
        }
        return connected;
    }

    private Watches watches() {
        Watches connected = watches;
        if (connected == null) {
            throw new IllegalStateException("not connected to the watches");
        }
        return connected;
    }

    private SchedulerRing<Task> ring() {
        SchedulerRing<Task> connected = ring;
        if (connected == null) {
            throw new IllegalStateException("not connected to the scheduler");
        }
        return connected;
    }

    /** Any thread: whatever is dispatched from now on ends with that error; the daemon stops. */
    void failWhatComes(ApiError error) {
        stopError = error;
    }

    // ---- the scheduler's word ----

    /** @param ordinal order of admission, for the ledger */
    void admitted(Task task, Admission admission, long ordinal) {
        if (task.isRecovered()) {
            countAdmitted(task, admission);
            return;
        }
        log.admitted(task.context(), admission);
        ledger().admit(task, admission.poolId(), ordinal, failure -> recorded(task, admission, failure));
    }

    private void countAdmitted(Task task, Admission admission) {
        pools.series(admission.poolId()).enqueued(task.stream().info().priority());
    }

    /** The ledger has the task, and it is accepted; or it has not, and the task is taken out again. */
    private void recorded(Task task, Admission admission, @Nullable LedgerFailure failure) {
        if (failure == null) {
            countAdmitted(task, admission);
            task.onAccepted(null);
            task.replyAdmitted(admission, false);
            return;
        }
        ApiError error = TaskLedger.error(failure);
        if (task.stream().ending() != null) {
            countAdmitted(task, admission); // its end was counted
        }
        refused(task, error);
        try {
            task.onAccepted(error);
            task.replyRefused(error, null);
        } finally {
            task.stream().discard(error);
        }
    }

    /** The same request came again: it is answered like the first one, once that is on record. */
    void replayed(Task offered, Task existing, Admission admission) {
        ledger().release(offered);
        if (existing.isAccepted()) {
            offered.replyAdmitted(admission, true);
            return;
        }
        existing.home()
                .run(() -> existing.whenAccepted(error -> offered.home().run(() -> {
                    if (error == null) {
                        offered.replyAdmitted(admission, true);
                    } else {
                        offered.replyRefused(error, null);
                    }
                })));
    }

    /** The same request came again, of a task that is over and known from its transcript. */
    void replayedFromDisk(Task offered, Admission over) {
        ledger().release(offered);
        offered.replyAdmitted(over, true);
    }

    /** The scheduler took a queued task out. When the daemon stops, one that is on record waits for the next start. */
    void dropped(Task task, ApiError error) {
        if (stopError != null && ledger().isSound() && task.isAccepted()) {
            task.stream().suspend();
        } else {
            task.stream().fail(Ending.Outcome.EVICTED, error);
        }
    }

    void moved(Task task, Admission admission) {
        Admission was = task.stream().admission();
        if (was != null) {
            metrics.moved(was.poolId(), admission.poolId()).inc();
        }
        task.stream().onMoved(admission.poolId());
    }

    void refused(Task offered, ApiError error) {
        ledger().release(offered);
        String engine = offered.stream().info().engine();
        metrics.rejected(engine, RejectReason.of(error.code())).inc();
        String policy = error.policyLabel();
        if (policy != null && LimitLabels.isLimit(policy)) {
            metrics.limited(policy).inc();
        } else if (error.code() == ErrorCode.ADMISSION_REJECT || error.code() == ErrorCode.QUEUE_FULL_DROP_LRU) {
            metrics.backpressure(offered.context().engine(), policy == null ? "none" : policy)
                    .inc();
        }
        log.rejected(
                offered.context(),
                offered.context().correlationId(),
                offered.context().identity(),
                error);
    }

    /** A task is over, and was charged. */
    void settled(Task task, Charge charge) {
        metrics.charged(BudgetKind.TOKENS).inc((double) charge.tokensIn() + charge.tokensOut());
        metrics.charged(BudgetKind.TIME).inc((double) charge.decodeMs());
        metrics.charged(BudgetKind.COST).inc((double) charge.costNanos() / BudgetKind.NANOS);
        log.settled(task.context(), charge);
    }

    void answered(Task task, Admission now) {
        task.onAnswered(now, thrown -> log.defect("status", task.context().correlationId(), thrown));
    }

    void dispatched(Task task, Dispatch dispatch) {
        try {
            place(task, dispatch);
        } finally {
            if (task.stream().dispatch() == null) { // canceled meanwhile, or the placing threw
                UUID id = task.stream().info().id();
                task.home().tell(() -> ring().offerFinished(id, Outcome.NEVER_STARTED, 0, 0, 0));
            }
        }
    }

    private void place(Task task, Dispatch dispatch) {
        Replica replica = replicaOf(dispatch);
        metrics.placement(
                        true, dispatch.decision().pinned(), dispatch.decision().fallback())
                .inc();
        metrics.candidatesConsidered(dispatch.decision().candidates().size());
        log.placed(task.context(), dispatch);
        LoopContext engineLoop = engineLoopOf.apply(task.home().index());
        EngineTarget target = replica.target(dispatch.generation());
        boolean taken = task.stream().onDispatched(dispatch, replica.pool().adapter(), target, engineLoop.streams());
        if (taken) {
            if (dispatch.attempt() == 0) {
                replica.series(dispatch.engineVersion())
                        .started(task.stream().info().priority());
            }
            ApiError error = stopError;
            if (error != null) {
                task.stream().fail(Ending.Outcome.FAILED, error);
            }
        }
    }

    /** A message about a task threw: whoever waits for the task hears of it, and it ends, if it was in. */
    void messageFailed(Task task, Throwable thrown) {
        TaskStream stream = task.stream();
        ledger().release(task);
        try {
            if (registry.get(stream.info().id()) == task) {
                stream.onDefect(thrown);
            } else {
                defect(stream, thrown);
            }
            task.replyRefused(
                    ApiError.of(
                            ErrorCode.INTERNAL,
                            "The daemon met a defect while it took this task in; report the correlation id."),
                    null);
        } catch (Throwable again) {
            defect(stream, again);
        }
    }

    // ---- the stream's word ----

    @Override
    public void started(TaskStream stream) {
        Task task = registry.get(stream.info().id());
        Dispatch dispatch = stream.dispatch();
        if (task != null && dispatch != null) {
            log.streamStarted(task.context(), dispatch);
        }
    }

    @Override
    public void firstToken(TaskStream stream) {
        UUID id = stream.info().id();
        ring().offerFirstToken(id, -1); // an estimate's sample: may be lost while the ring is full
        Dispatch dispatch = stream.dispatch();
        if (dispatch != null) {
            watches().onDecoded(dispatch);
            replicaOf(dispatch)
                    .poolSeries(dispatch.engineVersion())
                    .firstTokenMs(
                            stream.info().priority(),
                            (stream.firstTokenAtNs() - stream.info().createdAtNs()) / 1e6);
        }
    }

    @Override
    public void engineFailed(TaskStream stream, EngineFailure failure) {
        Dispatch dispatch = stream.dispatch();
        if (dispatch != null) {
            watches().onFailed(dispatch, failure);
        }
    }

    @Override
    public void retry(TaskStream stream) {
        UUID id = stream.info().id();
        Task task = registry.get(id);
        if (task == null) {
            throw new IllegalStateException("a retry of an unknown task");
        }
        metrics.retries(stream.info().engine()).inc();
        log.retried(task.context(), stream.retryFailure());
        task.home().tell(() -> ring().offerRetry(id));
    }

    @Override
    public void progress(TaskStream stream) {
        UUID id = stream.info().id();
        Dispatch dispatch = stream.dispatch();
        if (dispatch != null) {
            replicaOf(dispatch).series(dispatch.engineVersion()).tokensOut(stream.takeUncounted());
        }
        if (!ring().offerProgress(id, stream.tokens()) || !ring().offerQuery(id)) {
            metrics.framesDropped().inc();
        }
    }

    @Override
    public void askPosition(TaskStream stream) {
        ring().offerQuery(stream.info().id()); // the next heartbeat asks again
    }

    @Override
    public void defect(TaskStream stream, Throwable thrown) {
        log.defect("stream", stream.info().correlationId(), thrown);
    }

    @Override
    public void metricsFrameDropped(TaskStream stream) {
        metrics.framesDropped().inc();
    }

    @Override
    public void readerCut(TaskStream stream, String reason, long lagBytes) {
        metrics.readersCut(reason).inc();
        Task task = registry.get(stream.info().id());
        if (task != null) {
            log.readerCut(task.context(), reason, lagBytes);
        }
    }

    @Override
    public boolean expose(TaskStream stream) {
        Task task = registry.get(stream.info().id());
        return task != null && ledger().expose(task, failure -> stream.onExposed());
    }

    @Override
    public boolean record(TaskStream stream) {
        Task task = registry.get(stream.info().id());
        return task != null && !stream.isUnwanted() && ledger().end(task, failure -> stream.onRecorded());
    }

    @Override
    public void archived(TaskStream stream) {
        Task task = registry.get(stream.info().id());
        if (task != null && !stream.isUnwanted()) {
            ledger().end(task, failure -> {}); // once more, with where its transcript is
        }
    }

    @Override
    public void ended(TaskStream stream) {
        Task task = registry.get(stream.info().id());
        Ending ending = stream.ending();
        if (task == null || ending == null) {
            throw new IllegalStateException("ended without an ending or unknown");
        }
        Dispatch dispatch = stream.dispatch();
        giveBack(task, ending, dispatch);
        if (stream.isUnwanted()) {
            return; // it was never accepted, and its submitter has been told
        }
        if (dispatch != null && ending.outcome() == Ending.Outcome.COMPLETED) {
            watches().onCompleted(dispatch);
        }
        count(stream, ending, dispatch);
        log(task, ending, dispatch);
    }

    @Override
    public void evicted(TaskStream stream) {
        UUID id = stream.info().id();
        Task task = registry.get(id);
        registry.remove(id); // first: from here on the id may be admitted anew
        if (task != null) {
            if (stream.archived() == null) { // else when its transcript goes
                ledger().forget(task);
            }
            task.home().tell(() -> ring().offerForget(id));
        }
    }

    private void giveBack(Task task, Ending ending, @Nullable Dispatch dispatch) {
        UUID id = task.stream().info().id();
        if (dispatch != null) {
            EngineUsage usage = ending.usage();
            int tokensIn = usage == null ? -1 : usage.tokensIn();
            int tokensOut = task.stream().tokens();
            Outcome outcome =
                    switch (ending.outcome()) {
                        case COMPLETED -> Outcome.COMPLETED;
                        case CANCELED -> Outcome.CANCELED;
                        case FAILED, EVICTED ->
                            task.stream().startedAtNs() == 0 ? Outcome.NEVER_STARTED : Outcome.FAILED;
                    };
            long decodeMs = task.stream().decodeMs();
            task.home().tell(() -> ring().offerFinished(id, outcome, tokensIn, tokensOut, decodeMs));
        } else if (ending.outcome() != Ending.Outcome.EVICTED) {
            task.home().tell(() -> ring().offerWithdraw(id));
        }
    }

    private void count(TaskStream stream, Ending ending, @Nullable Dispatch dispatch) {
        TaskInfo info = stream.info();
        Admission admission = stream.admission();
        String version = dispatch == null ? "" : dispatch.engineVersion();
        ReplicaSeries replica = dispatch == null ? null : replicaOf(dispatch).series(version);
        if (dispatch == null && admission == null) {
            return; // no pool took it back after a restart, so it was counted nowhere
        }
        PoolSeries pool = dispatch != null
                ? replicaOf(dispatch).poolSeries(version)
                : pools.series(admission == null ? "" : admission.poolId());
        EngineUsage usage = ending.usage();
        pool.finished(outcomeLabel(ending));
        if (replica != null) {
            replica.tokensOut(stream.takeUncounted());
            if (usage != null) {
                replica.tokensIn(Math.max(0, usage.tokensIn()));
            }
            if (stream.firstTokenAtNs() != 0) {
                pool.decodeMs(info.priority(), (stream.endedAtNs() - stream.firstTokenAtNs()) / 1e6);
            }
        }
        if (ending.outcome() == Ending.Outcome.CANCELED) {
            CancelReason reason =
                    "disconnect".equals(ending.cancelReason()) ? CancelReason.DISCONNECT : CancelReason.CLIENT;
            if (replica != null) {
                replica.canceled(reason);
            } else {
                pool.canceled(reason);
            }
        }
    }

    private void log(Task task, Ending ending, @Nullable Dispatch dispatch) {
        TaskStream stream = task.stream();
        EngineUsage usage = ending.usage();
        StreamSummary summary = new StreamSummary(
                dispatch == null ? "" : dispatch.poolId(),
                dispatch == null ? "" : dispatch.replicaId(),
                dispatch == null ? "" : dispatch.engineVersion(),
                usage == null ? -1 : usage.tokensIn(),
                stream.tokens(),
                dispatch != null
                        ? dispatch.queueTimeNs() / 1_000_000
                        : (stream.endedAtNs() - stream.info().createdAtNs()) / 1_000_000,
                stream.firstTokenAtNs() == 0 ? -1 : stream.firstTokenMs(),
                stream.decodeMs(),
                dispatch != null && dispatch.kvWarmth(),
                null);
        ApiError error = ending.error();
        String cancelReason = ending.cancelReason();
        if (cancelReason != null) {
            log.canceled(task.context(), cancelReason, summary);
        } else if (error == null) {
            log.streamEnded(task.context(), usage == null ? FinishReason.STOP : usage.finishReason(), summary);
        } else if (ending.outcome() == Ending.Outcome.EVICTED) {
            log.evicted(task.context(), error);
        } else {
            log.streamFailed(task.context(), error, summary);
        }
    }

    private Replica replicaOf(Dispatch dispatch) {
        return pools.replica(dispatch.lease().poolIndex(), dispatch.lease().replicaIndex());
    }

    private static TaskOutcome outcomeLabel(Ending ending) {
        return switch (ending.outcome()) {
            case COMPLETED -> TaskOutcome.COMPLETED;
            case CANCELED -> TaskOutcome.CANCELED;
            case FAILED -> TaskOutcome.FAILED;
            case EVICTED -> TaskOutcome.EVICTED;
        };
    }
}
