package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where a task may go, as the contract says it: the filters, and which pools the request would rather have. */
final class NaivePlacement {
    private NaivePlacement() {}

    /** Whether some replica of a pool would be given the task, if it came now. */
    static boolean takes(NaivePool pool, TaskSpec task) {
        Placement wish = task.placement();
        String id = pool.spec.id();
        boolean pins = wish.mode() == PlacementMode.PIN;
        if (pins ? !id.equals(wish.pinPoolId()) : !wish.allowFallback() && rank(pool, task) >= wishes(wish)) {
            return false;
        }
        String profile = pool.spec.samplerProfileVersion();
        if (pool.draining
                || (profile != null
                        && task.samplerProfileVersion() != null
                        && !profile.equals(task.samplerProfileVersion()))) {
            return false;
        }
        for (int replica = 0; replica < pool.states.length; replica++) {
            boolean fits = task.ctx() <= pool.ctx[replica] && pool.hasDevices(task, replica);
            boolean strict = task.determinism() == Determinism.STRICT;
            boolean serves = pool.paused
                    ? task.modelRef().equals(pool.incoming)
                    : task.modelRef().equals(pool.model)
                            && pool.ready(replica)
                            && (!strict || pool.versions[replica].equals(pool.strictVersion));
            if (fits && serves) {
                return true;
            }
        }
        return false;
    }

    /** Ranks at and beyond this are not what was wished for. */
    private static int wishes(Placement wish) {
        return wish.mode() == PlacementMode.PREFER
                ? wish.preferPools().size()
                : wish.preferPools().size() + 1;
    }

    /** How far a pool is from what the request would rather have; 0 is best. */
    static int rank(NaivePool pool, TaskSpec task) {
        Placement wish = task.placement();
        int others = wish.preferPools().size();
        if (wish.mode() == PlacementMode.PIN) {
            return 0;
        }
        if (wish.avoidPools().contains(pool.spec.id())) {
            return others + 1;
        }
        int at = wish.preferPools().indexOf(pool.spec.id());
        return wish.mode() == PlacementMode.PREFER ? (at < 0 ? others : at) : 0;
    }

    /** The least rank among pools that would take a task and have a place that nobody must leave; −1 where none. */
    static int bestWithRoom(List<NaivePool> pools, @Nullable NaivePool left, TaskSpec task, boolean isInteractive) {
        return pools.stream()
                .filter(pool -> !Objects.equals(pool, left) && takes(pool, task) && !pool.isFull(isInteractive))
                .mapToInt(pool -> rank(pool, task))
                .min()
                .orElse(-1);
    }

    /** The least rank among pools that would take a task and can queue it; −1 where none can. */
    static int bestThatAccepts(List<NaivePool> pools, TaskSpec task, boolean isInteractive) {
        return pools.stream()
                .filter(pool -> takes(pool, task) && pool.accepts(isInteractive))
                .mapToInt(pool -> rank(pool, task))
                .min()
                .orElse(-1);
    }
}
