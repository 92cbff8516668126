package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.control.Readiness;
import io.llamaorch.orchestratord.server.http.HttpFront;
import io.llamaorch.orchestratord.server.log.Logging;
import io.llamaorch.orchestratord.server.metrics.GaugeSource;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.task.LoopContext;
import io.llamaorch.orchestratord.server.task.TaskPlane;
import java.util.List;

/** What gauges say at the time of a scrape. On the scraping thread, from what others have published. */
final class DaemonGauges implements GaugeSource {
    private final TaskPlane tasks;
    private final HttpFront front;
    private final Logging logging;
    private final List<LoopLag> lags;

    DaemonGauges(TaskPlane tasks, HttpFront front, Logging logging, List<LoopLag> lags) {
        this.tasks = tasks;
        this.front = front;
        this.logging = logging;
        this.lags = lags;
    }

    @Override
    public void read(Sink sink) {
        for (SchedulerSnapshot.Pool pool : tasks.ring().snapshot().pools()) {
            pool(sink, pool);
        }
        double bytes = 0;
        int retained = 0;
        for (LoopContext loop : tasks.loops().all()) {
            bytes += loop.streams().transcriptBytes();
            retained += loop.streams().retainedTasks();
        }
        sink.gauge(Family.TRANSCRIPT_BYTES, bytes);
        sink.gauge(Family.RETAINED_TASKS, retained);
        sink.gauge(Family.OPEN_STREAMS, tasks.openReaders());
        sink.gauge(Family.HTTP_CONNECTIONS, front.connections());
        sink.gauge(Family.RING_OCCUPANCY, tasks.ring().occupancy());
        sink.gauge(Family.LOG_EVENTS_DROPPED_TOTAL, (double) logging.dropped());
        for (int i = 0; i < lags.size(); i++) {
            sink.gauge(Family.EVENT_LOOP_LAG_MS, lags.get(i).overdueMs(), Integer.toString(i));
        }
    }

    private static void pool(Sink sink, SchedulerSnapshot.Pool pool) {
        String engine = pool.engine().wireName();
        String version = Metrics.NO_VERSION;
        for (SchedulerSnapshot.Replica replica : pool.replicas()) {
            version = replica.version().isEmpty() ? version : replica.version();
            sink.gauge(Family.ACTIVE_LEASES, replica.leased(), pool.id(), replica.id());
        }
        sink.gauge(Family.QUEUE_DEPTH, pool.queuedInteractive(), engine, version, pool.id(), "interactive");
        sink.gauge(Family.QUEUE_DEPTH, pool.queuedBatch(), engine, version, pool.id(), "batch");
        sink.gauge(Family.POOL_READY, Readiness.isReady(pool) ? 1 : 0, pool.id());
    }
}
