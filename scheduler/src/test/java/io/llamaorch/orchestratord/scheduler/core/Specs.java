package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Pools and tasks for tests, and small changes to them. */
final class Specs {
    static final long HOUR_NS = 3_600_000_000_000L;

    private Specs() {}

    static UUID id(int number) {
        return new UUID(0, number);
    }

    static TaskSpec task(int number) {
        return task(id(number));
    }

    static TaskSpec task(UUID id) {
        return new TaskSpec(
                id,
                "key",
                new TaskSpec.Digest(id.getMostSignificantBits(), id.getLeastSignificantBits()),
                id,
                EngineKind.MOCK,
                "m",
                0,
                Priority.INTERACTIVE,
                16,
                100,
                0,
                HOUR_NS,
                Determinism.BEST_EFFORT,
                null,
                Placement.AUTO);
    }

    static TaskSpec batch(int number) {
        return changed(task(number), draft -> draft.priority = Priority.BATCH);
    }

    static TaskSpec withDeadline(TaskSpec task, long deadlineNs) {
        return changed(task, draft -> draft.deadlineNs = deadlineNs);
    }

    static TaskSpec withMaxTokens(TaskSpec task, int maxTokens) {
        return changed(task, draft -> draft.maxTokens = maxTokens);
    }

    static TaskSpec withSizes(TaskSpec task, int ctx, int promptBytes, int maxTokens) {
        return changed(task, draft -> {
            draft.ctx = ctx;
            draft.promptBytes = promptBytes;
            draft.maxTokens = maxTokens;
        });
    }

    static TaskSpec withPlacement(TaskSpec task, Placement placement) {
        return changed(task, draft -> draft.placement = placement);
    }

    static TaskSpec withSession(TaskSpec task, UUID session) {
        return changed(task, draft -> draft.sessionId = session);
    }

    static TaskSpec of(TaskSpec task, String owner, long digest, String modelRef) {
        return changed(task, draft -> {
            draft.owner = owner;
            draft.digest = new TaskSpec.Digest(digest, digest);
            draft.modelRef = modelRef;
        });
    }

    static TaskSpec strict(TaskSpec task) {
        return changed(task, draft -> draft.determinism = Determinism.STRICT);
    }

    static TaskSpec profile(TaskSpec task, String samplerProfileVersion) {
        return changed(task, draft -> draft.samplerProfileVersion = samplerProfileVersion);
    }

    private static TaskSpec changed(TaskSpec task, Consumer<Draft> change) {
        Draft draft = new Draft(task);
        change.accept(draft);
        return draft.spec();
    }

    /** A task whose members can be changed one at a time. */
    private static final class Draft {
        private final TaskSpec from;
        private String owner;
        private TaskSpec.Digest digest;
        private UUID sessionId;
        private String modelRef;
        private int ctx;
        private Priority priority;
        private int promptBytes;
        private int maxTokens;
        private long deadlineNs;
        private Determinism determinism;
        private @Nullable String samplerProfileVersion;
        private Placement placement;

        Draft(TaskSpec from) {
            this.from = from;
            owner = from.owner();
            digest = from.digest();
            sessionId = from.sessionId();
            modelRef = from.modelRef();
            ctx = from.ctx();
            priority = from.priority();
            promptBytes = from.promptBytes();
            maxTokens = from.maxTokens();
            deadlineNs = from.deadlineNs();
            determinism = from.determinism();
            samplerProfileVersion = from.samplerProfileVersion();
            placement = from.placement();
        }

        TaskSpec spec() {
            return new TaskSpec(
                    from.id(),
                    owner,
                    digest,
                    sessionId,
                    from.engine(),
                    modelRef,
                    ctx,
                    priority,
                    promptBytes,
                    maxTokens,
                    from.expectedTokens(),
                    deadlineNs,
                    determinism,
                    samplerProfileVersion,
                    placement);
        }
    }

    static PoolSpec pool(int slots, int capacity) {
        return pool("default", capacity, PoolSpec.FullPolicy.REJECT, 2, slots);
    }

    static PoolSpec pool(String id, int capacity, PoolSpec.FullPolicy policy, int guard, int... slots) {
        List<PoolSpec.ReplicaSpec> replicas = new ArrayList<>();
        for (int i = 0; i < slots.length; i++) {
            replicas.add(new PoolSpec.ReplicaSpec("r" + i, slots[i], Integer.toString(i)));
        }
        return new PoolSpec(id, EngineKind.MOCK, "m", 8192, capacity, policy, guard, true, 1, null, replicas);
    }
}
