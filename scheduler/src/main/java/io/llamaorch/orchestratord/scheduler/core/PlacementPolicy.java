package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Placement: which pool a task joins, and which replica of that pool it gets. A pure function: it reads the pools and
 * changes nothing.
 *
 * <p>First the filters, one {@link Verdict} per replica. Of those left, the wishes of the request come first
 * (preferred pools in their order, then the others, avoided ones last and only as a fallback; a pool with room before
 * one that is full), then the smallest predicted end, the session's last replica, the least loaded, most free VRAM,
 * tokens/s, pool id, replica id.
 */
final class PlacementPolicy {
    private static final int OTHER_POOLS_MAX = 32;

    private PlacementPolicy() {}

    /** What became of one replica. The label is what {@link PlacementDecision.Candidate} shows. */
    enum Verdict {
        FEASIBLE("feasible"),
        NOT_PINNED("not_pinned"),
        ENGINE("engine"),
        MODEL("model"),
        CTX("ctx"),
        DEVICE_MASK("device_mask"),
        SAMPLER_PROFILE("sampler_profile"),
        AVOIDED("avoided"),
        NOT_PREFERRED("not_preferred"),
        NOT_READY("not_ready"),
        VERSION("version"),
        RELOADING("reloading"),
        DRAINING("draining"),
        FAILED_THERE("failed_there"),
        NO_SLOT("no_slot");

        private final String label;

        Verdict(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }

        /** Whether the replica takes the task, or would if it were in another state. */
        boolean isForNow() {
            return switch (this) {
                case FEASIBLE, NOT_READY, VERSION, RELOADING, DRAINING -> true;
                default -> false;
            };
        }
    }

    /** The comparison that settled it, coarsest first. */
    enum Criterion {
        ONLY_CANDIDATE("only_candidate"),
        PREFERENCE("preference"),
        PREDICTED_END("predicted_end"),
        AFFINITY("affinity"),
        LEAST_LOADED("least_loaded"),
        FREE_VRAM("free_vram"),
        TOKENS_PER_S("tokens_per_s"),
        POOL_ID("pool_id"),
        REPLICA_ID("replica_id");

        private final String label;

        Criterion(String label) {
            this.label = label;
        }
    }

    /**
     * What was chosen.
     *
     * @param pool the pool
     * @param replica the replica; only a hint where no slot was asked for
     * @param fallback whether a wish was passed over
     * @param decidedBy label of the criterion
     * @param considered replicas looked at
     * @param otherPools candidates of the pools not chosen, the first {@value #OTHER_POOLS_MAX}
     */
    record Choice(
            PoolRuntime pool,
            ReplicaRuntime replica,
            boolean fallback,
            String decidedBy,
            int considered,
            List<PlacementDecision.Candidate> otherPools) {}

    /** At admission: the pool, or null where no replica of any pool will do. */
    static @Nullable Choice choosePool(
            TaskSpec spec, PoolRuntime[] pools, Account account, @Nullable Session last, long nowNs) {
        return choosePool(spec, pools, null, account, last, nowNs);
    }

    /** For a task that has to leave its pool: another one that would admit it without taking another task's place. */
    static @Nullable Choice chooseOtherPool(TaskEntry entry, PoolRuntime[] pools, Session last, long nowNs) {
        return choosePool(entry.spec, pools, entry.pool, last.account, last, nowNs);
    }

    /**
     * After a restart, while nothing is READY yet: the pool where a task waited, or else the one with the fewest waiting
     * for each slot, of those that it fits and that serve its model; null where there is none.
     *
     * @param poolId where it waited, by name
     */
    static @Nullable Choice choosePoolAgain(TaskSpec spec, PoolRuntime[] pools, String poolId) {
        PoolRuntime best = null;
        ReplicaRuntime replica = null;
        int bestRank = 0;
        for (PoolRuntime pool : pools) {
            ReplicaRuntime fitting = fittingReplica(spec, pool);
            if (fitting == null) {
                continue;
            }
            int rank = pool.spec.id().equals(poolId) ? -1 : rank(spec, pool);
            if (best == null || rank < bestRank || (rank == bestRank && perSlot(pool) < perSlot(best))) {
                best = pool;
                bestRank = rank;
                replica = fitting;
            }
        }
        if (best == null || replica == null) {
            return null;
        }
        String by = (bestRank < 0 ? Criterion.AFFINITY : Criterion.LEAST_LOADED).label;
        return new Choice(best, replica, passedOver(spec.placement(), best), by, 0, List.of());
    }

    private static @Nullable ReplicaRuntime fittingReplica(TaskSpec spec, PoolRuntime pool) {
        for (ReplicaRuntime replica : pool.replicas) {
            if (verdict(spec, pool, replica).isForNow()) {
                return replica;
            }
        }
        return null;
    }

    private static double perSlot(PoolRuntime pool) {
        int slots = 0;
        for (ReplicaRuntime replica : pool.replicas) {
            slots += replica.spec.slots();
        }
        return (double) pool.queued() / Math.max(1, slots);
    }

    private static @Nullable Choice choosePool(
            TaskSpec spec,
            PoolRuntime[] pools,
            @Nullable PoolRuntime left,
            Account account,
            @Nullable Session last,
            long nowNs) {
        boolean isInteractive = spec.priority() == Priority.INTERACTIVE;
        PoolRuntime bestPool = null;
        ReplicaRuntime best = null;
        int bestRank = 0;
        Criterion decidedBy = Criterion.ONLY_CANDIDATE;
        int considered = 0;
        for (PoolRuntime pool : pools) {
            if (left != null && (pool == left || !pool.hasRoom(isInteractive))) {
                continue;
            }
            int rank = rank(spec, pool);
            for (ReplicaRuntime replica : pool.replicas) {
                considered++;
                if (verdict(spec, pool, replica) != Verdict.FEASIBLE) {
                    continue;
                }
                if (best == null || bestPool == null) {
                    best = replica;
                    bestPool = pool;
                    bestRank = rank;
                    continue;
                }
                Criterion by;
                boolean wins;
                if (rank != bestRank) {
                    by = Criterion.PREFERENCE;
                    wins = rank < bestRank;
                } else {
                    by = settles(spec, pool, replica, bestPool, best, account, last, nowNs);
                    wins = order(by, spec, pool, replica, bestPool, best, account, last, nowNs) < 0;
                }
                if (wins) {
                    best = replica;
                    bestPool = pool;
                    bestRank = rank;
                    decidedBy = by;
                } else if (by.compareTo(decidedBy) > 0) {
                    decidedBy = by;
                }
            }
        }
        if (best == null || bestPool == null) {
            return null;
        }
        List<PlacementDecision.Candidate> others =
                pools.length == 1 ? List.of() : candidatesOutside(spec, pools, bestPool);
        return new Choice(bestPool, best, passedOver(spec.placement(), bestPool), decidedBy.label, considered, others);
    }

    /**
     * At dispatch: the replica with a free slot, or null where the task has to wait.
     *
     * @param seen receives the candidates looked at
     */
    static @Nullable Choice chooseReplica(
            TaskEntry entry, Session last, long nowNs, List<PlacementDecision.Candidate> seen) {
        TaskSpec spec = entry.spec;
        PoolRuntime pool = entry.pool;
        ReplicaRuntime best = null;
        Criterion decidedBy = Criterion.ONLY_CANDIDATE;
        for (ReplicaRuntime replica : pool.replicas) {
            Verdict verdict = slotVerdict(entry, replica);
            seen.add(replica.candidate(verdict));
            if (verdict != Verdict.FEASIBLE) {
                continue;
            }
            if (best == null) {
                best = replica;
                continue;
            }
            Criterion by = settles(spec, pool, replica, pool, best, last.account, last, nowNs);
            if (order(by, spec, pool, replica, pool, best, last.account, last, nowNs) < 0) {
                best = replica;
                decidedBy = by;
            } else if (by.compareTo(decidedBy) > 0) {
                decidedBy = by;
            }
        }
        return best == null ? null : new Choice(pool, best, false, decidedBy.label, seen.size(), List.of());
    }

    /** The filters of an admission, in the order in which a refusal names them. */
    static Verdict verdict(TaskSpec spec, PoolRuntime pool, ReplicaRuntime replica) {
        Placement wish = spec.placement();
        if (wish.mode() == PlacementMode.PIN && !pool.spec.id().equals(wish.pinPoolId())) {
            return Verdict.NOT_PINNED;
        }
        if (pool.spec.engine() != spec.engine()) {
            return Verdict.ENGINE;
        }
        boolean awaited = spec.modelRef().equals(pool.incoming);
        if (!awaited && !pool.model.equals(spec.modelRef())) {
            return Verdict.MODEL;
        }
        if (!fits(spec, pool, replica)) {
            return Verdict.CTX;
        }
        if (!hasDevices(spec, replica)) {
            return Verdict.DEVICE_MASK;
        }
        String profile = pool.spec.samplerProfileVersion();
        if (profile != null && spec.samplerProfileVersion() != null && !profile.equals(spec.samplerProfileVersion())) {
            return Verdict.SAMPLER_PROFILE;
        }
        if (!wish.allowFallback() && wish.mode() != PlacementMode.PIN) {
            if (wish.avoidPools().contains(pool.spec.id())) {
                return Verdict.AVOIDED;
            }
            if (wish.mode() == PlacementMode.PREFER && !wish.preferPools().contains(pool.spec.id())) {
                return Verdict.NOT_PREFERRED;
            }
        }
        if (pool.incoming != null) {
            return reloadVerdict(spec, pool, replica, awaited);
        }
        if (!replica.ready()) {
            return Verdict.NOT_READY;
        }
        if (pool.draining) {
            return Verdict.DRAINING;
        }
        return isOfVersion(spec, pool, replica) ? Verdict.FEASIBLE : Verdict.VERSION;
    }

    /**
     * While a model is loaded: beside the old one, that one serves on and the new one is not there yet; instead of the old
     * one, tasks for the new one wait, and those for the old one would wait in vain.
     */
    private static Verdict reloadVerdict(TaskSpec spec, PoolRuntime pool, ReplicaRuntime replica, boolean awaited) {
        if (pool.draining) {
            return Verdict.DRAINING;
        }
        if (pool.paused) {
            return awaited ? Verdict.FEASIBLE : Verdict.RELOADING;
        }
        if (!pool.model.equals(spec.modelRef())) {
            return Verdict.RELOADING;
        }
        if (!replica.ready()) {
            return Verdict.NOT_READY;
        }
        return isOfVersion(spec, pool, replica) ? Verdict.FEASIBLE : Verdict.VERSION;
    }

    /** Whether bytes that must repeat would come from the one version that the pool keeps for them. */
    private static boolean isOfVersion(TaskSpec spec, PoolRuntime pool, ReplicaRuntime replica) {
        return spec.determinism() != Determinism.STRICT || replica.version.equals(pool.strictVersion());
    }

    /** Whether prompt and output fit the context that the task asked for, and that fits the replica's. */
    static boolean fits(TaskSpec spec, PoolRuntime pool, ReplicaRuntime replica) {
        int ctx = spec.ctx() > 0 ? spec.ctx() : replica.ctx;
        long need = (long) pool.forecast.model.promptTokens(spec.promptBytes()) + spec.maxTokens();
        return ctx <= replica.ctx && need <= ctx;
    }

    /** The filters of a dispatch: what an admission settled for good is not asked again. */
    private static Verdict slotVerdict(TaskEntry entry, ReplicaRuntime replica) {
        if (!replica.ready()) {
            return Verdict.NOT_READY;
        }
        Verdict verdict = suits(entry, replica);
        if (verdict != Verdict.FEASIBLE) {
            return verdict;
        }
        return replica.freeSlots() > 0 ? Verdict.FEASIBLE : Verdict.NO_SLOT;
    }

    /** The filters that no free slot would change; of a replica that is not READY, what it was when it last was. */
    private static Verdict suits(TaskEntry entry, ReplicaRuntime replica) {
        TaskSpec spec = entry.spec;
        if (spec.ctx() > replica.ctx) {
            return Verdict.CTX;
        }
        if (!replica.devices.containsAll(entry.devices)) {
            return Verdict.DEVICE_MASK;
        }
        if (entry.hasFailedOn(replica)) {
            return Verdict.FAILED_THERE;
        }
        boolean sameSet = entry.retryVersion == null || entry.retryVersion.equals(replica.version);
        return sameSet && (!replica.ready() || isOfVersion(spec, entry.pool, replica))
                ? Verdict.FEASIBLE
                : Verdict.VERSION;
    }

    /** Whether some replica of its pool would take a task now. */
    static boolean hasFreeCandidate(TaskEntry entry) {
        for (ReplicaRuntime replica : entry.pool.replicas) {
            if (slotVerdict(entry, replica) == Verdict.FEASIBLE) {
                return true;
            }
        }
        return false;
    }

    /** Whether some READY replica of its pool, free or not, would take a task. */
    static boolean hasReadyCandidate(TaskEntry entry) {
        return hasCandidate(entry, true);
    }

    /** Whether some replica of its pool would take a task once it is READY. */
    static boolean hasCandidateToCome(TaskEntry entry) {
        return hasCandidate(entry, false);
    }

    private static boolean hasCandidate(TaskEntry entry, boolean ready) {
        for (ReplicaRuntime replica : entry.pool.replicas) {
            if (replica.ready() == ready && suits(entry, replica) == Verdict.FEASIBLE) {
                return true;
            }
        }
        return false;
    }

    /** Whether another replica could take a task over from the one that it is given to. */
    static boolean hasSecond(TaskEntry entry, ReplicaRuntime first) {
        for (ReplicaRuntime replica : entry.pool.replicas) {
            if (replica != first
                    && replica.ready()
                    && replica.version.equals(first.version)
                    && suits(entry, replica) == Verdict.FEASIBLE) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasDevices(TaskSpec spec, ReplicaRuntime replica) {
        String mask = spec.placement().requireDeviceMask();
        return mask == null || replica.devices.containsAll(devicesOf(mask));
    }

    /** The devices that a mask such as {@code 0,1} names. */
    static List<String> devicesOf(String mask) {
        List<String> devices = new ArrayList<>();
        int from = 0;
        while (from <= mask.length()) {
            int comma = mask.indexOf(',', from);
            int to = comma < 0 ? mask.length() : comma;
            String device = mask.substring(from, to).trim();
            if (!device.isEmpty()) {
                devices.add(device);
            }
            from = to + 1;
        }
        return List.copyOf(devices);
    }

    /** The class of a pool by the request's wishes and its room: lower goes first. */
    private static int rank(TaskSpec spec, PoolRuntime pool) {
        Placement wish = spec.placement();
        int others = wish.preferPools().size();
        int rank = 0;
        if (wish.mode() == PlacementMode.PREFER) {
            int at = wish.preferPools().indexOf(pool.spec.id());
            rank = at < 0 ? others : at;
        }
        if (wish.mode() != PlacementMode.PIN && wish.avoidPools().contains(pool.spec.id())) {
            rank = others + 1;
        }
        boolean isInteractive = spec.priority() == Priority.INTERACTIVE;
        return pool.accepts(isInteractive) ? rank : rank + others + 2;
    }

    private static boolean passedOver(Placement wish, PoolRuntime pool) {
        if (wish.mode() == PlacementMode.PIN) {
            return false;
        }
        return wish.avoidPools().contains(pool.spec.id())
                || (wish.mode() == PlacementMode.PREFER
                        && !wish.preferPools().isEmpty()
                        && !wish.preferPools().contains(pool.spec.id()));
    }

    /** The first criterion on which two candidates differ. */
    private static Criterion settles(
            TaskSpec spec,
            PoolRuntime poolA,
            ReplicaRuntime a,
            PoolRuntime poolB,
            ReplicaRuntime b,
            Account account,
            @Nullable Session last,
            long nowNs) {

        for (Criterion criterion : CRITERIA) {
            if (order(criterion, spec, poolA, a, poolB, b, account, last, nowNs) != 0) {
                return criterion;
            }
        }
        return Criterion.REPLICA_ID;
    }

    private static final Criterion[] CRITERIA = Criterion.values();

    private static int order(
            Criterion by,
            TaskSpec spec,
            PoolRuntime poolA,
            ReplicaRuntime a,
            PoolRuntime poolB,
            ReplicaRuntime b,
            Account account,
            @Nullable Session last,
            long nowNs) {
        return switch (by) {
            case PREDICTED_END ->
                poolA == poolB
                        ? 0
                        : Long.compare(endMs(spec, poolA, account, nowNs), endMs(spec, poolB, account, nowNs));
            case AFFINITY -> Boolean.compare(isLast(last, poolB, b), isLast(last, poolA, a));
            case LEAST_LOADED -> Long.compare((long) a.leased() * b.slots, (long) b.leased() * a.slots);
            case FREE_VRAM ->
                a.freeVramSteps < 0 || b.freeVramSteps < 0 ? 0 : Long.compare(b.freeVramSteps, a.freeVramSteps);
            case TOKENS_PER_S ->
                Double.compare(poolB.forecast.model.tokensPerSecond(), poolA.forecast.model.tokensPerSecond());
            case POOL_ID -> poolA.spec.id().compareTo(poolB.spec.id());
            case REPLICA_ID -> a.spec.id().compareTo(b.spec.id());
            case ONLY_CANDIDATE, PREFERENCE -> 0;
        };
    }

    private static long endMs(TaskSpec spec, PoolRuntime pool, Account account, long nowNs) {
        boolean isInteractive = spec.priority() == Priority.INTERACTIVE;
        double start = pool.forecast.startNs(nowNs, pool.newcomerPosition(isInteractive, account), 0.5);
        return (long) ((start + pool.forecast.model.serviceNs(spec.promptBytes(), spec.maxTokens(), 0.5)) / 1e6);
    }

    private static boolean isLast(@Nullable Session last, PoolRuntime pool, ReplicaRuntime replica) {
        return last != null && last.pool == pool.index && last.replica == replica.index;
    }

    private static List<PlacementDecision.Candidate> candidatesOutside(
            TaskSpec spec, PoolRuntime[] pools, PoolRuntime chosen) {
        List<PlacementDecision.Candidate> others = new ArrayList<>();
        for (PoolRuntime pool : pools) {
            for (ReplicaRuntime replica : pool.replicas) {
                if (pool != chosen && others.size() < OTHER_POOLS_MAX) {
                    others.add(replica.candidate(verdict(spec, pool, replica)));
                }
            }
        }
        return List.copyOf(others);
    }
}
