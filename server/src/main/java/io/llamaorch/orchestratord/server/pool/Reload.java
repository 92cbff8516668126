package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.pool.ModelLoader.Loaded;
import io.llamaorch.orchestratord.server.pool.ModelLoader.Mode;
import io.llamaorch.orchestratord.server.pool.ModelLoader.Ready;
import io.llamaorch.orchestratord.server.pool.PoolControl.Answer;
import io.llamaorch.orchestratord.server.pool.PoolControl.PoolState;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One reload of one pool.
 *
 * <pre>
 *   BESIDE:   load ─────────────────────▶ flip ─▶ answer 202 ─▶ old tasks end, or are ended ─▶ old model goes
 *   INSTEAD:  pause ─▶ old tasks end ─▶ load ─▶ flip ─▶ answer 202
 *   failed:   answer 409; queued tasks go on with the old model ─▶ (INSTEAD: it comes back)
 * </pre>
 *
 * <p>The flip is one event of the scheduler: tasks dispatched before it go where the old model is, those after it where
 * the new one is. Owned by the control loop.
 */
public final class Reload {
    private static final long LOOK_MS = 20;
    /** What a reload is thought to take before one has been measured, ms; never more than its deadline. */
    private static final long FIRST_GUESS_MS = 30_000;
    /** Most that the old model may take to come back after a failed load in its place, ms. */
    private static final long RESTORE_MS = 600_000;
    /** Kept of a deadline for what comes before a load in the old model's place: two looks, and the end of tasks, ms. */
    private static final long STEPS_MS = 500;

    /** Most that the scheduler's word is waited for before an answer, ms. */
    private static final long PUBLISHED_MS = 500;
    /** Time for aborted tasks to give their slots back, ms. */
    private static final long ABORT_MS = 2_000;

    /**
     * A reload that took effect.
     *
     * @param previousModel what the pool served before
     * @param mode {@code blue_green} or {@code stop_start}
     * @param tookMs from the request to the flip, ms
     * @param inFlight tasks that still ran on the old model at the flip
     */
    public record Done(String previousModel, String mode, long tookMs, int inFlight) {}

    private final PoolControl control;
    private final PoolState state;
    private final ModelLoader loader;
    private final String model;
    private final long beganNs = System.nanoTime();
    private final long deadlineMs;
    private final Consumer<Answer<Done>> done;
    private final Mode mode;
    private final String previous;
    private long loadBeganNs;

    Reload(
            PoolControl control,
            PoolState state,
            ModelLoader loader,
            String model,
            long deadlineMs,
            Consumer<Answer<Done>> done) {
        this.control = control;
        this.state = state;
        this.loader = loader;
        this.model = model;
        this.deadlineMs = deadlineMs;
        this.done = done;
        this.mode = loader.mode();
        this.previous = control.snapshot(state.pool).model();
    }

    void begin() {
        int pool = state.pool.index();
        boolean pause = mode == Mode.INSTEAD;
        long leastMs = leastLoadMs();
        if (pause && leastMs > 0 && deadlineMs < leastMs + STEPS_MS) {
            control.metrics().reloads(id(), false).inc();
            done.accept(Answer.refused(PoolControl.conflict(
                    state.pool,
                    "cannot be reloaded within " + deadlineMs + " ms: no load in this pool has taken less than "
                            + leastMs + " ms yet, and " + STEPS_MS + " ms are kept for what comes before it; nothing"
                            + " was stopped and " + previous + " serves on")));
            return;
        }
        state.standing = PoolControl.Standing.incoming(model);
        long expectedMs = Math.min(deadlineMs, state.lastReloadMs > 0 ? state.lastReloadMs : FIRST_GUESS_MS);
        control.tell(() -> control.ring().offerBeginReload(pool, model, pause, expectedMs));
        control.log().poolChanged(id(), "reloading", modeWord() + " to " + model);
        if (pause) {
            long spareMs = Math.min(deadlineMs / 2, deadlineMs - leastMs - STEPS_MS / 2);
            loadWhenTasksEnded(Math.min(state.pool.config().reload().drainMs(), spareMs));
        } else {
            load();
        }
    }

    /** The least that a load was seen to take in this pool, of whatever model, ms; 0 where none was. */
    private long leastLoadMs() {
        long startMs = loader.leastStartMs();
        return startMs > 0 && state.leastLoadMs > 0
                ? Math.min(startMs, state.leastLoadMs)
                : Math.max(startMs, state.leastLoadMs);
    }

    /**
     * Waits for the tasks that run, ends what is left after a while, and loads in the old model's place. Whether there is
     * time for a load is asked before a task is ended: from then on there is no way back without harm.
     */
    private void loadWhenTasksEnded(long patienceMs) {
        BooleanSupplier over = () -> noneBefore(Integer.MAX_VALUE);
        await(over, patienceMs, () -> {
            long spareMs = deadlineMs - tookMs() - leastLoadMs();
            if (spareMs < 0) {
                rolledBack("what came before the load took so long that " + Math.max(0, deadlineMs - tookMs())
                        + " ms are left, which are too few for one; nothing was stopped and " + previous
                        + " serves on");
            } else if (over.getAsBoolean()) {
                load();
            } else {
                abortTasksBefore(Integer.MAX_VALUE);
                await(over, Math.clamp(spareMs, 0, ABORT_MS), this::load);
            }
        });
    }

    private void load() {
        loadBeganNs = System.nanoTime();
        loader.load(model, mode, Math.max(1, deadlineMs - tookMs()), this::onLoaded);
    }

    private void onLoaded(Loaded loaded) {
        if (loaded.problem() != null) {
            onFailed(loaded.problem());
            return;
        }
        int generation = state.pool.replicas().get(0).generation() + 1;
        for (int i = 0; i < loaded.replicas().size(); i++) {
            Ready ready = loaded.replicas().get(i);
            state.pool.replicas().get(i).install(generation, model, ready.target());
            state.watches.get(i).retarget(ready.target(), ready.status(), ready.run());
        }
        control.tell(() -> control.ring().offerEndReload(state.pool.index(), true));
        state.lastReloadMs = tookMs();
        if (mode == Mode.INSTEAD) {
            long loadMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - loadBeganNs));
            state.leastLoadMs = state.leastLoadMs == 0 ? loadMs : Math.min(state.leastLoadMs, loadMs);
        }
        long drainMs = state.pool.config().reload().drainMs();
        state.standing = PoolControl.Standing.leaving(previous, drainMs + ABORT_MS);
        control.metrics().reloads(id(), true).inc();
        control.log().poolChanged(id(), "reloaded", "serves " + model + " after " + state.lastReloadMs + " ms");
        // Who hears of it and looks finds it so.
        await(() -> control.snapshot(state.pool).generation() >= generation, PUBLISHED_MS, () -> {
            int inFlight = control.snapshot(state.pool).leasesBefore();
            endTasksBefore(generation, drainMs, () -> {
                loader.retireOld();
                state.standing = PoolControl.Standing.NOTHING;
            });
            done.accept(Answer.of(new Done(previous, modeWord(), state.lastReloadMs, inFlight)));
        });
    }

    private void onFailed(String why) {
        if (mode == Mode.BESIDE) {
            rolledBack(why + "; " + previous + " serves on");
            return;
        }
        rolledBack(
                why + "; " + previous + " is on its way back, and the pool's health tells when it is there",
                PoolControl.Standing.returning(previous, restoreMs()));
        loader.restoreOld(restoreMs(), restored -> {
            state.standing = PoolControl.Standing.NOTHING;
            if (restored.problem() == null) {
                for (int i = 0; i < restored.replicas().size(); i++) {
                    Ready ready = restored.replicas().get(i);
                    state.pool.replicas().get(i).move(ready.target());
                    state.watches.get(i).retarget(ready.target(), ready.status(), ready.run());
                }
                control.log().poolChanged(id(), "restored", previous + " is back and serves on");
            } else {
                control.log().poolChanged(id(), "not_restored", previous + ": " + restored.problem());
            }
        });
    }

    /** How long the old model may take to come back: as long as any start. */
    private long restoreMs() {
        Config.Provisioning process = state.pool.config().process();
        return process == null ? RESTORE_MS : process.startTimeoutMs();
    }

    private void rolledBack(String why) {
        rolledBack(why, PoolControl.Standing.NOTHING);
    }

    private void rolledBack(String why, PoolControl.Standing next) {
        control.tell(() -> control.ring().offerEndReload(state.pool.index(), false));
        state.standing = next;
        control.metrics().reloads(id(), false).inc();
        control.log().poolChanged(id(), "rolled_back", why);
        done.accept(
                Answer.refused(PoolControl.conflict(state.pool, "could not be reloaded with " + model + ": " + why)));
    }

    /** Waits until no task placed before a generation runs, ends what is left after a while, and goes on. */
    private void endTasksBefore(int generation, long patienceMs, Runnable then) {
        BooleanSupplier over = () -> noneBefore(generation);
        await(over, patienceMs, () -> {
            if (over.getAsBoolean()) {
                then.run();
                return;
            }
            abortTasksBefore(generation);
            await(over, ABORT_MS, then);
        });
    }

    private void abortTasksBefore(int generation) {
        ApiError error = ApiError.of(
                        ErrorCode.WORKER_RESET,
                        "pool " + id() + " loads another model and this task had no more time; submit it again")
                .at(state.pool.config().engine().wireName(), id());
        control.tell(() -> control.ring().offerAbortPool(state.pool.index(), generation, error));
    }

    /** Whether none runs that was placed before a generation; a snapshot older than the pause or flip does not tell. */
    private boolean noneBefore(int generation) {
        SchedulerSnapshot.Pool now = control.snapshot(state.pool);
        return generation == Integer.MAX_VALUE
                ? model.equals(now.incomingModel()) && now.leases() == 0
                : now.generation() >= generation && now.leasesBefore() == 0;
    }

    private void await(BooleanSupplier condition, long limitMs, Runnable then) {
        long untilNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        look(condition, untilNs, then);
    }

    private void look(BooleanSupplier condition, long untilNs, Runnable then) {
        if (condition.getAsBoolean() || System.nanoTime() - untilNs >= 0) {
            then.run();
        } else {
            control.loop().schedule(() -> look(condition, untilNs, then), LOOK_MS, TimeUnit.MILLISECONDS);
        }
    }

    private String id() {
        return state.pool.config().id();
    }

    private String modeWord() {
        return mode == Mode.BESIDE ? "blue_green" : "stop_start";
    }

    private long tookMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNs);
    }
}
