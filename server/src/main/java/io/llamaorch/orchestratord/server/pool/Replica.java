package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.PoolSeries;
import io.llamaorch.orchestratord.server.metrics.ReplicaSeries;
import org.jspecify.annotations.Nullable;

/**
 * One replica as the event loops see it: where its engine is, and its metric series.
 *
 * <p>A reload changes where the engine is, or which model it is asked for. Tasks that were placed before go on with what
 * they were placed on: each dispatch names its generation, and the last two are known here. Any thread reads; the reload
 * writes.
 */
public final class Replica {
    private final Pool pool;
    private final int index;
    private final Metrics metrics;
    private volatile Places places;
    private volatile VersionedSeries series = new VersionedSeries("", null, null);

    private record Places(int generation, String modelRef, EngineTarget now, EngineTarget before) {}

    private record VersionedSeries(String version, @Nullable ReplicaSeries replica, @Nullable PoolSeries pool) {}

    Replica(Pool pool, int index, EngineTarget target, Metrics metrics) {
        this.pool = pool;
        this.index = index;
        this.metrics = metrics;
        this.places = new Places(0, pool.config().model(), target, target);
    }

    /** Its pool. */
    public Pool pool() {
        return pool;
    }

    /** Place in its pool, from 0. */
    public int index() {
        return index;
    }

    /** Its name within the pool. */
    public String id() {
        return places.now().replicaId();
    }

    /** Where its engine is now. */
    public EngineTarget target() {
        return places.now();
    }

    /** Which model of its pool {@link #target} serves: how often that was changed. */
    public int generation() {
        return places.generation();
    }

    /** The model that {@link #target} serves, as requests name it. */
    String modelRef() {
        return places.modelRef();
    }

    /** Most decodes at once, as configured. */
    int slots() {
        return pool.config().replicas().get(index).slots();
    }

    /** Where the engine is that a task was placed on. */
    public EngineTarget target(int generation) {
        Places known = places;
        return generation >= known.generation() ? known.now() : known.before();
    }

    /** The engine of the model that is served is at another place. One writer. */
    void move(EngineTarget target) {
        Places known = places;
        places = new Places(known.generation(), known.modelRef(), target, known.before());
    }

    /** From now on tasks of another generation go there; set before the scheduler is told. One writer. */
    void install(int generation, String modelRef, EngineTarget target) {
        places = new Places(generation, modelRef, target, places.now());
    }

    /** Series of this replica; any thread; resolved once a version. */
    public ReplicaSeries series(String engineVersion) {
        ReplicaSeries found = resolve(engineVersion).replica();
        if (found == null) {
            throw new IllegalStateException("no series for " + engineVersion);
        }
        return found;
    }

    /** Series of its pool at this replica's version. */
    public PoolSeries poolSeries(String engineVersion) {
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
                    metrics.replica(
                            pool.config().engine(), engineVersion, pool.config().id(), id()),
                    pool.series(engineVersion));
            series = known;
        }
        return known;
    }
}
