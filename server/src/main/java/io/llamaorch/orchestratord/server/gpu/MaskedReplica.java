package io.llamaorch.orchestratord.server.gpu;

import io.llamaorch.orchestratord.adapters.gpu.DeviceMask;
import io.llamaorch.orchestratord.adapters.gpu.GpuDevice;
import io.llamaorch.orchestratord.adapters.gpu.GpuMemory;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.server.config.Config;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A replica that is bound to GPUs by its mask, and what was last told of it.
 *
 * <p><b>Owner thread:</b> {@link GpuMonitor}'s loop for what changes; the rest is for any.
 */
final class MaskedReplica {
    /** Of the free memory: that of one GPU or more is not known. */
    static final long UNKNOWN = -1;

    final int poolIndex;
    final int replicaIndex;
    final String poolId;
    final String replicaId;
    final EngineKind engine;
    final String mask;

    /** UUIDs that the mask named when it last named GPUs without a problem: those of a GPU that has gone are kept. */
    List<String> uuids = List.of();
    /** What was wrong with the mask at the last look. */
    @Nullable
    String problem;
    /** Free memory as last told to the scheduler, in its steps; {@link #UNKNOWN} where it was told that. */
    long freeSteps = UNKNOWN;
    /** The fault as last told to the watch. */
    @Nullable
    String fault;
    /** When its engine was last started: what was bad before is not held against it. */
    long startedNs;

    private MaskedReplica(int poolIndex, int replicaIndex, Config.Pool pool, String mask, long nowNs) {
        this.poolIndex = poolIndex;
        this.replicaIndex = replicaIndex;
        this.poolId = pool.id();
        this.replicaId = pool.replicas().get(replicaIndex).id();
        this.engine = pool.engine();
        this.mask = mask;
        this.startedNs = nowNs;
    }

    /** Those of all pools, in the order of the configuration. */
    static List<MaskedReplica> of(List<Config.Pool> pools, long nowNs) {
        List<MaskedReplica> found = new ArrayList<>();
        for (int p = 0; p < pools.size(); p++) {
            Config.Pool pool = pools.get(p);
            for (int r = 0; r < pool.replicas().size(); r++) {
                String mask = pool.replicas().get(r).deviceMask();
                if (mask != null) {
                    found.add(new MaskedReplica(p, r, pool, mask, nowNs));
                }
            }
        }
        return found;
    }

    /** Its GPUs among those; none where the mask has a wrong entry, since then it is not known what the engine took. */
    List<GpuDevice> among(List<GpuDevice> present) {
        DeviceMask resolved = DeviceMask.resolve(mask, present);
        return resolved.problem() == null ? resolved.devices() : List.of();
    }

    /** The least free memory of those GPUs, bytes; {@link #UNKNOWN} where there is none or one does not tell. */
    static long freeBytes(List<GpuDevice> devices) {
        long least = Long.MAX_VALUE;
        for (GpuDevice device : devices) {
            GpuMemory memory = device.memory();
            if (memory == null) {
                return UNKNOWN;
            }
            least = Math.min(least, memory.freeBytes());
        }
        return devices.isEmpty() ? UNKNOWN : least;
    }
}
