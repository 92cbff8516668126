package io.llamaorch.orchestratord.server.http;

import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The coarse clock of one event loop and the gates whose deadlines it watches: no timer per connection or request.
 *
 * <p>A tick is {@link #TICK_MS} ms. A deadline set for n ms fires between n and n + {@link #TICK_MS} ms later. One
 * tick costs one comparison for each open connection. Also keeps the {@code Date} line, rendered once a second.
 *
 * <p>Owner: the event loop. Tests drive {@link #advance} by hand.
 */
final class LoopTicks {
    static final long TICK_MS = 250;

    /** A deadline that is not set. */
    static final long NEVER = Long.MAX_VALUE;

    private static final DateTimeFormatter RFC_1123 = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private final LongSupplier wallClockMs;
    private final ArrayList<RequestGate> gates = new ArrayList<>();
    private long tick;
    private long dateSecond = -1;
    private byte[] dateLine = new byte[0];

    /**
     * Ticks that somebody advances.
     *
     * @param wallClockMs wall clock, ms since 1970, for the {@code Date} line
     */
    LoopTicks(LongSupplier wallClockMs) {
        this.wallClockMs = wallClockMs;
        renderDate();
    }

    /** Starts ticking on the loop, for as long as it lives. */
    @SuppressWarnings("FutureReturnValueIgnored") // ends with the loop
    static LoopTicks start(EventLoop loop, LongSupplier wallClockMs) {
        LoopTicks ticks = new LoopTicks(wallClockMs);
        loop.scheduleAtFixedRate(ticks::advance, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
        return ticks;
    }

    /** The tick at which a span that begins now is surely over. */
    long deadline(long spanMs) {
        return tick + (spanMs + TICK_MS - 1) / TICK_MS + 1;
    }

    /** {@code Date: …CRLF}; not to be changed. */
    byte[] dateLine() {
        return dateLine;
    }

    void add(RequestGate gate) {
        gate.ticksIndex = gates.size();
        gates.add(gate);
    }

    void remove(RequestGate gate) {
        int index = gate.ticksIndex;
        if (index < 0) {
            return;
        }
        gate.ticksIndex = -1;
        RequestGate last = gates.remove(gates.size() - 1);
        if (last != gate) {
            gates.set(index, last);
            last.ticksIndex = index;
        }
    }

    /** One tick later. A gate may remove itself, or others, while it is told. */
    void advance() {
        tick++;
        renderDate();
        for (int i = gates.size() - 1; i >= 0; i--) {
            if (i < gates.size()) {
                gates.get(i).onTick(tick);
            }
        }
    }

    private void renderDate() {
        long second = Math.floorDiv(wallClockMs.getAsLong(), 1000L);
        if (second != dateSecond) {
            dateSecond = second;
            dateLine = ("Date: " + RFC_1123.format(Instant.ofEpochSecond(second)) + "\r\n")
                    .getBytes(StandardCharsets.US_ASCII);
        }
    }
}
