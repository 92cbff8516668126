package io.llamaorch.orchestratord.adapters;

import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One replica as an adapter sees it. Immutable; made when the configuration is read, never on a loop.
 *
 * @param poolId pool it belongs to
 * @param replicaId its name within the pool
 * @param url base URL, such as {@code http://127.0.0.1:9901}; of scheme {@code mock} for the built-in engine
 * @param model name by which the engine knows the model; empty: the only one it has, or its default
 * @param auth header that the engine asks for, null for none
 * @param tls whom to trust behind an {@code https} URL; where null was given for such a URL, the system's authorities
 * @param timeouts limits on the engine's silence
 * @param options what only this kind of engine knows; {@link EngineAdapter#problemOf} tells of bad ones
 */
public record EngineTarget(
        String poolId,
        String replicaId,
        URI url,
        String model,
        @Nullable EngineAuth auth,
        @Nullable EngineTls tls,
        EngineTimeouts timeouts,
        Map<String, String> options) {

    /** Copies the options, and finds the system's authorities where they are needed. */
    public EngineTarget {
        options = Map.copyOf(options);
        if (tls == null && "https".equalsIgnoreCase(url.getScheme())) {
            tls = EngineTls.system();
        }
    }

    /** A target with a URL and limits, and nothing else. */
    public static EngineTarget of(String poolId, String replicaId, URI url, EngineTimeouts timeouts) {
        return new EngineTarget(poolId, replicaId, url, "", null, null, timeouts, Map.of());
    }

    /** The same under another name of its model. */
    public EngineTarget withModel(String name) {
        return new EngineTarget(poolId, replicaId, url, name, auth, tls, timeouts, options);
    }

    /** The same with other options. */
    public EngineTarget withOptions(Map<String, String> others) {
        return new EngineTarget(poolId, replicaId, url, model, auth, tls, timeouts, others);
    }

    /** The same with a header of authorization. */
    public EngineTarget withAuth(EngineAuth header) {
        return new EngineTarget(poolId, replicaId, url, model, header, tls, timeouts, options);
    }

    /** The same with other authorities to trust. */
    public EngineTarget withTls(EngineTls trust) {
        return new EngineTarget(poolId, replicaId, url, model, auth, trust, timeouts, options);
    }
}
