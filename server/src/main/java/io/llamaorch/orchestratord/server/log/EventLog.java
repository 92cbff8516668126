package io.llamaorch.orchestratord.server.log;

import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.gpu.GpuEvent;
import io.llamaorch.orchestratord.adapters.gpu.GpuSnapshot;
import io.llamaorch.orchestratord.adapters.gpu.XidSeverity;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.scheduler.core.Charge;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.PlacementDecision;
import java.util.Locale;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The events worth a line. From any thread; never blocks, and costs an allocation or two: not for use per token.
 *
 * <p>Spans are ms. {@code human} is a sentence without ids: those are fields. No method takes a prompt or a key.
 */
public final class EventLog {
    private static final String CALLER = EventLog.class.getName();
    private static final int CANDIDATES_MAX = 16;

    private final Logger log;

    EventLog(Logger log) {
        this.log = log;
    }

    /** The process has begun. */
    public void daemonStarting(String version) {
        event(Level.INFO, "daemon_starting", "Starting.")
                .with("version", version)
                .write(log);
    }

    /** Sockets are bound: from now on requests are taken. */
    public void daemonListening(String address, long startMs) {
        event(Level.INFO, "daemon_listening", "Listening on " + address + ".")
                .with("address", address)
                .with("start_ms", startMs)
                .write(log);
    }

    /** No new tasks from now on. */
    public void daemonDraining(String reason, long openTasks, long deadlineMs) {
        event(Level.INFO, "daemon_draining", "Draining: no new tasks, open ones may finish.")
                .with("reason", reason)
                .with("open_tasks", openTasks)
                .with("deadline_ms", deadlineMs)
                .write(log);
    }

    /** The last line of a run. */
    public void daemonStopped(int exitCode, long upMs) {
        event(Level.INFO, "daemon_stopped", "Stopped.")
                .with("exit_code", exitCode)
                .with("up_ms", upMs)
                .write(log);
    }

    /** Something that may be allowed and is probably not meant, such as a warning of the configuration. */
    public void warning(String event, String human) {
        event(Level.WARN, event, human).write(log);
    }

    /** A task is in. */
    public void admitted(TaskContext task, Admission admission) {
        String human = "A task was queued behind " + admission.queuePosition() + ".";
        if (admission.queuePosition() == 0) {
            human = admission.predictedStartMs() == 0
                    ? "A task was admitted and starts at once."
                    : "A task was queued and is the next to start.";
        }
        task(Level.INFO, "admission", human, task)
                .with("pool_id", admission.poolId())
                .with("queue_position", admission.queuePosition())
                .with("predicted_start_ms", admission.predictedStartMs())
                .with("predicted_end_ms", admission.predictedEndMs())
                .with("queue_depth", admission.queueDepth())
                .with("on_time_probability", admission.onTimeProbability())
                .write(log);
    }

    /** A task was charged for what it used, in place of what it had reserved. */
    public void settled(TaskContext task, Charge charge) {
        EventLine line = task(Level.INFO, "settle", "A task was charged for what it used.", task)
                .with("tokens_in", charge.tokensIn())
                .with("tokens_estimated", charge.estimated() ? true : null)
                .with("tokens_out", charge.tokensOut())
                .with("decode_time_ms", charge.decodeMs())
                .with("cost", BudgetKind.decimal(charge.costNanos()));
        Allowance left = charge.allowance();
        if (left != null) {
            line.with("tokens_budget_remaining", limited(left.tokensLeft()))
                    .with("time_budget_remaining_ms", limited(left.timeMsLeft()))
                    .with(
                            "cost_budget_remaining",
                            left.costNanosLeft() < 0 ? null : BudgetKind.decimal(left.costNanosLeft()));
        }
        line.write(log);
    }

    private static @Nullable Long limited(long left) {
        return left == Allowance.NOT_LIMITED ? null : left;
    }

    /** A task got a slot, and why that one. */
    public void placed(TaskContext task, Dispatch dispatch) {
        PlacementDecision decision = dispatch.decision();
        String why =
                decision.pinned() ? "as pinned" : "by " + decision.decidedBy().replace('_', ' ');
        task(Level.INFO, "placement", "A task got a slot, " + why + ".", task)
                .with("pool_id", dispatch.poolId())
                .with("replica_id", dispatch.replicaId())
                .with("engine_version", dispatch.engineVersion())
                .with("queue_time_ms", dispatch.queueTimeNs() / 1_000_000)
                .with("kv_warmth", dispatch.kvWarmth())
                .with("decision_by", decision.decidedBy())
                .with("decision_pinned", decision.pinned())
                .with("decision_fallback", decision.fallback())
                .with("decision_candidates_count", decision.candidates().size())
                .with("decision_candidates", candidates(decision))
                .write(log);
    }

    /** The engine took the request and {@code started} is on the stream. */
    public void streamStarted(TaskContext task, Dispatch dispatch) {
        task(Level.INFO, "stream_start", "A stream started.", task)
                .with("pool_id", dispatch.poolId())
                .with("replica_id", dispatch.replicaId())
                .with("engine_version", dispatch.engineVersion())
                .with("queue_time_ms", dispatch.queueTimeNs() / 1_000_000)
                .with("kv_warmth", dispatch.kvWarmth())
                .write(log);
    }

    /** {@code end} is on the stream. */
    public void streamEnded(TaskContext task, FinishReason reason, StreamSummary summary) {
        summary(
                        task(
                                Level.INFO,
                                "stream_end",
                                "A stream ended after " + summary.tokensOut() + " tokens.",
                                task),
                        summary)
                .with("finish_reason", reason.wireName())
                .write(log);
    }

    /** {@code error} is on the stream. */
    public void streamFailed(TaskContext task, ApiError error, StreamSummary summary) {
        summary(task(Level.WARN, "stream_error", "A stream ended with an error.", task), summary)
                .with("code", error.code().name())
                .with("error", error.message())
                .with("retriable", error.retriable())
                .write(log);
    }

    /** A task was canceled; {@code reason} as in the metrics. */
    public void canceled(TaskContext task, String reason, StreamSummary summary) {
        summary(task(Level.INFO, "cancel", "A task was canceled.", task), summary)
                .with("reason", reason)
                .write(log);
    }

    /**
     * A task was refused before it was queued; {@code task} is null where the request did not get that far. Then the
     * message stays out too: it may name what stood where a member's name should, and that may be a prompt.
     */
    public void rejected(@Nullable TaskContext task, String correlationId, String identity, ApiError error) {
        String human = "A task was rejected: "
                + error.code().name().toLowerCase(Locale.ROOT).replace('_', ' ') + ".";
        if (task == null) {
            event(Level.INFO, "reject", human)
                    .with("correlation_id", correlationId)
                    .with("identity", identity)
                    .with("code", error.code().name())
                    .with("status", error.code().status())
                    .with("policy_label", error.policyLabel())
                    .with("retriable", error.retriable())
                    .with("retry_after_ms", error.retryAfterMs() < 0 ? null : error.retryAfterMs())
                    .write(log);
            return;
        }
        error(task(Level.INFO, "reject", human, task), error).write(log);
    }

    /** A queued task was taken out: its deadline passed, or its place went to another. */
    public void evicted(TaskContext task, ApiError error) {
        error(task(Level.WARN, "evict", "A queued task lost its place.", task), error)
                .write(log);
    }

    /** A replica's state changed. */
    public void replicaChanged(
            String poolId,
            String replicaId,
            ReplicaStatus.State from,
            ReplicaStatus.State to,
            String engineVersion,
            @Nullable String lastError) {
        String word =
                switch (to) {
                    case READY -> "is ready";
                    case LOADING -> "is loading its model";
                    case DOWN -> "is down";
                };
        event(to == ReplicaStatus.State.DOWN ? Level.WARN : Level.INFO, "pool_transition", "A replica " + word + ".")
                .with("pool_id", poolId)
                .with("replica_id", replicaId)
                .with("from", lower(from))
                .with("to", lower(to))
                .with("engine_version", engineVersion.isEmpty() ? null : engineVersion)
                .with("last_error", lastError)
                .write(log);
    }

    /** An engine that the daemon starts ended, or is not started again. */
    public void engineProcess(String poolId, String replicaId, String what, @Nullable String lastError) {
        event(Level.WARN, "engine_process", "An engine that the daemon started has ended.")
                .with("pool_id", poolId)
                .with("replica_id", replicaId)
                .with("reason", what)
                .with("last_error", lastError)
                .write(log);
    }

    /** A circuit breaker opened, closed, or lets one task through. */
    public void breakerChanged(String poolId, String replicaId, Enum<?> to, @Nullable String lastError) {
        event(
                        Level.WARN,
                        "breaker",
                        "The circuit breaker of a replica is now " + lower(to).replace('_', ' ') + ".")
                .with("pool_id", poolId)
                .with("replica_id", replicaId)
                .with("to", lower(to))
                .with("last_error", lastError)
                .write(log);
    }

    /** An engine runs more than was asked of it. */
    public void replicaOccupied(String poolId, String replicaId, int decodes) {
        event(Level.WARN, "zombie_decodes", "An engine runs " + decodes + " decodes that are not ours.")
                .with("pool_id", poolId)
                .with("replica_id", replicaId)
                .with("decodes", decodes)
                .write(log);
    }

    /** A task gave its slot back before its first token, and waits for another replica. */
    public void retried(TaskContext task, ApiError why) {
        error(task(Level.INFO, "retry", "A task failed before its first token and is tried elsewhere.", task), why)
                .write(log);
    }

    /** A pool's state changed: {@code draining}, {@code drained}, {@code reloading}, {@code ready} … */
    public void poolChanged(String poolId, String to, @Nullable String reason) {
        event(Level.INFO, "pool_transition", "A pool is now " + to + ".")
                .with("pool_id", poolId)
                .with("to", to)
                .with("reason", reason)
                .write(log);
    }

    /** Telemetry of GPUs is there, is not, or tells less or more than before. */
    public void gpuTelemetry(GpuSnapshot snapshot) {
        int devices = snapshot.devices().size();
        boolean there = snapshot.state() == GpuSnapshot.State.AVAILABLE;
        String human = there
                ? "GPU telemetry: " + devices + (devices == 1 ? " GPU is watched." : " GPUs are watched.")
                : "There is no GPU telemetry on this host.";
        event(Level.INFO, "gpu_telemetry", human)
                .with("state", lower(snapshot.state()))
                .with("reason", snapshot.reason())
                .with("driver_version", snapshot.driverVersion())
                .with("devices", there ? devices : null)
                .with("limits", String.join("; ", snapshot.limits()))
                .write(log);
    }

    /**
     * Something happened to a GPU.
     *
     * @param suppressed lines about the same GPU and severity that were left out before this one
     */
    public void gpuEvent(GpuEvent event, long suppressed) {
        boolean critical = event.severity() == XidSeverity.CRITICAL;
        String xid = event.xid().isPresent() ? " (Xid " + event.xid().getAsInt() + ")" : "";
        event(
                        critical ? Level.ERROR : Level.WARN,
                        "gpu_event",
                        "GPU " + event.index() + (critical ? " failed" : " reported an error") + xid + ".")
                .with("kind", lower(event.kind()))
                .with("severity", lower(event.severity()))
                .with("device", event.uuid())
                .with("device_index", event.index())
                .with("xid", event.xid().isPresent() ? event.xid().getAsInt() : null)
                .with("suppressed", suppressed == 0 ? null : suppressed)
                .write(log);
    }

    /** A replica's mask names no GPUs of this host as it stands. */
    public void deviceMaskWrong(String poolId, String replicaId, String mask, String problem) {
        event(Level.WARN, "device_mask", "The GPUs of a replica are not known: its device_mask has a wrong entry.")
                .with("pool_id", poolId)
                .with("replica_id", replicaId)
                .with("device_mask", mask)
                .with("reason", problem)
                .write(log);
    }

    /**
     * A thread that must not block does.
     *
     * @param thread its name
     * @param lateMs how late it is, ms
     * @param stack what it does
     */
    public void blocked(String thread, long lateMs, StackTraceElement[] stack) {
        event(
                        Level.WARN,
                        "event_loop_blocked",
                        "A thread that must not wait has been busy or blocked for " + lateMs + " ms.")
                .with("thread", thread)
                .with("duration_ms", lateMs)
                .with("stack", EventLayout.frames(stack))
                .write(log);
    }

    /**
     * It no longer does.
     *
     * @param blockedMs how long it was, ms
     */
    public void unblocked(String thread, long blockedMs) {
        event(Level.WARN, "event_loop_unblocked", "A thread that was blocked works again, after " + blockedMs + " ms.")
                .with("thread", thread)
                .with("duration_ms", blockedMs)
                .write(log);
    }

    /**
     * The level of this log is another.
     *
     * @param correlationId of the order; null where it went back by itself
     * @param identity who gave it; null likewise
     * @param forMs how long it holds, ms; 0: until it is changed
     * @param reason {@code asked} or {@code expired}
     */
    public void levelChanged(
            @Nullable String correlationId,
            @Nullable String identity,
            Enum<?> from,
            Enum<?> to,
            long forMs,
            String reason) {
        event(Level.WARN, "log_level", "The log's level is now " + lower(to) + ".")
                .with("correlation_id", correlationId)
                .with("identity", identity)
                .with("from", lower(from))
                .with("to", lower(to))
                .with("reverts_in_ms", forMs == 0 ? null : forMs)
                .with("reason", reason)
                .write(log);
    }

    /** Whether {@link #request} writes anything now. */
    public boolean wantsRequests() {
        return log.isEnabled(Level.DEBUG);
    }

    /** A request is over; at level DEBUG. */
    public void request(AccessLine line) {
        new EventLine(Level.DEBUG, line.message("request")).write(log);
    }

    /** A reader was cut off a stream; the task goes on. */
    public void readerCut(TaskContext task, String reason, long lagBytes) {
        task(Level.INFO, "reader_cut", "A reader fell too far behind and was cut off.", task)
                .with("reason", reason)
                .with("lag_bytes", lagBytes)
                .write(log);
    }

    /** What a start found in the ledger. */
    public void ledgerRecovered(int queued, int reset, int ended, long records, long tookMs) {
        event(
                        Level.INFO,
                        "ledger_recovered",
                        "The ledger was read: " + queued + " tasks are queued again, " + reset + " were reset, and "
                                + ended + " that were over are known again.")
                .with("tasks_queued", queued)
                .with("tasks_reset", reset)
                .with("tasks_ended", ended)
                .with("records", records)
                .with("took_ms", tookMs)
                .write(log);
    }

    /** The ledger's disk did not take a batch; told once a minute at most. */
    public void ledgerRefused(Throwable cause) {
        event(
                        Level.ERROR,
                        "ledger_refused",
                        "The ledger's disk does not take what must be put on record, so no task is accepted; make room.")
                .with("error", String.valueOf(cause.getMessage()))
                .write(log);
    }

    /** A sync of the ledger failed: nothing is acknowledged any more. */
    public void ledgerFailed(Throwable cause) {
        event(
                        Level.ERROR,
                        "ledger_failed",
                        "The ledger's disk failed, so no task is accepted until the daemon has started again; look at the"
                                + " disk.")
                .with("error", String.valueOf(cause.getMessage()))
                .write(log);
    }

    /** A key keeps an artifact that it did not keep before. */
    public void artifactStored(String identity, String kind, String id, long bytes) {
        event(Level.INFO, "artifact_stored", "A " + kind + " of " + bytes + " bytes was stored.")
                .with("identity", identity)
                .with("artifact_id", id)
                .with("artifact_bytes", bytes)
                .write(log);
    }

    /** Old artifacts were removed. */
    public void artifactsCollected(int count) {
        event(Level.INFO, "artifacts_collected", count + " artifacts that were old and unused were removed.")
                .with("count", count)
                .write(log);
    }

    /** The bytes of an artifact did not match their digest, or were gone. */
    public void artifactCorrupt(String id) {
        event(
                        Level.ERROR,
                        "artifact_corrupt",
                        "The bytes of an artifact are damaged or gone; look at the disk, and have it stored again.")
                .with("artifact_id", id)
                .write(log);
    }

    /** The artifact store's disk failed; nothing was acknowledged. */
    public void artifactDiskFailure(String operation, Throwable failure) {
        event(
                        Level.ERROR,
                        "artifact_disk_failed",
                        "The disk of the artifact store failed; look at its state and space.")
                .with("operation", operation)
                .with("error", String.valueOf(failure.getMessage()))
                .write(log);
    }

    /** What was read of a transcript is not what was written. */
    public void transcriptCorrupt(String taskId) {
        event(Level.ERROR, "transcript_corrupt", "The transcript of a task is damaged on the disk; look at the disk.")
                .with("job_id", taskId)
                .write(log);
    }

    /**
     * The transcripts' disk failed, for the first time since it last was well.
     *
     * @param isLast whether nothing is written any more until the daemon starts anew
     */
    public void transcriptDiskFailure(String operation, Throwable failure, boolean isLast) {
        event(
                        Level.ERROR,
                        "transcript_disk_failed",
                        "The disk of the transcripts failed; tasks go on, and transcripts stay in memory as long as there"
                                + " is room. "
                                + (isLast
                                        ? "Nothing is written any more until the daemon starts anew."
                                        : "Look at its state and space."))
                .with("operation", operation)
                .with("error", String.valueOf(failure.getMessage()))
                .write(log);
    }

    /** A defect: what no input should be able to cause. */
    public void defect(String where, @Nullable String correlationId, Throwable thrown) {
        event(Level.ERROR, "defect", "Something that should not happen did.")
                .with("where", where)
                .with("correlation_id", correlationId)
                .write(log, thrown);
    }

    private static EventLine event(Level level, String event, String human) {
        return new EventLine(level, new EventMessage(event, human));
    }

    private static EventLine task(Level level, String event, String human, TaskContext task) {
        return event(level, event, human)
                .with("correlation_id", task.correlationId())
                .with("identity", task.identity())
                .with("job_id", task.jobId())
                .with("session_id", task.sessionId())
                .with("engine", task.engine().wireName())
                .with("priority", task.priority().wireName())
                .with("sampler_profile_version", task.samplerProfileVersion())
                .with("traceparent", task.traceparent());
    }

    private static EventLine summary(EventLine line, StreamSummary summary) {
        return line.with("pool_id", summary.poolId())
                .with("replica_id", summary.replicaId())
                .with("engine_version", summary.engineVersion())
                .with("queue_time_ms", summary.queueTimeMs())
                .with("first_token_ms", summary.firstTokenMs() < 0 ? null : summary.firstTokenMs())
                .with("tokens_in", summary.tokensIn() < 0 ? null : summary.tokensIn())
                .with("tokens_out", summary.tokensOut())
                .with("decode_time_ms", summary.decodeTimeMs())
                .with("kv_warmth", summary.kvWarmth())
                .with("transcript_id", summary.transcriptId());
    }

    private static EventLine error(EventLine line, ApiError error) {
        return line.with("code", error.code().name())
                .with("status", error.code().status())
                .with("pool_id", error.poolId())
                .with("policy_label", error.policyLabel())
                .with("error", error.message())
                .with("retriable", error.retriable())
                .with("retry_after_ms", error.retryAfterMs() < 0 ? null : error.retryAfterMs());
    }

    private static String candidates(PlacementDecision decision) {
        StringBuilder out = new StringBuilder();
        int count = Math.min(CANDIDATES_MAX, decision.candidates().size());
        for (int i = 0; i < count; i++) {
            PlacementDecision.Candidate candidate = decision.candidates().get(i);
            out.append(i == 0 ? "" : " ")
                    .append(candidate.poolId())
                    .append('/')
                    .append(candidate.replicaId())
                    .append('=')
                    .append(candidate.verdict());
        }
        return out.toString();
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /**
     * A line under construction.
     *
     * @param level its severity
     * @param message what it says
     */
    private record EventLine(Level level, EventMessage message) {
        EventLine with(String name, @Nullable Object value) {
            message.with(name, value);
            return this;
        }

        void write(Logger log) {
            write(log, null);
        }

        void write(Logger log, @Nullable Throwable thrown) {
            if (log.isEnabled(level)) {
                log.logMessage(CALLER, level, null, message, thrown);
            }
        }
    }
}
