package io.llamaorch.orchestratord.bench.engine;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes the tokens of all streams when they are due, from one task on the loop.
 *
 * <p>Paced: a wheel of one-millisecond places; a stream that is due at tick {@code t} stands in place {@code t mod SIZE}.
 * A client that does not take its token keeps its stream waiting for a tick, the pace is not made up for. Unpaced: a turn
 * gives each stream one write and then lets the loop read, so that no stream and no request waits longer than a turn. When
 * nothing runs, nothing ticks. <b>Owner thread:</b> the loop.
 */
final class Pacer {
    private static final int SIZE = 4096;
    private static final long TICK_NS = 1_000_000;

    private final EventLoop loop;
    private final SimulatorStats stats;
    private final long paceTicks;
    private final long firstTicks;
    private final int tokensPerWrite;
    private final @Nullable SimulatedStream[] wheel = new SimulatedStream[SIZE];
    private final long originNs = System.nanoTime();
    private @Nullable SimulatedStream ready;
    private long doneTick;
    private int running;
    private boolean ticking;
    private boolean turning;

    /**
     * A pacer.
     *
     * @param paceMs between two tokens of a stream; 0 for as fast as the client takes them
     * @param firstMs from the request to the first token
     * @param tokensPerWrite tokens that leave together
     */
    Pacer(EventLoop loop, SimulatorStats stats, long paceMs, long firstMs, int tokensPerWrite) {
        this.loop = loop;
        this.stats = stats;
        this.paceTicks = paceMs;
        this.firstTicks = firstMs;
        this.tokensPerWrite = tokensPerWrite;
    }

    /** Takes a stream; its first token is due after the set time. */
    void add(SimulatedStream stream) {
        if (firstTicks == 0 && paceTicks == 0) {
            makeReady(stream);
            return;
        }
        long nowTick = nowTick();
        if (!ticking) {
            doneTick = nowTick;
            ticking = true;
            scheduleTick();
        }
        running++;
        place(stream, nowTick + Math.max(1, firstTicks));
    }

    private void makeReady(SimulatedStream stream) {
        stream.next = ready;
        ready = stream;
        if (!turning) {
            turning = true;
            scheduleTurn();
        }
    }

    private void place(SimulatedStream stream, long dueTick) {
        stream.dueTick = dueTick;
        int at = (int) (dueTick & (SIZE - 1));
        stream.next = wheel[at];
        wheel[at] = stream;
    }

    private void tick() {
        long nowTick = nowTick();
        while (doneTick < nowTick) {
            doneTick++;
            int at = (int) (doneTick & (SIZE - 1));
            SimulatedStream stream = wheel[at];
            wheel[at] = null;
            while (stream != null) {
                SimulatedStream following = stream.next;
                visit(stream);
                stream = following;
            }
        }
        ticking = running > 0;
        if (ticking) {
            scheduleTick();
        }
    }

    private void visit(SimulatedStream stream) {
        if (stream.gone()) {
            running--;
        } else if (stream.dueTick > doneTick) {
            place(stream, stream.dueTick);
        } else if (paceTicks == 0) {
            running--;
            makeReady(stream);
        } else if (!stream.writable()) {
            place(stream, doneTick + 1);
        } else {
            stats.tokens += stream.write(tokensPerWrite);
            if (stream.gone()) {
                running--;
            } else {
                place(stream, doneTick + paceTicks);
            }
        }
    }

    private void turn() {
        SimulatedStream stream = ready;
        SimulatedStream kept = null;
        ready = null;
        while (stream != null) {
            SimulatedStream following = stream.next;
            if (!stream.gone() && stream.writable()) {
                stats.tokens += stream.write(tokensPerWrite);
            }
            if (!stream.gone()) {
                stream.next = kept;
                kept = stream;
            }
            stream = following;
        }
        while (kept != null) {
            SimulatedStream following = kept.next;
            kept.next = ready;
            ready = kept;
            kept = following;
        }
        turning = ready != null;
        if (turning) {
            scheduleTurn();
        }
    }

    /** A scheduled task, not one that is executed: those run in a row, without I/O between them. */
    private void scheduleTurn() {
        loop.schedule(this::turn, 1, TimeUnit.NANOSECONDS);
    }

    private void scheduleTick() {
        long nextNs = originNs + (doneTick + 1) * TICK_NS;
        loop.schedule(this::tick, Math.max(1, nextNs - System.nanoTime()), TimeUnit.NANOSECONDS);
    }

    private long nowTick() {
        return (System.nanoTime() - originNs) / TICK_NS;
    }
}
