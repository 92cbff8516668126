package io.llamaorch.orchestratord.adapters.testing;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/** Task requests for tests. */
public final class Requests {
    private Requests() {}

    /** A completion with that prompt, limit and seed, all else default. */
    public static TaskRequest completion(String prompt, int maxTokens, long seed) {
        return completion(prompt, maxTokens, seed, Workload.COMPLETION, TaskRequest.Sampling.DEFAULT);
    }

    /** The same with a workload and sampling. */
    public static TaskRequest completion(
            String prompt, int maxTokens, long seed, Workload workload, TaskRequest.Sampling sampling) {
        return new TaskRequest(
                new UUID(1, 1),
                new UUID(2, 2),
                workload,
                "hf:org/repo/file.gguf",
                EngineKind.LLAMACPP,
                0,
                Priority.INTERACTIVE,
                maxTokens,
                60_000,
                prompt,
                List.of(),
                OptionalLong.of(seed),
                Determinism.BEST_EFFORT,
                null,
                0,
                null,
                null,
                sampling,
                TaskRequest.Placement.AUTO,
                false);
    }

    /** A request of a workload that takes inputs. */
    public static TaskRequest of(Workload workload, List<String> inputs) {
        TaskRequest text = completion("", 1, 1);
        return new TaskRequest(
                text.taskId(),
                text.sessionId(),
                workload,
                text.modelRef(),
                text.engine(),
                0,
                text.priority(),
                1,
                60_000,
                null,
                inputs,
                OptionalLong.empty(),
                Determinism.BEST_EFFORT,
                null,
                0,
                null,
                null,
                TaskRequest.Sampling.DEFAULT,
                TaskRequest.Placement.AUTO,
                false);
    }
}
