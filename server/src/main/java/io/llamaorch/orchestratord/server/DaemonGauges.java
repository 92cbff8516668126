package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.artifact.ArtifactPlane;
import io.llamaorch.orchestratord.server.control.Readiness;
import io.llamaorch.orchestratord.server.http.HttpFront;
import io.llamaorch.orchestratord.server.log.Logging;
import io.llamaorch.orchestratord.server.metrics.GaugeSource;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.pool.ReplicaView;
import io.llamaorch.orchestratord.server.task.LoopContext;
import io.llamaorch.orchestratord.server.task.TaskPlane;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What gauges say at the time of a scrape. On the scraping thread, from what others have published. */
final class DaemonGauges implements GaugeSource {
    private final TaskPlane tasks;
    private final HttpFront front;
    private final Logging logging;
    private final List<LoopLag> lags;
    private final ArtifactStore artifacts;
    private final @Nullable TranscriptLog transcripts;

    DaemonGauges(TaskPlane tasks, HttpFront front, Logging logging, List<LoopLag> lags, ArtifactPlane artifacts) {
        this.tasks = tasks;
        this.front = front;
        this.logging = logging;
        this.lags = lags;
        this.artifacts = artifacts.store();
        this.transcripts = artifacts.transcripts();
    }

    @Override
    public void read(Sink sink) {
        List<SchedulerSnapshot.Pool> pools = tasks.ring().snapshot().pools();
        for (int i = 0; i < pools.size(); i++) {
            pool(sink, i, pools.get(i));
        }
        SchedulerSnapshot.Sessions sessions = tasks.ring().snapshot().sessions();
        sink.gauge(Family.SESSIONS, sessions.known());
        sink.gauge(Family.SESSIONS_DROPPED_TOTAL, (double) sessions.expired(), "expired");
        sink.gauge(Family.SESSIONS_DROPPED_TOTAL, (double) sessions.evicted(), "evicted");
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
        sink.gauge(Family.ARTIFACT_BYTES, (double) artifacts.bytes());
        sink.gauge(Family.ARTIFACT_COUNT, artifacts.count());
        sink.gauge(Family.ARTIFACT_PENDING, artifacts.pending());
        TranscriptLog disk = transcripts;
        if (disk != null) {
            sink.gauge(Family.TRANSCRIPT_DISK_BYTES, (double) disk.bytes());
            sink.gauge(Family.TRANSCRIPT_DISK_TASKS, disk.size());
            sink.gauge(Family.TRANSCRIPT_QUEUED_BYTES, (double) disk.queuedBytes());
        }
        sink.gauge(Family.RING_OCCUPANCY, tasks.ring().occupancy());
        sink.gauge(Family.LOG_EVENTS_DROPPED_TOTAL, (double) logging.dropped());
        sink.gauge(Family.SCHEDULER_LAG_MS, Math.max(0, tasks.ring().overdueNs()) / 1e6);
        for (int i = 0; i < lags.size(); i++) {
            sink.gauge(Family.EVENT_LOOP_LAG_MS, lags.get(i).overdueMs(), Integer.toString(i));
        }
    }

    private void pool(Sink sink, int index, SchedulerSnapshot.Pool pool) {
        String engine = pool.engine().wireName();
        String version = Metrics.NO_VERSION;
        for (int i = 0; i < pool.replicas().size(); i++) {
            SchedulerSnapshot.Replica replica = pool.replicas().get(i);
            version = replica.version().isEmpty() ? version : replica.version();
            sink.gauge(Family.ACTIVE_LEASES, replica.leased(), pool.id(), replica.id());
            replica(sink, pool, replica, tasks.watches().view(index, i));
        }
        sink.gauge(Family.QUEUE_DEPTH, pool.queuedInteractive(), engine, version, pool.id(), "interactive");
        sink.gauge(Family.QUEUE_DEPTH, pool.queuedBatch(), engine, version, pool.id(), "batch");
        sink.gauge(Family.POOL_READY, Readiness.isReady(pool) ? 1 : 0, pool.id());
    }

    /** What an engine does not tell has no series: absent is not zero. */
    private static void replica(
            Sink sink, SchedulerSnapshot.Pool pool, SchedulerSnapshot.Replica replica, ReplicaView view) {
        int breaker =
                switch (view.breaker()) {
                    case CLOSED -> 0;
                    case HALF_OPEN -> 1;
                    case OPEN -> 2;
                };
        sink.gauge(Family.BREAKER_STATE, breaker, pool.id(), replica.id());
        if (view.load().running() >= 0) {
            sink.gauge(Family.ENGINE_RUNNING, view.load().running(), pool.id(), replica.id());
        }
        if (view.load().queued() >= 0) {
            sink.gauge(Family.ENGINE_QUEUED, view.load().queued(), pool.id(), replica.id());
        }
        if (!Double.isNaN(view.load().kvUsage())) {
            String version = replica.version().isEmpty() ? Metrics.NO_VERSION : replica.version();
            sink.gauge(
                    Family.KV_CACHE_USAGE_RATIO,
                    view.load().kvUsage(),
                    pool.engine().wireName(),
                    version,
                    pool.id(),
                    replica.id());
        }
    }
}
