package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import org.jspecify.annotations.Nullable;

/** What of a request an engine can't do, by what its adapter says of itself. */
public final class RequestCheck {
    private RequestCheck() {}

    /** The error that names the first such member; null where there is none. */
    public static @Nullable ApiError of(EngineAdapter adapter, TaskRequest request) {
        String engine = adapter.kind().wireName();
        Workload workload = request.workload();
        if (!adapter.workloads().contains(workload)) {
            return refuse(
                    "workload " + workload.wireName() + " is not served by " + engine + " pools",
                    "/workload",
                    workload.wireName());
        }
        if (workload != Workload.COMPLETION) {
            int least = workload == Workload.RERANK ? 2 : 1;
            return request.inputs().size() >= least
                    ? null
                    : refuse(workload.wireName() + " needs at least " + least + " inputs", "/inputs", "too few");
        }
        if (request.prompt() == null) {
            return refuse("a completion needs a prompt", "/prompt", "missing");
        }
        if (request.seed().isPresent() && !adapter.features().seed()) {
            return refuse(engine + " takes no seed", "/seed", "not served");
        }
        for (SamplingMember member : SamplingMember.values()) {
            if (member.isGiven(request.sampling())
                    && !adapter.features().sampling().contains(member)) {
                return refuse(
                        engine + " takes no " + member.wireName(), "/sampling/" + member.wireName(), "not served");
            }
        }
        return constraints(engine, request.sampling());
    }

    private static @Nullable ApiError constraints(String engine, TaskRequest.Sampling sampling) {
        if (sampling.jsonSchema() != null && !JsonBody.isObject(sampling.jsonSchema())) {
            return refuse("json_schema is not a JSON object", "/sampling/json_schema", "malformed");
        }
        if (sampling.jsonSchema() != null && sampling.grammar() != null) {
            return refuse(
                    engine + " takes either grammar or json_schema, not both",
                    "/sampling/grammar",
                    "beside json_schema");
        }
        return null;
    }

    private static ApiError refuse(String message, String pointer, String value) {
        return ApiError.of(ErrorCode.INVALID_PARAMS, message, pointer, value);
    }
}
