package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.artifacts.ledger.EndedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptRef;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.UUID;

/** Schemas {@code AdmissionResponse} and {@code TaskStatus} of {@code contracts/openapi/data.yaml}. */
final class TaskJson {
    private static final DateTimeFormatter MILLIS =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter();

    private TaskJson() {}

    static JsonWriter admission(JsonWriter json, UUID id, Admission admission) {
        return json.beginObject()
                .member("task_id", id.toString())
                .member("pool_id", admission.poolId())
                .member("queue_position", admission.queuePosition())
                .member("predicted_start_ms", admission.predictedStartMs())
                .member("predicted_end_ms", admission.predictedEndMs())
                .member("backoff_ms", admission.backoffMs())
                .endObject();
    }

    /** A task that is queued or runs. */
    static JsonWriter open(JsonWriter json, TaskStatus status) {
        TaskInfo info = status.info();
        Dispatch dispatch = status.dispatch();
        Admission admission = status.admission();
        Admission now = status.now();
        boolean queued = dispatch == null;
        json.beginObject()
                .member("task_id", info.id().toString())
                .member("session_id", info.sessionId().toString())
                .member("state", queued ? "queued" : "running")
                .member("priority", info.priority().wireName())
                .member("engine", info.engine())
                .member("pool_id", dispatch != null ? dispatch.poolId() : admission == null ? "" : admission.poolId())
                .member("replica_id", dispatch == null ? null : dispatch.replicaId())
                .member("queue_position", queued && now != null ? now.queuePosition() : 0)
                .member("predicted_start_ms", queued && now != null ? now.predictedStartMs() : 0)
                .member("predicted_end_ms", now != null ? now.predictedEndMs() : 0)
                .member("tokens_out", status.tokens());
        if (dispatch != null) {
            json.member("queue_time_ms", dispatch.queueTimeNs() / 1_000_000).member("decode_ms", status.decodeMs());
        }
        if (status.firstTokenMs() >= 0) {
            json.member("first_token_ms", status.firstTokenMs());
        }
        json.member("created_at", time(info.createdAtMs()));
        if (status.startedAtNs() != 0) {
            json.member(
                    "started_at", time(info.createdAtMs() + (status.startedAtNs() - info.createdAtNs()) / 1_000_000));
        }
        return json.member("last_event_id", status.lastEventId())
                .member("correlation_id", info.correlationId())
                .endObject();
    }

    /** A task that is over, whether it ended before this daemon started or since. */
    static JsonWriter ended(JsonWriter json, EndedTask task) {
        json.beginObject()
                .member("task_id", task.id().toString())
                .member("session_id", task.sessionId().toString())
                .member("state", task.state())
                .member("priority", task.priority())
                .member("engine", task.engine())
                .member("pool_id", task.poolId())
                .member("replica_id", task.replicaId())
                .member("queue_position", 0)
                .member("predicted_start_ms", 0)
                .member("predicted_end_ms", 0)
                .member("tokens_out", task.tokensOut())
                .member("queue_time_ms", task.queueTimeMs());
        if (task.replicaId() != null) {
            json.member("decode_ms", task.decodeMs());
        }
        if (task.firstTokenMs() >= 0) {
            json.member("first_token_ms", task.firstTokenMs());
        }
        if (task.tokensIn() >= 0) {
            json.member("tokens_in", task.tokensIn());
        }
        json.member("finish_reason", task.finishReason());
        EndedTask.Failure error = task.error();
        if (error != null) {
            error(json, error);
        }
        json.member("created_at", time(task.createdAtMs()));
        if (task.startedAtMs() != 0) {
            json.member("started_at", time(task.startedAtMs()));
        }
        TranscriptRef transcript = TranscriptRef.decode(task.transcript());
        return json.member("ended_at", time(task.endedAtMs()))
                .member("last_event_id", task.lastEventId())
                .member("correlation_id", task.correlationId())
                .member(
                        "transcript",
                        transcript == null ? null : transcript.digest().id())
                .endObject();
    }

    private static void error(JsonWriter json, EndedTask.Failure error) {
        json.name("error")
                .beginObject()
                .member("code", error.code())
                .member("message", error.message())
                .member("engine", error.engine())
                .member("pool_id", error.poolId())
                .member("retriable", error.retriable());
        if (error.retryAfterMs() >= 0) {
            json.member("retry_after_ms", error.retryAfterMs());
        }
        json.endObject();
    }

    /** RFC 3339 with milliseconds. */
    private static String time(long epochMs) {
        return MILLIS.format(Instant.ofEpochMilli(epochMs));
    }
}
