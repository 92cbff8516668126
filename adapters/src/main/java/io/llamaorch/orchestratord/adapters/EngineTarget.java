package io.llamaorch.orchestratord.adapters;

import java.net.URI;

/**
 * One replica as an adapter sees it.
 *
 * @param poolId pool it belongs to
 * @param replicaId its name within the pool
 * @param url base URL, such as {@code http://127.0.0.1:9901}; of scheme {@code mock} for the built-in engine
 * @param connectTimeoutMs limit on connecting, ms
 * @param firstByteTimeoutMs limit from the request to the first byte of the answer's body, ms (prefill included)
 * @param idleTimeoutMs limit between two reads after that, ms
 */
public record EngineTarget(
        String poolId, String replicaId, URI url, int connectTimeoutMs, int firstByteTimeoutMs, int idleTimeoutMs) {}
