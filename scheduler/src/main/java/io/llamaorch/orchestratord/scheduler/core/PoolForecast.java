package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/**
 * What can be said of the future of one pool: starts by queue position, ends, chances, and when to come back.
 *
 * <p>The start curve is built when a figure is asked for and the last one is older than {@code etaRebuildNs}, or older
 * than twenty times what the build is reckoned to cost at {@value #STEP_COST_NS} ns a step: a flood of questions costs
 * at most about a twentieth of the thread. Between builds, positions are shifted by the starts since. Owned by the
 * scheduler's thread.
 */
final class PoolForecast {
    private static final int STEP_COST_NS = 30;
    private static final long COST_SHARE = 20;
    private static final double RETRY_MS_MAX = 600_000;
    /** Share of a full queue that should drain before a refused client comes back. */
    private static final int DRAIN_PART = 16;

    /** What has been measured; a new one where the pool's model changes. */
    EtaModel model;

    private final PoolRuntime pool;
    private final SchedulerSettings settings;
    private final StartCurve curve = new StartCurve();
    private boolean built;
    private long builtAtNs;
    private long goodForNs;
    private long startsAtBuild;

    PoolForecast(PoolRuntime pool, SchedulerSettings settings) {
        this.pool = pool;
        this.settings = settings;
        this.model = new EtaModel(settings);
    }

    /** The start of a queue position that a share {@code u} does not pass, ns from now, ≥ 0. */
    double startNs(long nowNs, long position, double u) {
        if (position == 0 && pool.startsNow()) {
            return 0;
        }
        refresh(nowNs);
        return Math.max(0, curve.start(shifted(position), u) - (nowNs - builtAtNs));
    }

    /** The chance that a task at a queue position ends within {@code spanNs} from now. */
    double onTime(long nowNs, long position, TaskSpec spec, double spanNs) {
        if (position == 0 && pool.startsNow()) {
            return model.endsWithin(spec.promptBytes(), spec.maxTokens(), spanNs);
        }
        refresh(nowNs);
        int row = shifted(position);
        double age = nowNs - builtAtNs;
        double sum = 0;
        for (int level = 0; level < StartCurve.LEVELS; level++) {
            double start = Math.max(0, curve.startAtLevel(row, level) - age);
            sum += model.endsWithin(spec.promptBytes(), spec.maxTokens(), spanNs - start);
        }
        return sum / StartCurve.LEVELS;
    }

    /** How long a running task still needs, median, ns. */
    double remainingNs(long nowNs, TaskEntry entry) {
        double done = tokensDone(nowNs, entry);
        int maxTokens = entry.spec.maxTokens();
        double below = model.lengths().cdf(maxTokens, done);
        double length = below < 1 - 1e-9 ? model.lengths().quantile(maxTokens, below + 0.5 * (1 - below)) : maxTokens;
        return leadNs(nowNs, entry) + Math.max(0, length - done) * model.nsPerToken();
    }

    /** The chance that a running task ends within {@code spanNs} from now. */
    double runningOnTime(long nowNs, TaskEntry entry, double spanNs) {
        double done = tokensDone(nowNs, entry);
        int maxTokens = entry.spec.maxTokens();
        double below = model.lengths().cdf(maxTokens, done);
        double until = done + Math.max(0, spanNs - leadNs(nowNs, entry)) / model.nsPerToken();
        double within = model.lengths().cdf(maxTokens, until);
        return below < 1 - 1e-9 ? (within - below) / (1 - below) : within;
    }

    /** How long a client should wait before its next task, ms: until the queue is down to one task a slot. */
    long backoffMs(long nowNs) {
        if (pool.startsNow()) {
            return 0;
        }
        int slots = pool.readySlots();
        return clampMs(Math.max(1, pool.queued() - slots) / model.drainPerNs(nowNs, slots) / 1e6);
    }

    /** When a refused client should come back, ms: when a sixteenth of the queue has drained. */
    long retryAfterMs(long nowNs) {
        double tasks = Math.max(1, pool.spec.queueCapacity() / DRAIN_PART);
        return clampMs(tasks / model.drainPerNs(nowNs, pool.readySlots()) / 1e6);
    }

    /** The start of one more interactive task by the last curve built, ms; asks for no build. */
    long lastEtaMs(long nowNs) {
        if (pool.startsNow()) {
            return 0;
        }
        if (!built) {
            return (long) (pool.queued() / model.drainPerNs(nowNs, pool.readySlots()) / 1e6);
        }
        long position = pool.lastPosition(true);
        return (long) (Math.max(0, curve.start(shifted(position), 0.5) - (nowNs - builtAtNs)) / 1e6);
    }

    /** Forgets the curve: the slots are not what they were. */
    void invalidate() {
        built = false;
    }

    /** Forgets everything: another model has other speeds. */
    void forget() {
        model = new EtaModel(settings);
        built = false;
    }

    private static long clampMs(double ms) {
        return (long) Math.ceil(Math.max(1, Math.min(RETRY_MS_MAX, ms)));
    }

    private int shifted(long position) {
        return (int) Math.min(Integer.MAX_VALUE, position + pool.starts - startsAtBuild);
    }

    private void refresh(long nowNs) {
        if (built && nowNs - builtAtNs < goodForNs) {
            return;
        }
        build(nowNs);
        built = true;
        builtAtNs = nowNs;
        startsAtBuild = pool.starts;
        long steps = (long) (curve.rowCount() + pool.readySlots()) * StartCurve.SCENARIOS;
        goodForNs = Math.max(settings.etaRebuildNs(), steps * STEP_COST_NS * COST_SHARE);
    }

    private void build(long nowNs) {
        curve.begin(pool.slotIndexes() + 1);
        int slots = 0;
        for (ReplicaRuntime replica : pool.replicas) {
            if (!replica.ready() || pool.paused) {
                continue;
            }
            for (int slot = 0; slot < replica.slots; slot++) {
                TaskEntry holder = slot < replica.slotIndexEnd() ? replica.holder(slot) : null;
                if (holder == null) {
                    curve.free(0);
                } else {
                    curve.running(model, holder.spec.maxTokens(), tokensDone(nowNs, holder), leadNs(nowNs, holder));
                }
                slots++;
            }
        }
        if (slots == 0) {
            boolean reloading = pool.incoming != null;
            long untilMs =
                    reloading ? pool.reloadRemainingMs(nowNs, settings.unreadyRetryMs()) : settings.unreadyRetryMs();
            curve.free(untilMs * 1e6);
        }
        addQueued();
        curve.end(model.meanServiceNs());
    }

    private void addQueued() {
        Backlog backlog = pool.open();
        backlog.interactive.beginWalk();
        backlog.batch.beginWalk();
        TaskEntry interactive = backlog.interactive.nextOfWalk();
        TaskEntry batch = backlog.batch.nextOfWalk();
        int streak = backlog.streak();
        int room = StartCurve.ROWS_MAX - 1;
        while (room-- > 0 && (interactive != null || batch != null)) {
            if (Backlog.batchIsNext(interactive != null, batch != null, streak, pool.spec.batchGuard())) {
                batch = add(backlog.batch, batch);
                streak = 0;
            } else {
                streak = batch == null ? 0 : streak + 1;
                interactive = add(backlog.interactive, interactive);
            }
        }
    }

    private @Nullable TaskEntry add(FairQueue queue, @Nullable TaskEntry entry) {
        if (entry == null) {
            throw new IllegalStateException("the next task of a queue is missing");
        }
        curve.queued(model, entry.spec.promptBytes(), entry.spec.maxTokens());
        return queue.nextOfWalk();
    }

    private double tokensDone(long nowNs, TaskEntry entry) {
        if (!entry.firstTokenSeen) {
            return 0;
        }
        double since = Math.max(0, nowNs - entry.progressAtNs) / model.nsPerToken();
        return Math.min(entry.tokensOut + since, entry.spec.maxTokens() - 0.5);
    }

    private double leadNs(long nowNs, TaskEntry entry) {
        if (entry.firstTokenSeen) {
            return 0;
        }
        double first = model.firstTokenNs(entry.spec.promptBytes());
        return Math.max(0.1 * first, first - (nowNs - entry.heldLease().grantedAtNs()));
    }
}
