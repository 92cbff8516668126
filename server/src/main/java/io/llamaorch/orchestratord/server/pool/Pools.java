package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.PoolSeries;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The pools in the order of the configuration, which is the scheduler's too. The list never changes; see {@link Pool}. */
public final class Pools {
    private final List<Pool> all;

    /** Pools with an adapter each. */
    public Pools(List<Config.Pool> configured, Function<EngineKind, EngineAdapter> adapters, Metrics metrics) {
        List<Pool> made = new ArrayList<>();
        for (Config.Pool pool : configured) {
            made.add(new Pool(made.size(), pool, adapters.apply(pool.engine()), metrics));
        }
        all = List.copyOf(made);
    }

    /** In the order of the configuration. */
    public List<Pool> all() {
        return all;
    }

    /** The one of that name, null for none. */
    public @Nullable Pool find(String poolId) {
        for (Pool pool : all) {
            if (pool.config().id().equals(poolId)) {
                return pool;
            }
        }
        return null;
    }

    /** Series of a pool where no replica is concerned; any thread. */
    public PoolSeries series(String poolId) {
        Pool pool = find(poolId);
        if (pool == null) {
            throw new IllegalArgumentException("no pool " + poolId);
        }
        return pool.unplaced();
    }

    /** The adapter that speaks an engine's wire; null where no pool is of that engine. */
    public @Nullable EngineAdapter adapter(EngineKind engine) {
        for (Pool pool : all) {
            if (pool.adapter().kind() == engine) {
                return pool.adapter();
            }
        }
        return null;
    }

    /** One replica of one pool, by the scheduler's indexes. */
    public Replica replica(int poolIndex, int replicaIndex) {
        return all.get(poolIndex).replicas().get(replicaIndex);
    }
}
