package io.llamaorch.orchestratord.adapters.mock;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One decode of the mock engine, in bursts on its loop. Owned by that loop. */
final class MockCall implements EngineCall, Runnable {
    /** Most tokens in one turn of the loop. */
    static final int BURST_MAX = 64;

    private static final double NS_PER_MS = 1e6;
    private static final double NS_PER_S = 1e9;
    /** Tokens that are due within this are sent together: finer timers cost more than they show. */
    private static final long TICK_MIN_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final MockText text;
    private final MockSpeed speed;
    private final EventLoop loop;
    private final EngineSink sink;
    private final double promptMs;

    private @Nullable Future<?> timer;
    private long firstTokenNs;
    private int sent;
    private boolean accepted;
    private boolean queued;
    private boolean paused;
    private boolean ended;

    MockCall(MockText text, MockSpeed speed, EventLoop loop, EngineSink sink) {
        this.text = text;
        this.speed = speed;
        this.loop = loop;
        this.sink = sink;
        this.promptMs = speed.ttftMs() + text.tokensIn() * speed.promptMsPerToken();
    }

    void begin() {
        queued = true;
        loop.execute(this);
    }

    @Override
    public void abort() {
        ended = true;
        Future<?> armed = timer;
        timer = null;
        if (armed != null) {
            armed.cancel(false);
        }
    }

    @Override
    public void resume() {
        if (paused && !ended) {
            paused = false;
            schedule(0);
        }
    }

    /** One turn. */
    @Override
    public void run() {
        queued = false;
        timer = null;
        if (ended || paused) {
            return;
        }
        long now = loop.ticker().nanoTime();
        if (!accepted) {
            accepted = true;
            firstTokenNs = now + (long) (promptMs * NS_PER_MS);
            sink.accepted();
        }
        if (!ended && now >= firstTokenNs) {
            burst(now);
        }
        if (ended || paused) {
            return;
        }
        if (sent == text.tokensOut()) {
            ended = true;
            double decodeMs = (now - firstTokenNs) / NS_PER_MS;
            sink.end(new EngineUsage(text.finishReason(), text.tokensIn(), sent, promptMs, decodeMs));
            return;
        }
        schedule(Math.max(0, dueNs(sent) - now));
    }

    private void burst(long now) {
        int before = sent;
        while (sent < text.tokensOut() && sent - before < BURST_MAX && dueNs(sent) <= now && !paused && !ended) {
            int word = text.word(sent);
            sent++;
            if (!sink.token(MockText.bytes(), MockText.offset(word), MockText.length(word))) {
                paused = true;
            }
        }
        if (sent > before && !ended) {
            sink.batchEnd();
        }
    }

    /** When token {@code i} is due. */
    private long dueNs(int i) {
        return firstTokenNs + (speed.tokensPerS() == 0 ? 0 : (long) (i * (NS_PER_S / speed.tokensPerS())));
    }

    private void schedule(long delayNs) {
        if (queued || timer != null) {
            return;
        }
        if (delayNs == 0) {
            queued = true;
            loop.execute(this);
        } else {
            timer = loop.schedule(this, Math.max(delayNs, TICK_MIN_NS), TimeUnit.NANOSECONDS);
        }
    }
}
