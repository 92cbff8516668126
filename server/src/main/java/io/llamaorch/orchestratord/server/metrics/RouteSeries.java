package io.llamaorch.orchestratord.server.metrics;

import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Requests of one route and method. From any thread; a status is looked up by name the first time only. */
public final class RouteSeries {
    private static final int STATUS_MAX = 599;

    private final Metrics metrics;
    private final String route;
    private final String method;
    private final Histogram.Child duration;
    private final AtomicReferenceArray<Counter.Child> byStatus = new AtomicReferenceArray<>(STATUS_MAX + 1);

    RouteSeries(Metrics metrics, String route, String method) {
        this.metrics = metrics;
        this.route = route;
        this.method = method;
        this.duration = metrics.httpDuration(route);
    }

    /**
     * A request was answered.
     *
     * @param status 100 … 599
     * @param ms from the end of its head to its whole answer, for a stream to the answer's head
     */
    public void answered(int status, double ms) {
        int index = status < 0 || status > STATUS_MAX ? 0 : status;
        Counter.Child child = byStatus.get(index);
        if (child == null) {
            child = metrics.httpRequests(route, method, Integer.toString(index));
            byStatus.set(index, child);
        }
        child.inc();
        duration.observe(ms);
    }
}
