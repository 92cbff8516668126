package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ModelControl;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A few small requests to one engine, one after another, that lead to one answer within one limit of time: a probe, an
 * order to load a model. Answers exactly once, however the engine hangs or breaks. Owned by its loop.
 *
 * @param <T> the answer
 */
public final class EngineInquiry<T> {
    /** Longest answer read, bytes. */
    public static final int BODY_MAX_BYTES = 1 << 20;

    /** Told of a whole answer. */
    @FunctionalInterface
    public interface Answered {
        /** The engine answered {@code status} with {@code body}. */
        void with(int status, byte[] body);
    }

    /**
     * The answer where nothing was settled and there is no other.
     *
     * @param <T> the answer
     */
    @FunctionalInterface
    public interface Broken<T> {
        /**
         * From why it broke.
         *
         * @param timedOut whether the limit of time was what broke it
         */
        T answer(String why, boolean timedOut);
    }

    private final EngineHttpClient client;
    private final EngineTarget target;
    private final EventLoop loop;
    private final int limitMs;
    private final Broken<T> broken;
    private final Consumer<T> answer;
    private @Nullable T settled;
    private @Nullable Future<?> limit;
    private @Nullable Future<?> pause;
    private @Nullable HttpExchange running;
    private String doing = "";
    private boolean over;

    /**
     * An inquiry that has not begun.
     *
     * @param limitMs on the whole, ms
     * @param broken the answer where a request broke or the time ran out
     * @param answer told once, on {@code loop}
     */
    public EngineInquiry(
            EngineHttpClient client,
            EngineTarget target,
            EventLoop loop,
            int limitMs,
            Broken<T> broken,
            Consumer<T> answer) {
        this.client = client;
        this.target = target;
        this.loop = loop;
        this.limitMs = limitMs;
        this.broken = broken;
        this.answer = answer;
    }

    /** How a replica is, within its own limit; one that does not answer is down. */
    public static EngineInquiry<ReplicaStatus> probe(
            EngineHttpClient client, EngineTarget target, EventLoop loop, Consumer<ReplicaStatus> answer) {
        return new EngineInquiry<>(
                client, target, loop, target.timeouts().probeMs(), (why, timedOut) -> ReplicaStatus.down(why), answer);
    }

    /** An order to load or unload a model. */
    public static EngineInquiry<ModelControl.Outcome> order(
            EngineHttpClient client,
            EngineTarget target,
            EventLoop loop,
            int limitMs,
            Consumer<ModelControl.Outcome> answer) {
        return new EngineInquiry<>(
                client,
                target,
                loop,
                limitMs,
                (why, timedOut) -> new ModelControl.Outcome(
                        timedOut ? ModelControl.Result.TIMED_OUT : ModelControl.Result.FAILED, why),
                answer);
    }

    /** Starts the clock and does {@code first}, on the loop; from any thread. */
    public void begin(Runnable first) {
        loop.execute(() -> {
            limit = loop.schedule(this::onLimit, limitMs, TimeUnit.MILLISECONDS);
            first.run();
        });
    }

    /** From now on this is the answer, whatever breaks: what is still asked only adds to it. */
    public void settle(T enough) {
        settled = enough;
    }

    /** Asks for {@code path}. */
    public void get(String path, Answered then) {
        send("GET " + path, HttpRequests.get(client.allocator(), target, path, client.isKeepAlive()), then);
    }

    /** Asks another target for {@code path}, such as a metrics port of the same replica. */
    public void getAt(EngineTarget other, String path, Answered then) {
        send(other, "GET " + path, HttpRequests.get(client.allocator(), other, path, client.isKeepAlive()), then);
    }

    /** Posts JSON to {@code path}. */
    public void post(String path, JsonBody body, Answered then) {
        if (over) {
            return;
        }
        try {
            send("POST " + path, HttpRequests.post(client, target, path, body, null), then);
        } catch (IOException e) {
            broke("POST " + path + " can't be written", false);
        }
    }

    /** Does {@code then} after a while; for polling. */
    public void after(int ms, Runnable then) {
        if (!over) {
            pause = loop.schedule(then, ms, TimeUnit.MILLISECONDS);
        }
    }

    /** Answers; nothing more is asked or told. */
    public void answer(T found) {
        if (over) {
            return;
        }
        over = true;
        cancel(limit);
        cancel(pause);
        HttpExchange current = running;
        running = null;
        if (current != null) {
            current.abort();
        }
        answer.accept(found);
    }

    private void onLimit() {
        broke((doing.isEmpty() ? "not done" : "no answer to " + doing) + " within " + limitMs + " ms", true);
    }

    private void broke(String why, boolean timedOut) {
        T enough = settled;
        answer(enough == null ? broken.answer(why, timedOut) : enough);
    }

    private void send(String what, ByteBuf request, Answered then) {
        send(target, what, request, then);
    }

    private void send(EngineTarget to, String what, ByteBuf request, Answered then) {
        if (over) {
            request.release();
            return;
        }
        doing = what;
        running = client.send(to, request, loop, new Answer(then));
    }

    private static void cancel(@Nullable Future<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private final class Answer implements HttpExchange.Listener {
        private final Answered then;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int status;

        Answer(Answered then) {
            this.then = then;
        }

        @Override
        public void onHead(HttpResponseParser response) {
            status = response.status();
        }

        @Override
        public void onBody(ByteBuf buf, int offset, int length) {
            if (over) {
                return;
            }
            if (body.size() + length > BODY_MAX_BYTES) {
                broke(doing + " was answered with more than " + BODY_MAX_BYTES + " bytes", false);
                return;
            }
            try {
                buf.getBytes(offset, body, length);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void onBatchEnd() {}

        @Override
        public void onComplete() {
            if (!over) {
                running = null;
                doing = "";
                then.with(status, body.toByteArray());
            }
        }

        @Override
        public void onFailure(HttpFailure failure, String what) {
            running = null;
            broke(what, false);
        }
    }
}
