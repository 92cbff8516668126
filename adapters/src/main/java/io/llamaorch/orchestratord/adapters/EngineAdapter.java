package io.llamaorch.orchestratord.adapters;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Speaks one engine's wire. Stateless towards tasks: queueing, slots, retries and accounting are the scheduler's.
 *
 * <p>Shared by all loops; every method may be called on any loop, and what it starts stays on the loop it was given.
 * Nothing here blocks or throws for what can happen in operation.
 */
public interface EngineAdapter {

    /** The wire that this adapter speaks. */
    EngineKind kind();

    /** What it can compute. */
    Set<Workload> workloads();

    /** What it can do beyond that, and how far the same request gives the same bytes. */
    EngineFeatures features();

    /**
     * Why {@code target} can't be used by this adapter (its URL, its options), null where it can. Asked once, when the
     * configuration is read.
     */
    @Nullable
    String problemOf(EngineTarget target);

    /**
     * What this engine can't do of what the request asks for; null where it can do it all. Asked before admission, so
     * that the answer is a 400 and not a broken stream.
     */
    @Nullable
    ApiError unsupported(TaskRequest request);

    /**
     * Starts one decode.
     *
     * @param target the replica
     * @param request what to decode
     * @param traceparent W3C trace context to pass on, or null
     * @param loop the loop that will own the call; this method is called on it
     * @param sink told of everything, on that loop; never from within this method
     */
    EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop loop, EngineSink sink);

    /**
     * Asks a replica how it is. Answers exactly once, on {@code loop}, within the target's
     * {@link EngineTimeouts#probeMs}, however the engine hangs.
     */
    void probe(EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer);

    /** Loading and unloading within the running engine; null where it has no way to do that. */
    default @Nullable ModelControl modelControl() {
        return null;
    }
}
