package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.PoolSeries;
import io.llamaorch.orchestratord.server.metrics.ReplicaSeries;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The configured pools as the event loops see them, in the order of the configuration, which is the scheduler's too.
 * Immutable but for the metric series, which are looked up anew when an engine's version changes.
 */
public final class Pools {
    private final List<Pool> all = new ArrayList<>();

    /** Pools with an adapter each. */
    Pools(List<Config.Pool> configured, Function<Config.Pool, EngineAdapter> adapters, Metrics metrics) {
        for (Config.Pool pool : configured) {
            all.add(new Pool(pool, adapters.apply(pool), metrics));
        }
    }

    /** Series of a pool where no replica is concerned; any thread. */
    PoolSeries series(String poolId) {
        for (Pool pool : all) {
            if (pool.config().id().equals(poolId)) {
                return pool.unplaced();
            }
        }
        throw new IllegalArgumentException("no pool " + poolId);
    }

    /** In the order of the configuration. */
    List<Pool> all() {
        return all;
    }

    /** One replica of one pool, by the scheduler's indexes. */
    Replica replica(int poolIndex, int replicaIndex) {
        return all.get(poolIndex).replicas().get(replicaIndex);
    }

    /** One pool. */
    static final class Pool {
        private final Config.Pool config;
        private final EngineAdapter adapter;
        private final Metrics metrics;
        private final PoolSeries unplaced;
        private final List<Replica> replicas = new ArrayList<>();

        Pool(Config.Pool config, EngineAdapter adapter, Metrics metrics) {
            this.config = config;
            this.adapter = adapter;
            this.metrics = metrics;
            this.unplaced = series("");
            for (Config.Replica replica : config.replicas()) {
                EngineTarget target = EngineTarget.of(
                        config.id(),
                        replica.id(),
                        replica.url(),
                        EngineTimeouts.of(
                                config.timeouts().connectMs(),
                                config.timeouts().firstByteMs(),
                                config.timeouts().idleMs()));
                replicas.add(new Replica(this, target));
            }
        }

        Config.Pool config() {
            return config;
        }

        EngineAdapter adapter() {
            return adapter;
        }

        List<Replica> replicas() {
            return replicas;
        }

        /** Series of tasks that have no replica. */
        PoolSeries unplaced() {
            return unplaced;
        }

        /** Series of this pool for one engine version; any thread. */
        PoolSeries series(String engineVersion) {
            return metrics.pool(config.engine(), engineVersion, config.id());
        }
    }

    /** One replica. */
    static final class Replica {
        private final Pool pool;
        private final EngineTarget target;
        private volatile VersionedSeries series = new VersionedSeries("", null, null);

        private record VersionedSeries(String version, @Nullable ReplicaSeries replica, @Nullable PoolSeries pool) {}

        Replica(Pool pool, EngineTarget target) {
            this.pool = pool;
            this.target = target;
        }

        Pool pool() {
            return pool;
        }

        EngineTarget target() {
            return target;
        }

        /** Series of this replica; any thread; resolved once a version. */
        ReplicaSeries series(String engineVersion) {
            ReplicaSeries found = resolve(engineVersion).replica();
            if (found == null) {
                throw new IllegalStateException("no series for " + engineVersion);
            }
            return found;
        }

        /** Series of its pool at this replica's version. */
        PoolSeries poolSeries(String engineVersion) {
            PoolSeries found = resolve(engineVersion).pool();
            if (found == null) {
                throw new IllegalStateException("no series for " + engineVersion);
            }
            return found;
        }

        private VersionedSeries resolve(String engineVersion) {
            VersionedSeries known = series;
            if (known.replica() == null || !known.version().equals(engineVersion)) {
                known = new VersionedSeries(
                        engineVersion,
                        pool.metrics.replica(pool.config.engine(), engineVersion, target.poolId(), target.replicaId()),
                        pool.series(engineVersion));
                series = known;
            }
            return known;
        }
    }
}
