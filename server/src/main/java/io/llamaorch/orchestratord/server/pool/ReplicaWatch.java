package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.ReplicaStatus.State;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.pool.ReplicaView.BreakerState;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps an eye on one replica: asks it how it is, hears how its tasks end, and says what may be counted on.
 *
 * <pre>
 *   probe (period; at once after trouble) ──┐
 *   tasks that failed there ──▶ breaker ────┼──▶ {@link ReplicaView} ──▶ listener (scheduler, log, gauges)
 *   what the engine says it runs ───────────┘
 * </pre>
 *
 * <p>One probe that brings no good answer is asked again soon; {@code misses} in a row are believed. A replica that comes
 * up may have to decode one token before it is called ready.
 *
 * <p><b>Owner thread:</b> its loop, but for {@link #view} and the methods that say so.
 */
final class ReplicaWatch {
    /** After a probe that missed, before it is believed, ms. */
    private static final long AGAIN_MS = 100;

    private static final int ERROR_CHARS_MAX = 300;

    /** Told, on the watch's loop, of each change. */
    interface Listener {
        void onView(ReplicaWatch watch, ReplicaView before, ReplicaView now);
    }

    private final Replica replica;
    private final EngineAdapter adapter;
    private final EventLoop loop;
    private final Config.Health settings;
    private final IntSupplier leased;
    private final BooleanSupplier last;
    private final Listener listener;
    private final CircuitBreaker breaker;
    private final Occupancy occupancy = new Occupancy();

    private EngineTarget target;
    private @Nullable ReplicaStatus probed;
    private volatile @Nullable String held;
    private @Nullable String deviceFault;
    private @Nullable String taskError;
    private @Nullable ScheduledFuture<?> next;
    private int round;
    private int misses;
    private int occupied;
    private int restarts;
    private volatile boolean asking;
    private boolean askAgain;
    private boolean warm;
    private @Nullable Preload preload;
    private long run;
    /** Since when no probe has brought a good answer, by {@code nanoTime}; 0 while they do. */
    private volatile long silentSinceNs;
    /** Since when it runs decodes that are not ours, by {@code nanoTime}; 0 while it does not. */
    private volatile long occupiedSinceNs;

    private boolean stopped;
    private volatile boolean troubled;
    private volatile ReplicaView view = ReplicaView.UNKNOWN;

    /**
     * One that has not asked yet.
     *
     * @param leased slots of the replica that are given out, as last published
     * @param last whether its pool has no other replica that is ready and trusted
     */
    ReplicaWatch(Replica replica, EventLoop loop, IntSupplier leased, BooleanSupplier last, Listener listener) {
        this.replica = replica;
        this.adapter = replica.pool().adapter();
        this.loop = loop;
        this.settings = replica.pool().config().health();
        this.leased = leased;
        this.last = last;
        this.listener = listener;
        this.target = replica.target();
        Config.Breaker limits = settings.breaker();
        this.breaker = new CircuitBreaker(limits.failures(), limits.waitMs(), limits.longestWaitMs());
    }

    /** The replica; any thread. */
    Replica replica() {
        return replica;
    }

    /** The loop that owns this; any thread. */
    EventLoop loop() {
        return loop;
    }

    /** What is known; any thread. */
    ReplicaView view() {
        return view;
    }

    /** Any thread: asks now, and from then on. */
    void start() {
        loop.execute(this::ask);
    }

    /** Whether there is no engine to ask; any thread. */
    boolean isHeld() {
        return held != null;
    }

    /** How long no probe has brought a good answer, ms; 0 while they do, or nothing was asked. Any thread. */
    long silentMs() {
        return millisSince(silentSinceNs);
    }

    /** How long it has run decodes that are not ours, ms; 0 while it does not. Any thread. */
    long occupiedMs() {
        return millisSince(occupiedSinceNs);
    }

    private static long millisSince(long ns) {
        return ns == 0 ? 0 : Math.max(1, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - ns));
    }

    /** Slots of it that are given out, as last published; any thread. */
    int leased() {
        return leased.getAsInt();
    }

    /** Which process it looks at, as {@link #retarget} named it. */
    long run() {
        return run;
    }

    /** Whether an answer is awaited; any thread. */
    boolean isAsking() {
        return asking;
    }

    /** Any thread: asks no more. */
    void stop() {
        loop.execute(() -> {
            stopped = true;
            cancelNext();
        });
    }

    /**
     * Any thread: the engine is at another place, or another process, from now on; nothing of the old one counts.
     *
     * @param known what a probe and a first token have shown of it already, null where it is still to be asked
     * @param newRun number of the process, for {@link #run}; 0 where the daemon does not start it
     */
    void retarget(EngineTarget newTarget, @Nullable ReplicaStatus known, long newRun) {
        loop.execute(() -> {
            target = newTarget;
            held = null;
            run = newRun;
            restart();
            probed = known;
            warm = known != null;
            publish();
            ask();
        });
    }

    /** Any thread: there is no engine to ask, until {@link #retarget}. */
    void hold(String why) {
        loop.execute(() -> {
            held = why;
            restart();
            publish();
        });
    }

    /** Any thread: its engine was started anew, that many times in all. */
    void onRestart(int times) {
        loop.execute(() -> {
            restarts = times;
            publish();
        });
    }

    /** Any thread: another replica of its pool has changed. */
    void reconsider() {
        loop.execute(this::publish);
    }

    /** Any thread: its devices are broken, or (null) whole again. */
    void deviceFault(@Nullable String why) {
        loop.execute(() -> {
            deviceFault = why;
            publish();
        });
    }

    /** Any thread: a task decoded its first token there. */
    void onTaskDecoded(int generation) {
        onTaskWell(generation, false);
    }

    /** Any thread: a task ended well there. */
    void onTaskCompleted(int generation) {
        onTaskWell(generation, true);
    }

    private void onTaskWell(int generation, boolean completed) {
        if (!troubled) {
            return;
        }
        loop.execute(() -> {
            if (generation != currentGeneration()) {
                return;
            }
            if (completed) {
                breaker.onSuccess();
                troubled = false;
            } else {
                breaker.onFirstToken();
            }
            publish();
        });
    }

    /** Any thread: a task failed there. */
    void onTaskFailed(int generation, EngineFailure failure) {
        loop.execute(() -> {
            if (generation != currentGeneration()) {
                return;
            }
            if (speaksAgainst(failure)) {
                taskError = bounded(failure.message());
                troubled = true;
                if (breaker.onFailure(nowMs(), ThreadLocalRandom.current().nextDouble())) {
                    scheduleHalfOpen();
                }
                publish();
            }
            ask();
        });
    }

    private int currentGeneration() {
        return replica.generation();
    }

    /** What the client did wrong, and an engine that is merely full, say nothing of its health. */
    private static boolean speaksAgainst(EngineFailure failure) {
        return switch (failure.code()) {
            case WORKER_RESET, POOL_UNAVAILABLE, DECODE_TIMEOUT, INTERNAL, POOL_UNREADY -> true;
            default -> false;
        };
    }

    private void scheduleHalfOpen() {
        long waitMs = Math.max(1, breaker.opensUntilMs() - nowMs());
        loop.schedule(
                () -> {
                    if (!stopped && breaker.advance(nowMs())) {
                        publish();
                    }
                },
                waitMs,
                TimeUnit.MILLISECONDS);
    }

    private void restart() {
        round++; // an answer that is under way is of the engine that was
        asking = false;
        askAgain = false;
        misses = 0;
        silentSinceNs = 0;
        occupiedSinceNs = 0;
        warm = false;
        Preload decoding = preload;
        preload = null;
        if (decoding != null) {
            decoding.abort();
        }
        probed = null;
        taskError = null;
        occupied = 0;
        occupancy.reset();
        breaker.reset();
        troubled = false;
        cancelNext();
    }

    private void ask() {
        if (stopped || held != null) {
            return;
        }
        if (asking) {
            askAgain = true; // what is being answered may be older than the trouble
            return;
        }
        asking = true;
        cancelNext();
        int asked = round;
        adapter.probe(target, loop, status -> {
            if (asked == round) {
                onAnswer(status);
            }
        });
    }

    private void onAnswer(ReplicaStatus status) {
        asking = false;
        if (stopped) {
            return;
        }
        misses = status.state() == State.DOWN ? misses + 1 : 0;
        silentSinceNs = since(misses > 0, silentSinceNs);
        boolean believed = status.state() != State.DOWN || misses >= settings.misses() || !isReady();
        if (believed) {
            take(status);
        }
        long periodMs =
                believed ? (status.state() == State.READY && warm ? settings.periodMs() : downPeriodMs()) : AGAIN_MS;
        if (asking) {
            return; // it decodes its first token; what comes of that decides when to ask again
        }
        askLater(periodMs);
    }

    /** When something that holds now began; 0 where it does not. */
    private static long since(boolean holds, long beganNs) {
        return !holds ? 0 : beganNs == 0 ? System.nanoTime() | 1 : beganNs;
    }

    private void askLater(long periodMs) {
        long inMs = askAgain ? Math.min(periodMs, AGAIN_MS) : periodMs;
        askAgain = false;
        cancelNext();
        next = loop.schedule(this::ask, inMs, TimeUnit.MILLISECONDS);
    }

    private long downPeriodMs() {
        return Math.max(1, settings.periodMs() / 4);
    }

    private boolean isReady() {
        ReplicaStatus known = probed;
        return known != null && known.state() == State.READY;
    }

    private void take(ReplicaStatus status) {
        ReplicaStatus before = probed;
        boolean sameEngine = before != null && Objects.equals(before.engineVersion(), status.engineVersion());
        if (status.state() == State.READY && !sameEngine) {
            breaker.reset();
            troubled = false;
            occupancy.reset();
        }
        probed = status;
        if (status.state() != State.READY) {
            warm = false;
        } else if (!warm) {
            warmUp();
            if (!warm) {
                publish();
                return;
            }
        }
        occupied =
                status.state() == State.READY ? occupancy.sample(status.load().running(), leased.getAsInt()) : 0;
        occupiedSinceNs = since(occupied > 0, occupiedSinceNs);
        publish();
    }

    /** It answers; now it must decode, where that is asked for. */
    private void warmUp() {
        if (!replica.pool().config().preload()) {
            warm = true;
            return;
        }
        int asked = round;
        asking = true;
        Preload decoding = new Preload(adapter, target, replica.pool().config(), loop);
        preload = decoding;
        decoding.run(failure -> {
            if (asked != round) {
                return;
            }
            preload = null;
            asking = false;
            warm = failure == null;
            taskError = failure == null ? null : bounded("one-token decode: " + failure.message());
            publish();
            if (!stopped) {
                askLater(warm ? settings.periodMs() : downPeriodMs());
            }
        });
    }

    /** Says what is known, where that is not what was said last. */
    private void publish() {
        ReplicaView before = view;
        ReplicaView now = look();
        if (!now.equals(before)) {
            view = now;
            listener.onView(this, before, now);
        }
    }

    private ReplicaView look() {
        ReplicaStatus known = probed;
        BreakerState trust = breaker.state();
        String version = known == null || known.engineVersion() == null ? "" : known.engineVersion();
        int slots = known == null ? 0 : known.slots();
        int ctx = known == null ? 0 : known.ctx();
        EngineLoad load = known == null ? EngineLoad.UNKNOWN : known.load();
        State state = known == null ? State.LOADING : known.state();
        String error = known == null ? "not asked yet" : known.lastError();
        if (held != null) {
            state = State.DOWN;
            error = held;
        } else if (deviceFault != null) {
            state = State.DOWN;
            error = deviceFault;
        } else if (state == State.READY && !warm) {
            state = State.LOADING;
            error = taskError == null ? "decoding its first token" : taskError;
        } else if (state == State.READY && trust == BreakerState.OPEN && !last.getAsBoolean()) {
            state = State.DOWN;
            error = "circuit breaker open: " + taskError;
        } else if (state == State.READY) {
            error = troubled ? taskError : null;
            int configured = replica.slots();
            int usable = (slots > 0 ? Math.min(slots, configured) : configured) - occupied;
            slots = trust == BreakerState.CLOSED ? Math.max(1, usable) : 1;
        }
        return new ReplicaView(state, version, slots, ctx, load, trust, occupied, restarts, error);
    }

    private void cancelNext() {
        if (next != null) {
            next.cancel(false);
            next = null;
        }
    }

    private static String bounded(String message) {
        return message.length() <= ERROR_CHARS_MAX ? message : message.substring(0, ERROR_CHARS_MAX);
    }

    private static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }
}
