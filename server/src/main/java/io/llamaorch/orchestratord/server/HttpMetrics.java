package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.http.HttpEvents;
import io.llamaorch.orchestratord.server.http.Route;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.RouteSeries;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Counts answers by route and status. From all event loops. */
final class HttpMetrics implements HttpEvents {
    private final Metrics metrics;
    private final EventLog log;
    private final ConcurrentHashMap<Route, RouteSeries> byRoute = new ConcurrentHashMap<>();
    private final Function<Route, RouteSeries> resolve = this::resolve; // once, not one a request
    private final RouteSeries unrouted;

    HttpMetrics(Metrics metrics, EventLog log) {
        this.metrics = metrics;
        this.log = log;
        this.unrouted = metrics.route(Metrics.UNROUTED, Metrics.OTHER_METHOD);
    }

    @Override
    public void onAnswered(@Nullable Route route, int status, long startedNs) {
        RouteSeries series = route == null ? unrouted : byRoute.computeIfAbsent(route, resolve);
        series.answered(status, startedNs == 0 ? 0 : (System.nanoTime() - startedNs) / 1e6);
    }

    private RouteSeries resolve(Route route) {
        return metrics.route(route.template(), route.method().name());
    }

    @Override
    public void onDefect(String correlationId, Throwable defect) {
        log.defect("http", correlationId, defect);
    }
}
