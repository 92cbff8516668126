package io.llamaorch.orchestratord.server.control;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.http.ContentType;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** Answers of the control plane; each on the asking connection's loop. */
public final class ControlRoutes {
    private static final ContentType METRICS = ContentType.of(Metrics.contentType());

    private final Supplier<SchedulerSnapshot> snapshot;
    private final Readiness readiness;
    private final ControlJson json;
    private final Metrics metrics;
    private final Executor renderer;

    /**
     * The routes.
     *
     * @param renderer where {@code /metrics} is rendered; it may refuse
     */
    public ControlRoutes(
            Supplier<SchedulerSnapshot> snapshot,
            Readiness readiness,
            ControlJson json,
            Metrics metrics,
            Executor renderer) {
        this.snapshot = snapshot;
        this.readiness = readiness;
        this.json = json;
        this.metrics = metrics;
        this.renderer = renderer;
    }

    /** {@code GET /v1/capabilities}. */
    public void capabilities(Exchange exchange) {
        exchange.respond(200, json.capabilities(exchange.json(), snapshot.get()));
    }

    /** {@code GET /v1/pools}. */
    public void pools(Exchange exchange) {
        exchange.respond(200, json.pools(exchange.json(), snapshot.get()));
    }

    /** {@code GET /livez}: 200 until the process exits, but 500 once a defect has stopped the scheduler. */
    public void livez(Exchange exchange) {
        if (readiness.isSchedulerAlive()) {
            exchange.respond(
                    200, exchange.json().beginObject().member("status", "live").endObject());
        } else {
            exchange.respondError(ApiError.of(
                    ErrorCode.INTERNAL, "The scheduler has stopped by a defect; the daemon is going down."));
        }
    }

    /** {@code GET /readyz}: 503 from the moment that a drain begins. */
    public void readyz(Exchange exchange) {
        boolean verbose = exchange.query().equals("verbose") || exchange.query().startsWith("verbose=");
        if (readiness.isReady()) {
            JsonWriter body = exchange.json().beginObject().member("status", "ready");
            if (verbose) {
                body.name("checks").beginArray();
                for (Readiness.Check check : readiness.checks()) {
                    body.beginObject().member("name", check.name()).member("ok", check.ok());
                    body.member("message", check.message().isEmpty() ? null : check.message());
                    body.endObject();
                }
                body.endArray();
            }
            exchange.respond(200, body.endObject());
            return;
        }
        String message = readiness.isDraining()
                ? "The daemon is draining; send new tasks elsewhere."
                : "No pool has a replica that is ready; see /v1/pools for each.";
        List<ApiError.Detail> details = verbose
                ? readiness.checks().stream()
                        .map(check -> new ApiError.Detail(check.name(), check.ok() ? "ok" : check.message()))
                        .toList()
                : List.of();
        exchange.respondError(
                ApiError.of(ErrorCode.POOL_UNREADY, message).retryAfterMs(1000).with(details));
    }

    /** {@code GET /metrics}: rendered elsewhere, because it may take milliseconds. */
    public void metrics(Exchange exchange) {
        EventLoop loop = exchange.context().channel().eventLoop();
        try {
            renderer.execute(() -> {
                byte[] text = metrics.render();
                loop.execute(() -> exchange.respond(200, METRICS, Unpooled.wrappedBuffer(text)));
            });
        } catch (RejectedExecutionException e) {
            exchange.respondError(ApiError.of(
                            ErrorCode.POOL_UNAVAILABLE,
                            "Too many scrapes wait already; one scraper at a time is plenty, come back in 1000 ms.")
                    .retryAfterMs(1000)
                    .by("scrapes"));
        }
    }
}
