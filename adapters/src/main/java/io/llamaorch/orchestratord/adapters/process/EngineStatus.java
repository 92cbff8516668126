package io.llamaorch.orchestratord.adapters.process;

import org.jspecify.annotations.Nullable;

/**
 * A supervised engine at one moment.
 *
 * @param replicaId the replica
 * @param role whether it is the replica's engine, the one that may take its place, or the one whose place was taken
 * @param runId number of the start, unique in this daemon and rising; 0 before the first
 * @param state where it stands
 * @param port where it listens, 0 without a process
 * @param pid the engine's, 0 while unknown or without a process
 * @param restarts starts after the first, since an operator acted last
 * @param restartInMs in {@code BACKOFF}: the whole wait, ms; else 0
 * @param lastExit how the last process ended, null where none has
 * @param lastError why there is no engine or the last one ended, null where all is well; one sentence, no keys
 */
public record EngineStatus(
        String replicaId,
        Role role,
        long runId,
        EngineState state,
        int port,
        long pid,
        long restarts,
        long restartInMs,
        @Nullable ExitKind lastExit,
        @Nullable String lastError) {
    /** Which of a replica's engines it is. */
    public enum Role {
        /** Takes the replica's work. */
        CURRENT,
        /** Started beside the current one, to take its place. */
        CANDIDATE,
        /** Was current, and is on its way out. */
        RETIRED
    }
}
