package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.AdmittedTask;
import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.artifacts.ledger.Ledger;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerLane;
import io.llamaorch.orchestratord.artifacts.ledger.Recovery;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec.Digest;
import io.llamaorch.orchestratord.server.json.TaskRequestReader;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Brings back what the ledger knows, before the first connection: tasks that are open are queued again, those that were
 * shown end with {@code WORKER_RESET}, and those that were over are known again.
 *
 * <p>On the thread that starts the daemon, while the scheduler has no thread of its own yet and the loops have theirs.
 */
final class TaskRecovery {
    /** Time for the disk to take the ends of tasks that were shown; after it they are shown as ended all the same. */
    private static final long RECORD_WAIT_S = 10;

    private final LoopContexts loops;
    private final TaskRegistry registry;
    private final Scheduler<Task> core;
    private final EventLog log;
    private final @Nullable TranscriptLog transcripts;
    private final long nowNs = System.nanoTime();
    private final long nowMs = System.currentTimeMillis();
    private final TaskRequestReader reader = new TaskRequestReader();
    private int nextLoop;

    /** @param transcripts open and not started, for those that are over; null: none are on disk */
    TaskRecovery(
            LoopContexts loops,
            TaskRegistry registry,
            Scheduler<Task> core,
            EventLog log,
            @Nullable TranscriptLog transcripts) {
        this.transcripts = transcripts;
        this.loops = loops;
        this.registry = registry;
        this.core = core;
        this.log = log;
    }

    /** What was asked for, as it can be read again. */
    private record Again(AdmittedTask task, TaskRequest request, Digest digest, int promptBytes) {}

    /**
     * Brings all of it back.
     *
     * @param keepMs how long a task that is over is kept, ms
     * @param keepTasks how many
     * @return the ordinal from which new admissions count
     */
    long recover(Ledger ledger, long keepMs, int keepTasks) {
        Recovery recovery = ledger.takeRecovery();
        List<Again> again = new ArrayList<>();
        List<EndedTask> reset = new ArrayList<>();
        long nextOrdinal = 0;
        for (Recovery.OpenTask open : recovery.open()) {
            AdmittedTask task = open.task();
            nextOrdinal = Math.max(nextOrdinal, task.ordinal() + 1);
            TaskRequestReader.Result read = reader.read(task.request(), task.request().length);
            TaskRequest request = read.request();
            if (request == null || open.exposed()) {
                reset.add(EndedTasks.reset(
                        request == null ? unreadable(task) : info(task, request),
                        new Digest(task.digestHigh(), task.digestLow()),
                        task.poolId(),
                        nowMs));
            } else {
                again.add(new Again(task, request, read.digest(), read.promptBytes()));
            }
        }
        record(ledger, reset);
        List<EndedTask> ended = new ArrayList<>(recovery.ended());
        ended.addAll(reset);
        ended.sort(Comparator.comparingLong(EndedTask::endedAtMs));
        Set<UUID> fresh = reset.stream().map(EndedTask::id).collect(Collectors.toSet());
        int known = 0;
        for (int i = 0; i < ended.size(); i++) {
            EndedTask task = ended.get(i);
            if (isArchived(task)) {
                known++;
            } else if (nowMs - task.endedAtMs() > keepMs || ended.size() - i > keepTasks) {
                ledger.forget(task.id(), new LedgerLane(Runnable::run, this::defect));
            } else {
                keep(task);
                known += fresh.contains(task.id()) ? 0 : 1;
            }
        }
        again.forEach(this::queue);
        ledger.wake();
        log.ledgerRecovered(again.size(), reset.size(), known, recovery.records(), recovery.tookNs() / 1_000_000);
        return nextOrdinal;
    }

    private void defect(Throwable thrown) {
        log.defect("ledger", null, thrown);
    }

    private LoopContext loop() {
        LoopContext loop = loops.get(nextLoop);
        nextLoop = (nextLoop + 1) % loops.all().size();
        return loop;
    }

    // ---- open ones ----

    private void queue(Again again) {
        AdmittedTask record = again.task();
        LoopContext home = loop();
        TaskInfo info = info(record, again.request());
        Submission submission = new Submission(
                Submission.NO_BODY, again.digest(), again.request().deadlineMs());
        Task task = Task.recovered(
                new TaskStream(info, again.request(), home.streams()),
                TaskRoutes.context(info, again.request().engine()),
                home,
                submission,
                null);
        registry.add(task);
        TaskSpec spec = TaskRoutes.spec(again.request(), again.digest(), again.promptBytes(), record.owner());
        core.restore(nowNs, spec, task, record.poolId(), nowNs - info.createdAtNs());
    }

    private TaskInfo info(AdmittedTask task, TaskRequest request) {
        return new TaskInfo(
                task.id(),
                request.sessionId(),
                task.owner(),
                request.engine().wireName(),
                request.priority(),
                request.detached(),
                request.seed(),
                request.samplerProfileVersion(),
                task.correlationId(),
                task.traceparent(),
                task.acceptedAtMs(),
                nowNs - waitedNs(task.acceptedAtMs()));
    }

    /** A request that this version would refuse: its client is told, by the id alone. */
    private TaskInfo unreadable(AdmittedTask task) {
        return new TaskInfo(
                task.id(),
                new UUID(0, 0),
                task.owner(),
                "none",
                Priority.BATCH,
                true,
                OptionalLong.empty(),
                null,
                task.correlationId(),
                task.traceparent(),
                task.acceptedAtMs(),
                nowNs - waitedNs(task.acceptedAtMs()));
    }

    /** A wall clock that was set back makes nothing older than it is. */
    private long waitedNs(long sinceMs) {
        return TimeUnit.MILLISECONDS.toNanos(Math.max(0, nowMs - sinceMs));
    }

    // ---- those that are over ----

    /** Nobody is told of an end that a further crash would change. */
    private void record(Ledger ledger, List<EndedTask> ended) {
        CountDownLatch waiting = new CountDownLatch(ended.size());
        LedgerLane lane = new LedgerLane(Runnable::run, this::defect);
        for (EndedTask task : ended) {
            ledger.end(task, lane, failure -> waiting.countDown());
        }
        ledger.wake();
        try {
            if (!waiting.await(RECORD_WAIT_S, TimeUnit.SECONDS)) {
                log.warning("ledger_slow", "The disk takes more than " + RECORD_WAIT_S + " s to put tasks on record.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isArchived(EndedTask task) {
        ArchivedTask archived = EndedTasks.archived(task);
        return transcripts != null && archived != null && transcripts.restore(archived);
    }

    private void keep(EndedTask ended) {
        LoopContext home = loop();
        TaskInfo info = EndedTasks.info(ended, nowNs, nowMs);
        long endedAtNs = nowNs - waitedNs(ended.endedAtMs());
        TaskStream stream = new TaskStream(info, EndedTasks.ending(ended), ended.lost(), endedAtNs, home.streams());
        Digest digest = new Digest(ended.digestHigh(), ended.digestLow());
        EngineKind engine = engine(ended.engine());
        Task task = Task.recovered(
                stream, TaskRoutes.context(info, engine), home, new Submission(Submission.NO_BODY, digest, 0), ended);
        registry.add(task);
        core.restoreEnded(nowNs, known(info, digest, engine), task);
        home.eventLoop().execute(stream::keep);
    }

    /** Enough to know it by. */
    private static TaskSpec known(TaskInfo info, Digest digest, EngineKind engine) {
        return new TaskSpec(
                info.id(),
                info.owner(),
                digest,
                info.sessionId(),
                engine,
                "",
                0,
                info.priority(),
                0,
                1,
                0,
                1,
                Determinism.BEST_EFFORT,
                null,
                Placement.AUTO);
    }

    private static EngineKind engine(String wireName) {
        for (EngineKind kind : EngineKind.values()) {
            if (kind.wireName().equals(wireName)) {
                return kind;
            }
        }
        return EngineKind.MOCK; // of a request that could not be read
    }
}
