package io.llamaorch.orchestratord.server.metrics;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.EnumMap;
import java.util.Map;

/** Series of one pool, resolved. From any thread, without a look-up by name. */
public final class PoolSeries {
    private final Map<Priority, Counter.Child> enqueued = new EnumMap<>(Priority.class);
    private final Map<Priority, Histogram.Child> firstToken = new EnumMap<>(Priority.class);
    private final Map<Priority, Histogram.Child> decode = new EnumMap<>(Priority.class);
    private final Map<CancelReason, Counter.Child> canceled = new EnumMap<>(CancelReason.class);
    private final Map<TaskOutcome, Counter.Child> finished = new EnumMap<>(TaskOutcome.class);

    PoolSeries(Metrics metrics, EngineKind engine, String version, String poolId) {
        for (Priority priority : Priority.values()) {
            enqueued.put(
                    priority,
                    metrics.enqueued(engine.wireName(), version, poolId, Metrics.NO_REPLICA, priority.wireName()));
            firstToken.put(priority, metrics.firstToken(Metrics.priorityLabels(engine, version, poolId, priority)));
            decode.put(priority, metrics.decode(Metrics.priorityLabels(engine, version, poolId, priority)));
        }
        for (CancelReason reason : CancelReason.values()) {
            canceled.put(
                    reason, metrics.canceled(engine.wireName(), version, poolId, Metrics.NO_REPLICA, reason.label()));
        }
        for (TaskOutcome outcome : TaskOutcome.values()) {
            finished.put(outcome, metrics.finished(poolId, outcome.label()));
        }
    }

    /** A task entered the queue. */
    public void enqueued(Priority priority) {
        get(enqueued, priority).inc();
    }

    /** A task was canceled before it had a replica. */
    public void canceled(CancelReason reason) {
        get(canceled, reason).inc();
    }

    /** An accepted task ended, once each. */
    public void finished(TaskOutcome outcome) {
        get(finished, outcome).inc();
    }

    /** Admission to first token, ms. */
    public void firstTokenMs(Priority priority, double ms) {
        get(firstToken, priority).observe(ms);
    }

    /** First token to last, ms. */
    public void decodeMs(Priority priority, double ms) {
        get(decode, priority).observe(ms);
    }

    /** The value of an enum map that holds every constant. */
    static <K extends Enum<K>, V> V get(Map<K, V> map, K key) {
        V value = map.get(key);
        if (value == null) {
            throw new IllegalStateException("no series for " + key);
        }
        return value;
    }
}
