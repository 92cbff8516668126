package io.llamaorch.orchestratord.server.sse;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.sse.Ending.Outcome;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The data of every event but {@code token}, one line of JSON each: schemas {@code StartedEvent}, {@code MetricsEvent},
 * {@code EndEvent}, {@code ErrorEvent} of {@code contracts/openapi/data.yaml}. A few of them a task; not the hot path.
 */
final class StreamJson {
    /** What ends a stream whose transcript finds no memory. */
    static final ApiError TRANSCRIPT_MEMORY = ApiError.of(
            ErrorCode.INTERNAL,
            "The memory for transcripts (streams.retained_bytes) is used up by tasks that are still running; try again"
                    + " later, or ask the operator to raise it.");

    /** What ends a stream that met a defect of the daemon. */
    static final ApiError DEFECT = ApiError.of(
            ErrorCode.INTERNAL,
            "The daemon met a defect while it served this task; try once more, then report the correlation id.");

    private StreamJson() {}

    /** {@code queued position=3 eta_ms=420}. */
    static String queuedComment(Admission admission) {
        return "queued position=" + admission.queuePosition() + " eta_ms=" + admission.predictedStartMs();
    }

    static CharSequence started(TaskStream stream) {
        Dispatch dispatch = stream.dispatch();
        Admission admission = stream.admission();
        if (dispatch == null || admission == null) {
            throw new IllegalStateException("started before it was dispatched");
        }
        TaskInfo info = stream.info();
        StringBuilder json = new StringBuilder(320)
                .append("{\"queue_position\":")
                .append(admission.queuePosition())
                .append(",\"predicted_start_ms\":")
                .append(admission.predictedStartMs())
                .append(",\"queue_time_ms\":")
                .append(dispatch.queueTimeNs() / 1_000_000);
        text(json, "pool_id", dispatch.poolId());
        text(json, "replica_id", dispatch.replicaId());
        text(json, "engine", info.engine());
        text(json, "engine_version", dispatch.engineVersion().isEmpty() ? "unknown" : dispatch.engineVersion());
        text(json, "sampler_profile_version", info.samplerProfileVersion());
        if (info.seed().isPresent()) {
            json.append(",\"seed\":").append(info.seed().getAsLong());
        }
        json.append(",\"kv_warmth\":").append(dispatch.kvWarmth());
        text(json, "correlation_id", info.correlationId());
        return json.append('}');
    }

    static CharSequence metrics(
            TaskStream stream, long queueDepth, double onTimeProbability, @Nullable Allowance allowance) {
        Dispatch dispatch = stream.dispatch();
        double seconds = stream.decodeNs() / 1e9;
        StringBuilder json = new StringBuilder(160)
                .append("{\"queue_depth\":")
                .append(queueDepth)
                .append(",\"on_time_probability\":");
        decimal(json, onTimeProbability)
                .append(",\"kv_warmth\":")
                .append(dispatch != null && dispatch.kvWarmth())
                .append(",\"tokens_out\":")
                .append(stream.tokens())
                .append(",\"tokens_per_s\":");
        decimal(json, stream.tokens() > 1 && seconds > 0 ? (stream.tokens() - 1) / seconds : 0);
        if (allowance != null) {
            budgets(json, allowance);
        }
        return json.append('}');
    }

    private static void budgets(StringBuilder json, Allowance left) {
        if (left.tokensLeft() != Allowance.NOT_LIMITED) {
            json.append(",\"tokens_budget_remaining\":").append(left.tokensLeft());
        }
        if (left.timeMsLeft() != Allowance.NOT_LIMITED) {
            json.append(",\"time_budget_remaining_ms\":").append(left.timeMsLeft());
        }
        if (left.costNanosLeft() != Allowance.NOT_LIMITED) {
            json.append(",\"cost_budget_remaining\":").append(BudgetKind.decimal(left.costNanosLeft()));
        }
    }

    static CharSequence end(TaskStream stream, Ending ending) {
        EngineUsage usage = ending.usage();
        Dispatch dispatch = stream.dispatch();
        boolean canceled = ending.outcome() == Outcome.CANCELED;
        FinishReason reason = canceled || usage == null ? FinishReason.CANCELED : usage.finishReason();
        long waitedNs = dispatch != null
                ? dispatch.queueTimeNs()
                : stream.endedAtNs() - stream.info().createdAtNs();
        StringBuilder json = new StringBuilder(200).append('{');
        if (usage != null && usage.tokensIn() >= 0) {
            json.append("\"tokens_in\":").append(usage.tokensIn()).append(',');
        }
        json.append("\"tokens_out\":")
                .append(stream.tokens())
                .append(",\"decode_ms\":")
                .append(stream.decodeMs())
                .append(",\"decode_time_ms\":")
                .append(stream.decodeMs())
                .append(",\"queue_time_ms\":")
                .append(waitedNs / 1_000_000);
        if (stream.firstTokenAtNs() != 0) {
            json.append(",\"first_token_ms\":").append(stream.firstTokenMs());
        }
        text(json, "finish_reason", reason.wireName());
        if (canceled) {
            json.append(",\"canceled\":true");
        }
        if (ending.output() != null) {
            output(json, ending.output());
        }
        return json.append('}');
    }

    private static void output(StringBuilder json, EngineOutput output) {
        List<float[]> embeddings = output.embeddings();
        double[] scores = output.scores();
        if (embeddings != null) {
            json.append(",\"embeddings\":[");
            for (int i = 0; i < embeddings.size(); i++) {
                json.append(i == 0 ? "[" : ",[");
                float[] vector = embeddings.get(i);
                for (int j = 0; j < vector.length; j++) {
                    json.append(j == 0 ? "" : ",").append(vector[j]);
                }
                json.append(']');
            }
            json.append(']');
        } else if (scores != null) {
            json.append(",\"scores\":[");
            for (int i = 0; i < scores.length; i++) {
                json.append(i == 0 ? "" : ",").append(scores[i]);
            }
            json.append(']');
        }
    }

    static CharSequence error(ApiError error) {
        StringBuilder json = new StringBuilder(160)
                .append("{\"code\":\"")
                .append(error.code().name())
                .append('"');
        text(json, "message", error.message());
        json.append(",\"retriable\":").append(error.retriable());
        if (error.retryAfterMs() >= 0) {
            json.append(",\"retry_after_ms\":").append(error.retryAfterMs());
        }
        text(json, "engine", error.engine());
        text(json, "pool_id", error.poolId());
        return json.append('}');
    }

    private static void text(StringBuilder json, String name, @Nullable String value) {
        if (value != null) {
            json.append(",\"").append(name).append("\":\"");
            JsonStringEncoder.getInstance().quoteAsString(value, json);
            json.append('"');
        }
    }

    /** Three decimals, without an exponent. */
    private static StringBuilder decimal(StringBuilder json, double value) {
        long thousandths = Math.round(value * 1000);
        json.append(thousandths / 1000);
        long rest = Math.abs(thousandths % 1000);
        if (rest != 0) {
            json.append('.').append((char) ('0' + rest / 100));
            if (rest % 100 != 0) {
                json.append((char) ('0' + rest / 10 % 10));
                if (rest % 10 != 0) {
                    json.append((char) ('0' + rest % 10));
                }
            }
        }
        return json;
    }
}
