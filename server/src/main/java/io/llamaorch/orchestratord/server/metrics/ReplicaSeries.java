package io.llamaorch.orchestratord.server.metrics;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.prometheus.client.Counter;
import java.util.EnumMap;
import java.util.Map;

/** Series of one replica, resolved. From any thread, without a look-up by name. */
public final class ReplicaSeries {
    private final Map<Priority, Counter.Child> started = new EnumMap<>(Priority.class);
    private final Map<CancelReason, Counter.Child> canceled = new EnumMap<>(CancelReason.class);
    private final Counter.Child tokensIn;
    private final Counter.Child tokensOut;

    ReplicaSeries(Metrics metrics, EngineKind engine, String version, String poolId, String replicaId) {
        String wire = engine.wireName();
        for (Priority priority : Priority.values()) {
            started.put(priority, metrics.started(wire, version, poolId, replicaId, priority.wireName()));
        }
        for (CancelReason reason : CancelReason.values()) {
            canceled.put(reason, metrics.canceled(wire, version, poolId, replicaId, reason.label()));
        }
        tokensIn = metrics.tokensIn(wire, version, poolId, replicaId);
        tokensOut = metrics.tokensOut(wire, version, poolId, replicaId);
    }

    /** A task was given a slot. */
    public void started(Priority priority) {
        PoolSeries.get(started, priority).inc();
    }

    /** A task was canceled while it held a slot. */
    public void canceled(CancelReason reason) {
        PoolSeries.get(canceled, reason).inc();
    }

    /** Tokens of a prompt, ≥ 0. */
    public void tokensIn(long count) {
        tokensIn.inc((double) count);
    }

    /** Tokens decoded, ≥ 0: many at once, at the end of a stream or of a drain, are as good as one by one. */
    public void tokensOut(long count) {
        tokensOut.inc((double) count);
    }
}
