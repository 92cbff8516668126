package io.llamaorch.orchestratord.server.control;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.http.ContentType;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.json.ByteSink;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.json.LogLevelReader;
import io.llamaorch.orchestratord.server.log.LogLevels;
import io.netty.channel.EventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** What operators ask of the daemon itself; each on the asking connection's loop. Scope {@code control}. */
public final class AdminRoutes {
    private static final int STATE_BYTES = 16 << 10;

    private final LogLevels levels;
    private final Consumer<JsonWriter> state;
    private final Executor renderer;

    /**
     * The routes.
     *
     * @param levels the log's level
     * @param state writes schema {@code AdminState}, on the renderer's thread
     * @param renderer where the state is put together; it may refuse
     */
    public AdminRoutes(LogLevels levels, Consumer<JsonWriter> state, Executor renderer) {
        this.levels = levels;
        this.state = state;
        this.renderer = renderer;
    }

    /** {@code GET /v1/admin/log-level}. */
    public void logLevel(Exchange exchange) {
        levels.ask(answer(exchange));
    }

    /** {@code POST /v1/admin/log-level}. */
    public void setLogLevel(Exchange exchange) {
        LogLevelReader.Result request = LogLevelReader.read(exchange.body());
        if (request.error() != null) {
            exchange.respondError(request.error());
            return;
        }
        levels.change(
                request.level(),
                request.forMs(),
                exchange.correlationId(),
                exchange.identity().label(),
                answer(exchange));
    }

    private static Consumer<LogLevels.Now> answer(Exchange exchange) {
        EventLoop loop = exchange.context().channel().eventLoop();
        return now -> loop.execute(() -> {
            JsonWriter json = exchange.json()
                    .beginObject()
                    .member("level", LogLevelReader.word(now.level()))
                    .member("configured", LogLevelReader.word(now.configured()));
            if (now.revertsInMs() > 0) {
                json.member("reverts_in_ms", now.revertsInMs());
            }
            exchange.respond(200, json.endObject());
        });
    }

    /** {@code GET /v1/admin/state}: put together elsewhere, because it may take milliseconds. */
    public void state(Exchange exchange) {
        EventLoop loop = exchange.context().channel().eventLoop();
        try {
            renderer.execute(() -> {
                ByteSink bytes = new ByteSink(STATE_BYTES);
                state.accept(new JsonWriter(bytes));
                loop.execute(() -> exchange.respond(200, ContentType.JSON, bytes));
            });
        } catch (RejectedExecutionException e) {
            exchange.respondError(ApiError.of(
                            ErrorCode.POOL_UNAVAILABLE,
                            "Too many scrapes and questions like this one wait already; come back in 1000 ms.")
                    .retryAfterMs(1000)
                    .by("scrapes"));
        }
    }
}
