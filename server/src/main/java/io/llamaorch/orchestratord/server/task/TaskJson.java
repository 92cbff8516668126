package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.sse.Ending;
import io.llamaorch.orchestratord.server.sse.Ending.Outcome;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

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

    static JsonWriter status(JsonWriter json, TaskStatus status) {
        TaskInfo info = status.info();
        Dispatch dispatch = status.dispatch();
        Ending ending = status.ending();
        Admission admission = status.admission();
        Admission now = status.now();
        boolean queued = ending == null && dispatch == null;
        json.beginObject()
                .member("task_id", info.id().toString())
                .member("session_id", info.sessionId().toString())
                .member("state", state(dispatch, ending))
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
        } else if (ending != null) {
            json.member("queue_time_ms", (status.endedAtNs() - info.createdAtNs()) / 1_000_000);
        }
        if (status.firstTokenMs() >= 0) {
            json.member("first_token_ms", status.firstTokenMs());
        }
        if (ending != null) {
            ending(json, ending);
        }
        json.member("created_at", time(info, info.createdAtNs()));
        if (status.startedAtNs() != 0) {
            json.member("started_at", time(info, status.startedAtNs()));
        }
        if (ending != null) {
            json.member("ended_at", time(info, status.endedAtNs()));
        }
        return json.member("last_event_id", status.lastEventId())
                .member("correlation_id", info.correlationId())
                .endObject();
    }

    private static String state(@Nullable Dispatch dispatch, @Nullable Ending ending) {
        if (ending == null) {
            return dispatch == null ? "queued" : "running";
        }
        return switch (ending.outcome()) {
            case COMPLETED -> "completed";
            case CANCELED -> "canceled";
            case FAILED, EVICTED -> "failed";
        };
    }

    private static void ending(JsonWriter json, Ending ending) {
        EngineUsage usage = ending.usage();
        if (usage != null) {
            if (usage.tokensIn() >= 0) {
                json.member("tokens_in", usage.tokensIn());
            }
            json.member("finish_reason", usage.finishReason().wireName());
        } else if (ending.outcome() == Outcome.CANCELED) {
            json.member("finish_reason", FinishReason.CANCELED.wireName());
        }
        ApiError error = ending.error();
        if (error != null) {
            json.name("error")
                    .beginObject()
                    .member("code", error.code().name())
                    .member("message", error.message())
                    .member("engine", error.engine())
                    .member("pool_id", error.poolId())
                    .member("retriable", error.retriable());
            if (error.retryAfterMs() >= 0) {
                json.member("retry_after_ms", error.retryAfterMs());
            }
            json.endObject();
        }
    }

    /** RFC 3339 with milliseconds: the wall clock at admission plus what {@code nanoTime} says has passed. */
    private static String time(TaskInfo info, long atNs) {
        return MILLIS.format(Instant.ofEpochMilli(info.createdAtMs() + (atNs - info.createdAtNs()) / 1_000_000));
    }
}
