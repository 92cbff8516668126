package io.llamaorch.orchestratord.adapters.process;

/**
 * Why an engine ended.
 *
 * @param kind the class of it
 * @param certain false where it is the likeliest reading of the traces, not proved by them
 * @param exitCode its exit code, -1 where a signal ended it or nobody knows
 * @param signal number of the signal that ended it, 0 where none did or nobody knows
 * @param sentence one sentence for people, bounded, without keys
 */
public record ExitReason(ExitKind kind, boolean certain, int exitCode, int signal, String sentence) {}
