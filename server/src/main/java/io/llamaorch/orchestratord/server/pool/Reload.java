package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
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
 *   failed:   (old model back) ─▶ answer 409; queued tasks go on with the old model
 * </pre>
 *
 * <p>The flip is one event of the scheduler: tasks dispatched before it go where the old model is, those after it where
 * the new one is. Owned by the control loop.
 */
public final class Reload {
    private static final long LOOK_MS = 20;
    /** What a reload is thought to take before one has been measured, ms; never more than its deadline. */
    private static final long FIRST_GUESS_MS = 30_000;
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
        state.reloading = true;
        int pool = state.pool.index();
        boolean pause = mode == Mode.INSTEAD;
        long expectedMs = Math.min(deadlineMs, state.lastReloadMs > 0 ? state.lastReloadMs : FIRST_GUESS_MS);
        control.tell(() -> control.ring().offerBeginReload(pool, model, pause, expectedMs));
        control.log().poolChanged(id(), "reloading", modeWord() + " to " + model);
        if (pause) {
            long drainMs = Math.min(state.pool.config().reload().drainMs(), deadlineMs / 2);
            endTasksBefore(Integer.MAX_VALUE, drainMs, this::load);
        } else {
            load();
        }
    }

    private void load() {
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
        int inFlight = control.snapshot(state.pool).leases();
        control.metrics().reloads(id(), true).inc();
        control.log().poolChanged(id(), "reloaded", "serves " + model + " after " + tookMs() + " ms");
        done.accept(Answer.of(new Done(previous, modeWord(), tookMs(), inFlight)));
        endTasksBefore(generation, state.pool.config().reload().drainMs(), () -> {
            loader.retireOld();
            state.reloading = false;
        });
    }

    private void onFailed(String why) {
        if (mode == Mode.BESIDE) {
            rolledBack(why + "; " + previous + " serves on");
            return;
        }
        loader.restoreOld(restored -> {
            if (restored.problem() == null) {
                for (int i = 0; i < restored.replicas().size(); i++) {
                    Ready ready = restored.replicas().get(i);
                    state.pool.replicas().get(i).move(ready.target());
                    state.watches.get(i).retarget(ready.target(), ready.status(), ready.run());
                }
                rolledBack(why + "; " + previous + " is back and serves on");
            } else {
                rolledBack(why + "; and " + previous + " did not come back yet: " + restored.problem());
            }
        });
    }

    private void rolledBack(String why) {
        control.tell(() -> control.ring().offerEndReload(state.pool.index(), false));
        state.reloading = false;
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
            ApiError error = ApiError.of(
                            ErrorCode.WORKER_RESET,
                            "pool " + id() + " loads another model and this task had no more time; submit it again")
                    .at(state.pool.config().engine().wireName(), id());
            control.tell(() -> control.ring().offerAbortPool(state.pool.index(), generation, error));
            await(over, ABORT_MS, then);
        });
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
