package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.server.config.Config;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Waits until an engine that was just started, or told to load a model, is healthy and has decoded one token. Owned by its
 * loop; answers once.
 */
final class Verification {
    private static final long PERIOD_MS = 100;

    /**
     * What was found.
     *
     * @param status of the engine when it was ready; else as last seen, null where it never answered
     * @param problem why it is not to be used, null where it is
     */
    record Verdict(@Nullable ReplicaStatus status, @Nullable String problem) {}

    private final EngineAdapter adapter;
    private final EngineTarget target;
    private final Config.Pool pool;
    private final EventLoop loop;
    private @Nullable Consumer<Verdict> done;
    private @Nullable ReplicaStatus last;
    private @Nullable Preload decoding;

    private Verification(
            EngineAdapter adapter, EngineTarget target, Config.Pool pool, EventLoop loop, Consumer<Verdict> done) {
        this.adapter = adapter;
        this.target = target;
        this.pool = pool;
        this.loop = loop;
        this.done = done;
    }

    /**
     * Starts one, on {@code loop}.
     *
     * @param limitMs on the whole, ms
     * @return what ends it early, with a problem; of no effect after it has answered
     */
    static Consumer<String> begin(
            EngineAdapter adapter,
            EngineTarget target,
            Config.Pool pool,
            EventLoop loop,
            long limitMs,
            Consumer<Verdict> done) {
        Verification verification = new Verification(adapter, target, pool, loop, done);
        loop.schedule(
                () -> verification.answer("not ready within " + limitMs + " ms" + verification.lastWords()),
                limitMs,
                TimeUnit.MILLISECONDS);
        loop.execute(verification::ask);
        return verification::answer;
    }

    private String lastWords() {
        ReplicaStatus seen = last;
        return seen == null || seen.lastError() == null ? "" : ": " + seen.lastError();
    }

    private void ask() {
        if (done != null) {
            adapter.probe(target, loop, this::onStatus);
        }
    }

    private void onStatus(ReplicaStatus status) {
        if (done == null) {
            return;
        }
        last = status;
        if (status.state() != ReplicaStatus.State.READY) {
            loop.schedule(this::ask, PERIOD_MS, TimeUnit.MILLISECONDS);
            return;
        }
        Preload first = new Preload(adapter, target, pool, loop);
        decoding = first;
        first.run(failure -> {
            decoding = null;
            answer(failure == null ? null : "it is healthy and decodes nothing: " + failure.message());
        });
    }

    private void answer(@Nullable String problem) {
        Consumer<Verdict> waiting = done;
        done = null;
        Preload unfinished = decoding;
        decoding = null;
        if (unfinished != null) {
            unfinished.abort();
        }
        if (waiting != null) {
            waiting.accept(new Verdict(last, problem));
        }
    }
}
