package io.llamaorch.orchestratord.server.log;

import io.llamaorch.orchestratord.server.config.Config.LogLevel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The log's level while the daemon runs: changed by order for a while, and then as configured again by itself, so that
 * nobody has to remember.
 *
 * <p>{@link #ask} and {@link #change} may be called by any thread; the rest happens on one event loop, as do the answers.
 */
public final class LogLevels {
    private final LogLevel configured;
    private final Consumer<LogLevel> setter;
    private final EventLoop loop;
    private final EventLog log;

    private LogLevel level;
    private long revertAtNs;
    private @Nullable Future<?> revert;

    /**
     * Levels of a log that is at its configured one.
     *
     * @param configured the level to go back to
     * @param setter sets it
     * @param loop where this lives
     * @param log told of changes
     */
    public LogLevels(LogLevel configured, Consumer<LogLevel> setter, EventLoop loop, EventLog log) {
        this.configured = configured;
        this.setter = setter;
        this.loop = loop;
        this.log = log;
        this.level = configured;
    }

    /**
     * How it stands.
     *
     * @param level as it is
     * @param configured as it will be again
     * @param revertsInMs when, ms; 0 where it is
     */
    public record Now(LogLevel level, LogLevel configured, long revertsInMs) {}

    /** Asks how it stands. */
    public void ask(Consumer<Now> answer) {
        loop.execute(() -> answer.accept(now()));
    }

    /**
     * Changes the level.
     *
     * @param to the level; the configured one ends an earlier change
     * @param forMs how long it holds, ms
     * @param correlationId of the order
     * @param identity who gave it
     */
    public void change(LogLevel to, long forMs, String correlationId, String identity, Consumer<Now> answer) {
        loop.execute(() -> {
            Future<?> earlier = revert;
            if (earlier != null) {
                earlier.cancel(false);
                revert = null;
            }
            boolean goesBack = to != configured;
            set(to, goesBack ? forMs : 0, correlationId, identity, "asked");
            if (goesBack) {
                revertAtNs = loop.ticker().nanoTime() + TimeUnit.MILLISECONDS.toNanos(forMs);
                revert = loop.schedule(this::goBack, forMs, TimeUnit.MILLISECONDS);
            }
            answer.accept(now());
        });
    }

    private void goBack() {
        revert = null;
        set(configured, 0, null, null, "expired");
    }

    /** Says so while the more talkative of both levels holds, or nobody would read it. */
    private void set(
            LogLevel to, long forMs, @Nullable String correlationId, @Nullable String identity, String reason) {
        LogLevel from = level;
        if (to == from && reason.equals("expired")) {
            return;
        }
        boolean quieter = to.compareTo(from) < 0; // the least talkative is declared first
        if (!quieter) {
            setter.accept(to);
        }
        log.levelChanged(correlationId, identity, from, to, forMs, reason);
        if (quieter) {
            setter.accept(to);
        }
        level = to;
    }

    private Now now() {
        long leftMs = TimeUnit.NANOSECONDS.toMillis(revertAtNs - loop.ticker().nanoTime());
        return new Now(level, configured, revert == null ? 0 : Math.max(1, leftMs));
    }
}
