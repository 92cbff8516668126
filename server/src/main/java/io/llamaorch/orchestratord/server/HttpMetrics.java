package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.auth.Identity;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.http.HttpEvents;
import io.llamaorch.orchestratord.server.http.Route;
import io.llamaorch.orchestratord.server.log.AccessLine;
import io.llamaorch.orchestratord.server.log.AccessLog;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.RouteSeries;
import io.llamaorch.orchestratord.server.task.TaskRoutes;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Counts answers by route and status, and logs requests where that is asked for. From all event loops. */
final class HttpMetrics implements HttpEvents {
    private final Metrics metrics;
    private final EventLog log;
    private final @Nullable AccessLog access;
    private final ConcurrentHashMap<Route, RouteSeries> byRoute = new ConcurrentHashMap<>();
    private final Function<Route, RouteSeries> resolve = this::resolve; // once, not one a request
    private final RouteSeries unrouted;

    /**
     * Counts from zero.
     *
     * @param access where each request becomes a line; null: nowhere
     */
    HttpMetrics(Metrics metrics, EventLog log, @Nullable AccessLog access) {
        this.metrics = metrics;
        this.log = log;
        this.access = access;
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
    public boolean countsBytes() {
        return access != null;
    }

    @Override
    public void onOver(Exchange exchange, int status, long bytes, boolean complete) {
        if (access == null && !log.wantsRequests()) {
            return;
        }
        Route route = exchange.route();
        Identity identity = exchange.identity();
        write(new AccessLine(
                exchange.method().name(),
                route == null ? Metrics.UNROUTED : route.template(),
                status,
                (System.nanoTime() - exchange.startedNs()) / 1_000_000,
                bytes,
                complete,
                host(exchange.context().channel().remoteAddress()),
                identity.equals(Identity.ANONYMOUS) ? null : identity.label(),
                exchange.correlationId(),
                TaskRoutes.traceparent(exchange)));
    }

    @Override
    public void onRefused(String correlationId, int status, @Nullable SocketAddress remote) {
        if (access == null && !log.wantsRequests()) {
            return;
        }
        write(new AccessLine(null, Metrics.UNROUTED, status, 0, -1, true, host(remote), null, correlationId, null));
    }

    private void write(AccessLine line) {
        AccessLog to = access;
        if (to != null) {
            to.offer(line);
        }
        if (log.wantsRequests()) {
            log.request(line);
        }
    }

    private static @Nullable String host(@Nullable SocketAddress remote) {
        return remote instanceof InetSocketAddress address && address.getAddress() != null
                ? address.getAddress().getHostAddress()
                : null;
    }

    @Override
    public void onDefect(String correlationId, Throwable defect) {
        log.defect("http", correlationId, defect);
    }
}
