package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What refused, evicted and aborted tasks are told: the values, the limits, and what to do next. */
final class Refusals {
    private static final long RELOAD_RETRY_LEAST_MS = 1_000;

    private Refusals() {}

    static ApiError idTaken(TaskSpec spec) {
        return ApiError.of(
                ErrorCode.CONFLICT,
                "task_id " + spec.id() + " is taken by another request; use a new UUID for a new task",
                "/task_id",
                spec.id().toString());
    }

    static ApiError daemonDraining(long retryMs) {
        return ApiError.of(
                        ErrorCode.POOL_UNREADY,
                        "the daemon is stopping and admits no more tasks; try again in " + retryMs + " ms")
                .retryAfterMs(retryMs);
    }

    static ApiError tableFull(int max, long retryMs) {
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        "the daemon holds " + max + " tasks, its limit; try again in " + retryMs + " ms")
                .by("task_table")
                .retryAfterMs(retryMs);
    }

    static ApiError deadlineNotPositive(TaskSpec spec) {
        return ApiError.of(
                ErrorCode.DEADLINE_UNMET,
                "deadline_ms must be at least 1, got " + spec.deadlineNs() / 1_000_000,
                "/deadline_ms",
                Long.toString(spec.deadlineNs() / 1_000_000));
    }

    static ApiError queueFull(TaskSpec spec, PoolRuntime pool, long retryMs) {
        String queue = "the " + spec.priority().wireName() + " queue of pool " + pool.spec.id() + " holds "
                + pool.queued(spec.priority()) + " tasks of " + pool.spec.queueCapacity() + " and ";
        String then = "; try again in " + retryMs + " ms";
        if (pool.spec.fullPolicy() == PoolSpec.FullPolicy.DROP_LRU) {
            return at(ErrorCode.QUEUE_FULL_DROP_LRU, queue + "no batch task can make room" + then, pool)
                    .by("drop-lru")
                    .retryAfterMs(retryMs);
        }
        return at(ErrorCode.ADMISSION_REJECT, queue + "takes no more" + then, pool)
                .by(pool.spec.fullPolicy() == PoolSpec.FullPolicy.REJECT ? "reject" : "shed-low-priority")
                .retryAfterMs(retryMs);
    }

    static ApiError dropped(PoolRuntime pool, long retryMs) {
        boolean dropLru = pool.spec.fullPolicy() == PoolSpec.FullPolicy.DROP_LRU;
        return at(
                        dropLru ? ErrorCode.QUEUE_FULL_DROP_LRU : ErrorCode.ADMISSION_REJECT,
                        "pool " + pool.spec.id() + " was full at " + pool.spec.queueCapacity()
                                + " tasks and this batch task made room for a newer one; submit it again in " + retryMs
                                + " ms",
                        pool)
                .by(dropLru ? "drop-lru" : "shed-low-priority")
                .retryAfterMs(retryMs);
    }

    static ApiError deadlineInfeasible(TaskSpec spec, PoolRuntime pool, long startMs, long endMs) {
        long deadlineMs = spec.deadlineNs() / 1_000_000;
        return at(
                        ErrorCode.DEADLINE_UNMET,
                        "deadline_ms " + deadlineMs + " cannot be met: the task would start in about " + startMs
                                + " ms and end in about " + endMs + " ms; allow more time or ask for fewer tokens",
                        pool)
                .with(List.of(
                        new ApiError.Detail("predicted_start_ms", Long.toString(startMs)),
                        new ApiError.Detail("predicted_end_ms", Long.toString(endMs)),
                        new ApiError.Detail("deadline_ms", Long.toString(deadlineMs))));
    }

    static ApiError deadlineWhileQueued(TaskEntry entry) {
        long deadlineMs = entry.spec.deadlineNs() / 1_000_000;
        return at(
                        ErrorCode.DEADLINE_UNMET,
                        "deadline_ms " + deadlineMs + " passed while the task was queued in pool "
                                + entry.pool.spec.id() + "; submit it again with more time",
                        entry.pool)
                .with(List.of(new ApiError.Detail("deadline_ms", Long.toString(deadlineMs))));
    }

    /** A queued task can go nowhere: its pool drains, or has another model now. */
    static ApiError displaced(TaskEntry entry, String why, long retryMs) {
        return at(
                        ErrorCode.POOL_UNREADY,
                        "pool " + entry.pool.spec.id() + " " + why + " and no other pool has room for this queued task"
                                + "; submit it again in " + retryMs + " ms",
                        entry.pool)
                .retryAfterMs(retryMs);
    }

    /** The deadline passed while the daemon was down. */
    static ApiError deadlineWhileDown(TaskSpec spec) {
        long deadlineMs = spec.deadlineNs() / 1_000_000;
        return ApiError.of(
                        ErrorCode.DEADLINE_UNMET,
                        "deadline_ms " + deadlineMs
                                + " passed before the daemon had started again; submit it again with more time")
                .with(List.of(new ApiError.Detail("deadline_ms", Long.toString(deadlineMs))));
    }

    /** After a restart no pool serves a task any more. */
    static ApiError notServedAgain(TaskSpec spec, long retryMs) {
        return ApiError.of(
                        ErrorCode.POOL_UNREADY,
                        "the daemon has started again and no pool of it serves " + spec.modelRef()
                                + " for this task any more; ask GET /v1/capabilities for what is served")
                .retryAfterMs(retryMs);
    }

    static ApiError deadlineWhileRunning(TaskEntry entry) {
        return at(
                ErrorCode.DECODE_TIMEOUT,
                "deadline_ms " + entry.spec.deadlineNs() / 1_000_000 + " passed after about " + entry.tokensOut
                        + " tokens of at most " + entry.spec.maxTokens()
                        + "; allow more time or ask for fewer tokens",
                entry.pool);
    }

    /** Why no replica of any pool will do: the reason that came closest to a placement. */
    static ApiError infeasible(long nowNs, TaskSpec spec, PoolRuntime[] pools, long unreadyRetryMs) {
        Placement wish = spec.placement();
        if (wish.mode() == PlacementMode.PIN) {
            ApiError pin = badPin(wish, pools);
            if (pin != null) {
                return pin;
            }
        }
        PlacementPolicy.Verdict closest = PlacementPolicy.Verdict.NOT_PINNED;
        PoolRuntime pool = pools[0];
        boolean loading = false;
        int roomiest = 0;
        for (PoolRuntime candidate : pools) {
            for (ReplicaRuntime replica : candidate.replicas) {
                PlacementPolicy.Verdict verdict = PlacementPolicy.verdict(spec, candidate, replica);
                boolean closer = verdict.compareTo(closest) > 0;
                if (closer || (verdict == closest && replica.ctx > roomiest)) {
                    closest = verdict;
                    pool = candidate;
                    roomiest = replica.ctx;
                }
                loading |= verdict == PlacementPolicy.Verdict.NOT_READY && replica.state == ReplicaState.LOADING;
            }
        }
        long retryMs = pool.incoming == null ? unreadyRetryMs : pool.reloadRemainingMs(nowNs, RELOAD_RETRY_LEAST_MS);
        return refusal(spec, closest, pool, roomiest, loading, retryMs);
    }

    private static ApiError refusal(
            TaskSpec spec,
            PlacementPolicy.Verdict closest,
            PoolRuntime pool,
            int roomiest,
            boolean loading,
            long retryMs) {
        String id = pool.spec.id();
        String then = "; try again in " + retryMs + " ms";
        return switch (closest) {
            case NOT_PINNED, ENGINE, MODEL -> unserved(spec, pool, retryMs);
            case CTX -> tooLong(spec, pool, roomiest);
            case DEVICE_MASK ->
                invalid(
                        "no replica of pool " + id + " runs on devices "
                                + spec.placement().requireDeviceMask() + "; ask for fewer devices or for another pool",
                        "/placement/require_device_mask",
                        pool);
            case AVOIDED ->
                invalid(
                        "avoid_pools rules out every pool that serves " + spec.modelRef()
                                + "; shorten it or set allow_fallback",
                        "/placement/avoid_pools",
                        pool);
            case NOT_PREFERRED ->
                invalid(
                        "no pool of prefer_pools serves " + spec.modelRef()
                                + "; name one that does or set allow_fallback",
                        "/placement/prefer_pools",
                        pool);
            case NOT_READY ->
                (loading
                                ? at(ErrorCode.POOL_UNREADY, "pool " + id + " is loading its model" + then, pool)
                                : at(ErrorCode.POOL_UNAVAILABLE, "no replica of pool " + id + " is live" + then, pool))
                        .retryAfterMs(retryMs);
            case SAMPLER_PROFILE ->
                invalid(
                        "pool " + id + " samples by profile " + pool.spec.samplerProfileVersion() + ", not "
                                + spec.samplerProfileVersion() + "; ask for that, or leave the member out",
                        "/sampler_profile_version",
                        pool);
            case VERSION ->
                at(
                                ErrorCode.POOL_UNREADY,
                                "pool " + id + " has no replica of version " + pool.strictVersion()
                                        + ", on which its strict tasks run" + then,
                                pool)
                        .retryAfterMs(retryMs);
            case RELOADING ->
                at(
                                ErrorCode.POOL_UNREADY,
                                "pool " + id + " is loading " + pool.incoming + " in place of " + pool.model + then,
                                pool)
                        .retryAfterMs(retryMs);
            case DRAINING ->
                at(ErrorCode.POOL_UNREADY, "pool " + id + " is draining and admits no tasks" + then, pool)
                        .retryAfterMs(retryMs);
            case FAILED_THERE, NO_SLOT, FEASIBLE ->
                throw new IllegalStateException("a task was refused though pool " + id + " is " + closest.label());
        };
    }

    private static @Nullable ApiError badPin(Placement wish, PoolRuntime[] pools) {
        for (PoolRuntime pool : pools) {
            if (pool.spec.id().equals(wish.pinPoolId())) {
                return pool.spec.allowPinning()
                        ? null
                        : invalid(
                                "pool " + pool.spec.id() + " may not be pinned; use placement mode prefer or auto",
                                "/placement/mode",
                                pool);
            }
        }
        return ApiError.of(
                ErrorCode.INVALID_PARAMS,
                "pin_pool_id " + wish.pinPoolId() + " is not a pool; GET /v1/pools lists those that are",
                "/placement/pin_pool_id",
                String.valueOf(wish.pinPoolId()));
    }

    private static ApiError unserved(TaskSpec spec, PoolRuntime pool, long retryMs) {
        String what = spec.modelRef() + " with engine " + spec.engine().wireName();
        if (spec.placement().mode() == PlacementMode.PIN) {
            return invalid(
                    "pinned pool " + pool.spec.id() + " serves " + pool.model + " with engine "
                            + pool.spec.engine().wireName() + ", not " + what + "; ask for that or pin another pool",
                    "/placement/pin_pool_id",
                    pool);
        }
        return ApiError.of(
                        ErrorCode.POOL_UNREADY,
                        "no pool serves " + what + " now; GET /v1/capabilities lists what is served, try again in "
                                + retryMs + " ms",
                        "/model_ref",
                        spec.modelRef())
                .at(spec.engine().wireName(), null)
                .retryAfterMs(retryMs);
    }

    private static ApiError tooLong(TaskSpec spec, PoolRuntime pool, int roomiest) {
        String id = pool.spec.id();
        if (spec.ctx() > roomiest) {
            return invalid("ctx " + spec.ctx() + " exceeds ctx " + roomiest + " of pool " + id, "/ctx", pool);
        }
        int prompt = pool.forecast.model.promptTokens(spec.promptBytes());
        String limit = spec.ctx() > 0 ? "ctx " + spec.ctx() + " of the request" : "ctx " + roomiest + " of pool " + id;
        return invalid(
                "max_tokens " + spec.maxTokens() + " + about " + prompt + " prompt tokens exceed " + limit
                        + "; ask for fewer tokens or shorten the prompt",
                "/max_tokens",
                pool);
    }

    private static ApiError invalid(String message, String pointer, PoolRuntime pool) {
        return at(ErrorCode.INVALID_PARAMS, message, pool).with(List.of(new ApiError.Detail(pointer, message)));
    }

    private static ApiError at(ErrorCode code, String message, PoolRuntime pool) {
        return ApiError.of(code, message).at(pool.spec.engine().wireName(), pool.spec.id());
    }
}
