package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.server.config.Config;
import java.net.URI;

/** What an adapter is told of a replica, from its configuration. Pure functions. */
public final class Targets {
    private Targets() {}

    /** A replica at its configured URL, with its pool's configured model. */
    public static EngineTarget of(Config.Pool pool, Config.Replica replica) {
        return at(pool, replica, replica.url(), engineModel(pool));
    }

    /** A replica somewhere else, or with another model. */
    static EngineTarget at(Config.Pool pool, Config.Replica replica, URI url, String engineModel) {
        return new EngineTarget(
                pool.id(),
                replica.id(),
                url,
                engineModel,
                pool.access().auth(),
                pool.access().tls(),
                pool.timeouts().forEngine(),
                pool.options());
    }

    private static String engineModel(Config.Pool pool) {
        String named = pool.engineModel();
        return named != null ? named : engineModel(pool.model());
    }

    /** The name by which engines know what a model reference names: {@code hf:org/repo} is {@code org/repo} to them. */
    static String engineModel(String modelRef) {
        for (String scheme : new String[] {"hf:", "file:"}) {
            if (modelRef.startsWith(scheme)) {
                return modelRef.substring(scheme.length());
            }
        }
        return modelRef;
    }
}
