package io.llamaorch.orchestratord.adapters;

/**
 * Limits on an engine's silence, ms each, ≥ 1.
 *
 * @param connectMs on connecting, TLS included
 * @param firstByteMs from the request to the first byte of the answer's body, prefill included
 * @param idleMs between two reads after that
 * @param probeMs on a whole probe, whatever it asks
 */
public record EngineTimeouts(int connectMs, int firstByteMs, int idleMs, int probeMs) {
    /** What a probe may take where nothing else is said, ms: several times a loaded engine's answer. */
    public static final int PROBE_DEFAULT_MS = 2_000;

    /** Limits of a decode, with the default for probes. */
    public static EngineTimeouts of(int connectMs, int firstByteMs, int idleMs) {
        return new EngineTimeouts(connectMs, firstByteMs, idleMs, PROBE_DEFAULT_MS);
    }
}
