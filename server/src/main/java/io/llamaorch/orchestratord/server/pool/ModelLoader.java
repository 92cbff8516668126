package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a pool gets another model. Every method on the control loop; what is told, is told there.
 *
 * <pre>
 *   load ──ok──▶ (flip) ──▶ (the old model's tasks end) ──▶ retireOld
 *      └─failed──▶ restoreOld (mode INSTEAD)
 * </pre>
 */
interface ModelLoader {
    /** Whether the new model is loaded beside the old one, which serves on, or in its place. */
    enum Mode {
        /** Needs memory for both. */
        BESIDE,
        /** Nothing is served meanwhile. */
        INSTEAD
    }

    /**
     * One replica as the load left it: healthy, and one token was decoded.
     *
     * @param target where it is
     * @param status what its probe said
     * @param run number of its process, 0 where the daemon does not start it
     */
    record Ready(EngineTarget target, ReplicaStatus status, long run) {}

    /**
     * What became of a load.
     *
     * @param replicas all replicas in their order; empty after a failure
     * @param problem why it failed, null where it did not
     */
    record Loaded(List<Ready> replicas, @Nullable String problem) {
        static Loaded of(List<Ready> replicas) {
            return new Loaded(List.copyOf(replicas), null);
        }

        static Loaded failed(String why) {
            return new Loaded(List.of(), why);
        }
    }

    /** How a model would be loaded now. */
    Mode mode();

    /**
     * Loads a model on every replica. After a failure nothing of the new model is left.
     *
     * @param limitMs on the whole, ms
     */
    void load(String modelRef, Mode mode, long limitMs, Consumer<Loaded> done);

    /**
     * Brings the old model back after a failed load in its place.
     *
     * @param limitMs on the whole, ms
     */
    void restoreOld(long limitMs, Consumer<Loaded> done);

    /** The least time in which an engine of the pool was seen to get ready since it was last started, ms; 0: none was. */
    default long leastStartMs() {
        return 0;
    }

    /** No task runs on the old model any more: it may go. */
    void retireOld();
}
