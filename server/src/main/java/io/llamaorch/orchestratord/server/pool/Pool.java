package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.PoolSeries;
import java.util.ArrayList;
import java.util.List;

/** One pool as the event loops see it: its configuration, adapter and replicas. Immutable but for its replicas' targets. */
public final class Pool {
    private final int index;
    private final Config.Pool config;
    private final EngineAdapter adapter;
    private final Metrics metrics;
    private final PoolSeries unplaced;
    private final List<Replica> replicas;

    Pool(int index, Config.Pool config, EngineAdapter adapter, Metrics metrics) {
        this.index = index;
        this.config = config;
        this.adapter = adapter;
        this.metrics = metrics;
        this.unplaced = series("");
        List<Replica> made = new ArrayList<>();
        for (Config.Replica replica : config.replicas()) {
            made.add(new Replica(this, made.size(), Targets.of(config, replica), metrics));
        }
        this.replicas = List.copyOf(made);
    }

    /** Place in the configuration, from 0. */
    public int index() {
        return index;
    }

    /** As configured. */
    public Config.Pool config() {
        return config;
    }

    /** Speaks its engines' wire. */
    public EngineAdapter adapter() {
        return adapter;
    }

    /** In the order of the configuration. */
    public List<Replica> replicas() {
        return replicas;
    }

    /** Series of tasks that have no replica. */
    public PoolSeries unplaced() {
        return unplaced;
    }

    /** Series of this pool for one engine version; any thread. */
    public PoolSeries series(String engineVersion) {
        return metrics.pool(config.engine(), engineVersion, config.id());
    }
}
