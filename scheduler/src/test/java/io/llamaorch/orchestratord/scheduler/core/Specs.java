package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

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
        TaskSpec t = task(number);
        return new TaskSpec(
                t.id(),
                t.owner(),
                t.digest(),
                t.sessionId(),
                t.engine(),
                t.modelRef(),
                t.ctx(),
                Priority.BATCH,
                t.promptBytes(),
                t.maxTokens(),
                0,
                t.deadlineNs(),
                t.determinism(),
                null,
                t.placement());
    }

    static TaskSpec withDeadline(TaskSpec t, long deadlineNs) {
        return new TaskSpec(
                t.id(),
                t.owner(),
                t.digest(),
                t.sessionId(),
                t.engine(),
                t.modelRef(),
                t.ctx(),
                t.priority(),
                t.promptBytes(),
                t.maxTokens(),
                0,
                deadlineNs,
                t.determinism(),
                null,
                t.placement());
    }

    static TaskSpec withMaxTokens(TaskSpec t, int maxTokens) {
        return withSizes(t, t.ctx(), t.promptBytes(), maxTokens);
    }

    static TaskSpec withSizes(TaskSpec t, int ctx, int promptBytes, int maxTokens) {
        return new TaskSpec(
                t.id(),
                t.owner(),
                t.digest(),
                t.sessionId(),
                t.engine(),
                t.modelRef(),
                ctx,
                t.priority(),
                promptBytes,
                maxTokens,
                0,
                t.deadlineNs(),
                t.determinism(),
                null,
                t.placement());
    }

    static TaskSpec withPlacement(TaskSpec t, Placement placement) {
        return new TaskSpec(
                t.id(),
                t.owner(),
                t.digest(),
                t.sessionId(),
                t.engine(),
                t.modelRef(),
                t.ctx(),
                t.priority(),
                t.promptBytes(),
                t.maxTokens(),
                0,
                t.deadlineNs(),
                t.determinism(),
                null,
                placement);
    }

    static TaskSpec withSession(TaskSpec t, UUID session) {
        return new TaskSpec(
                t.id(),
                t.owner(),
                t.digest(),
                session,
                t.engine(),
                t.modelRef(),
                t.ctx(),
                t.priority(),
                t.promptBytes(),
                t.maxTokens(),
                0,
                t.deadlineNs(),
                t.determinism(),
                null,
                t.placement());
    }

    static TaskSpec of(TaskSpec t, String owner, long digest, String modelRef) {
        return new TaskSpec(
                t.id(),
                owner,
                new TaskSpec.Digest(digest, digest),
                t.sessionId(),
                t.engine(),
                modelRef,
                t.ctx(),
                t.priority(),
                t.promptBytes(),
                t.maxTokens(),
                0,
                t.deadlineNs(),
                t.determinism(),
                null,
                t.placement());
    }

    static PoolSpec pool(int slots, int capacity) {
        return pool("default", capacity, PoolSpec.FullPolicy.REJECT, 2, slots);
    }

    static PoolSpec pool(String id, int capacity, PoolSpec.FullPolicy policy, int guard, int... slots) {
        List<PoolSpec.ReplicaSpec> replicas = new ArrayList<>();
        for (int i = 0; i < slots.length; i++) {
            replicas.add(new PoolSpec.ReplicaSpec("r" + i, slots[i], Integer.toString(i)));
        }
        return new PoolSpec(id, EngineKind.MOCK, "m", 8192, capacity, policy, guard, true, replicas);
    }
}
