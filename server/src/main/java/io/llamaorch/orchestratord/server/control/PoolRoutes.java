package io.llamaorch.orchestratord.server.control;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.json.PoolRequestReader;
import io.llamaorch.orchestratord.server.pool.Pool;
import io.llamaorch.orchestratord.server.pool.PoolControl;
import io.llamaorch.orchestratord.server.pool.Pools;
import io.netty.channel.EventLoop;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is asked of one pool: its health, drain, undrain and reload. Each on the asking connection's loop. */
public final class PoolRoutes {
    private final Pools pools;
    private final Supplier<SchedulerSnapshot> snapshot;
    private final PoolControl control;
    private final ControlJson json;

    /** The routes. */
    public PoolRoutes(Pools pools, Supplier<SchedulerSnapshot> snapshot, PoolControl control, ControlJson json) {
        this.pools = pools;
        this.snapshot = snapshot;
        this.control = control;
        this.json = json;
    }

    /** {@code GET /v1/pools/{id}/health}. */
    public void health(Exchange exchange) {
        Pool pool = find(exchange);
        if (pool != null) {
            exchange.respond(
                    200,
                    json.health(exchange.json(), pool, snapshot.get().pools().get(pool.index())));
        }
    }

    /** {@code POST /v1/pools/{id}/drain}: 202 when the drain has begun. */
    public void drain(Exchange exchange) {
        Pool pool = find(exchange);
        if (pool == null) {
            return;
        }
        PoolRequestReader.Result request = PoolRequestReader.drain(exchange.body());
        if (request.error() != null) {
            exchange.respondError(request.error());
            return;
        }
        control.drain(pool.index(), request.deadlineMs(), answer(exchange, (body, drain) -> body.member(
                        "pool_id", pool.config().id())
                .member("draining", true)
                .member("deadline_ms", request.deadlineMs())
                .member("in_flight", drain.inFlight())
                .member("moved", drain.moved())
                .member("evicted", drain.evicted())));
    }

    /** {@code POST /v1/pools/{id}/undrain}: 202 also where the pool did not drain. */
    public void undrain(Exchange exchange) {
        Pool pool = find(exchange);
        if (pool == null) {
            return;
        }
        EventLoop loop = exchange.context().channel().eventLoop();
        control.undrain(
                pool.index(),
                () -> loop.execute(() -> exchange.respond(
                        202,
                        exchange.json()
                                .beginObject()
                                .member("pool_id", pool.config().id())
                                .member("draining", false)
                                .endObject())));
    }

    /** {@code POST /v1/pools/{id}/reload}: 202 when the pool serves the new model, 409 when it is as it was. */
    public void reload(Exchange exchange) {
        Pool pool = find(exchange);
        if (pool == null) {
            return;
        }
        PoolRequestReader.Result request = PoolRequestReader.reload(exchange.body());
        if (request.error() != null) {
            exchange.respondError(request.error());
            return;
        }
        long deadlineMs = request.deadlineMs() >= 0
                ? request.deadlineMs()
                : pool.config().reload().deadlineMs();
        control.reload(pool.index(), request.modelRef(), deadlineMs, answer(exchange, (body, done) -> body.member(
                        "pool_id", pool.config().id())
                .member("model_ref", request.modelRef())
                .member("previous_model_ref", done.previousModel())
                .member("mode", done.mode())
                .member("took_ms", done.tookMs())
                .member("in_flight", done.inFlight())));
    }

    /** Writes the members of an answer. */
    private interface Body<V> {
        void write(JsonWriter json, V value);
    }

    private static <V> Consumer<PoolControl.Answer<V>> answer(Exchange exchange, Body<V> body) {
        EventLoop loop = exchange.context().channel().eventLoop();
        return answer -> loop.execute(() -> {
            ApiError error = answer.error();
            V value = answer.value();
            if (error != null || value == null) {
                exchange.respondError(
                        error == null ? ApiError.of(ErrorCode.INTERNAL, "The pool gave no answer.") : error);
                return;
            }
            JsonWriter json = exchange.json().beginObject();
            body.write(json, value);
            exchange.respond(202, json.endObject());
        });
    }

    private @Nullable Pool find(Exchange exchange) {
        Pool pool = pools.find(exchange.id());
        if (pool == null) {
            exchange.respondError(ApiError.of(
                    ErrorCode.NOT_FOUND, "No pool of that name; GET /v1/pools lists those that are configured."));
        }
        return pool;
    }
}
