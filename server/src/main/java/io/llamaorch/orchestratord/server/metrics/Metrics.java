package io.llamaorch.orchestratord.server.metrics;

import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import io.prometheus.client.SimpleCollector;
import io.prometheus.client.hotspot.DefaultExports;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Every metric of the daemon, in a registry of its own.
 *
 * <p>Methods that take labels look up and may allocate: call them when a pool, replica or route is set up, keep what
 * they return. {@link #NO_REPLICA} stands where a task has no replica yet. Counters and histograms are striped: any
 * thread may count, none waits.
 */
public final class Metrics {
    /** The replica of a task that is not placed. */
    public static final String NO_REPLICA = "none";
    /** The version of an engine that did not tell. */
    public static final String NO_VERSION = "unknown";
    /** The route of what reached none. */
    public static final String UNROUTED = "unrouted";
    /** A method where it does not matter. */
    public static final String OTHER_METHOD = "other";

    private static final String[] REPLICA = {"engine", "engine_version", "pool_id", "replica_id"};
    private static final String[] REPLICA_PRIORITY = {"engine", "engine_version", "pool_id", "replica_id", "priority"};
    private static final String[] REPLICA_REASON = {"engine", "engine_version", "pool_id", "replica_id", "reason"};
    private static final String[] POOL_PRIORITY = {"engine", "engine_version", "pool_id", "priority"};
    private static final String[] POOL_REPLICA = {"pool_id", "replica_id"};
    private static final double[] FIRST_TOKEN_MS = {50, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000};
    private static final double[] DECODE_MS = {250, 500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000};
    private static final double[] COMMIT_MS = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 500, 2500};
    private static final double[] BATCH_RECORDS = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};
    private static final double[] HTTP_MS = {0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 5000};

    private final CollectorRegistry registry = new CollectorRegistry();
    private final LabelBudget budget;
    private final CopyOnWriteArrayList<GaugeSource> sources = new CopyOnWriteArrayList<>();
    private final Map<String, PoolSeries> pools = new ConcurrentHashMap<>();
    private final Map<String, ReplicaSeries> replicas = new ConcurrentHashMap<>();
    private final Map<String, RouteSeries> routes = new ConcurrentHashMap<>();

    private final Counter enqueued = counter("tasks_enqueued_total", "Tasks admitted to a queue.", REPLICA_PRIORITY);
    private final Counter started =
            counter("tasks_started_total", "Tasks that were given a slot, each once.", REPLICA_PRIORITY);
    private final Counter canceled = counter("tasks_canceled_total", "Tasks canceled.", REPLICA_REASON);
    private final Counter rejected = counter("tasks_rejected_total", "Tasks never queued.", "engine", "reason");
    private final Counter finished =
            counter("tasks_finished_total", "Accepted tasks that ended.", "pool_id", "outcome");
    private final Counter backpressure =
            counter("admission_backpressure_events_total", "Full queues met, by what was done.", "engine", "policy");
    private final Counter tokensIn = counter("tokens_in_total", "Tokens of prompts.", REPLICA);
    private final Counter tokensOut = counter("tokens_out_total", "Tokens decoded.", REPLICA);
    private final Counter placements =
            counter("placement_decisions_total", "Placements decided.", "outcome", "pinned", "fallback");
    private final Histogram firstToken =
            histogram("latency_first_token_ms", "Admission to first token, ms.", FIRST_TOKEN_MS, POOL_PRIORITY);
    private final Histogram decode =
            histogram("latency_decode_ms", "First token to last, ms.", DECODE_MS, POOL_PRIORITY);
    private final Counter httpRequests =
            counter("http_requests_total", "HTTP requests answered.", "route", "method", "status");
    private final Histogram httpDuration = histogram(
            "http_request_duration_ms",
            "End of a request's head to its whole answer, for a stream to the answer's head, ms.",
            HTTP_MS,
            "route");
    private final Counter readersCut = counter("stream_readers_cut_total", "Readers cut off a stream.", "reason");
    private final Counter framesDropped =
            counter("metrics_frames_dropped_total", "SSE metrics events left out under pressure.");
    private final Counter acceptFailures =
            counter("accept_failures_total", "Failures of the listening socket: no connection could be accepted.");
    private final Counter drains = counter("drain_events_total", "Drains begun.", "pool_id");
    private final Counter reloads = counter("reload_events_total", "Reloads ended.", "pool_id", "outcome");
    private final Counter restarts =
            counter("replica_restarts_total", "Engine processes started anew.", "pool_id", "replica_id");
    private final Counter retries =
            counter("task_retries_total", "Tasks given back before their first token, for another replica.", "engine");
    private final Counter moved =
            counter("tasks_moved_total", "Queued tasks that went to another pool.", "from_pool_id", "to_pool_id");
    private final Counter zombies =
            counter("zombie_decodes_total", "Decodes found at engines that are not ours.", "pool_id", "replica_id");
    private final Counter xids =
            counter("gpu_xid_errors_total", "Xids that the driver told, by severity.", "device", "severity");
    private final Counter gpuFaults = counter("gpu_faults_total", "Times that a GPU became faulty.", "device");
    private final Counter ledgerRecords = counter("ledger_records_total", "Records written to the ledger.");
    private final Counter ledgerBytes = counter("ledger_written_bytes_total", "Bytes written to the ledger.");
    private final Counter ledgerFailures =
            counter("ledger_failures_total", "Batches that the ledger's disk did not take.", "reason");
    private final Histogram ledgerCommitMs =
            histogram("ledger_commit_ms", "From a batch's first append to the end of its sync, ms.", COMMIT_MS);
    private final Histogram ledgerBatch = histogram("ledger_batch_records", "Records of one batch.", BATCH_RECORDS);
    private final Counter artifactsRemoved = counter("artifact_gc_total", "Artifacts removed.", "reason");
    private final Counter artifactRefusals =
            counter("artifact_refusals_total", "Puts and reads of artifacts refused.", "reason");
    private final Counter artifactsCorrupt =
            counter("artifact_corrupt_total", "Artifacts whose bytes did not match their digest, or were gone.");
    private final Counter artifactDiskFailures =
            counter("artifact_disk_failures_total", "Failures of the artifact store's disk.");
    private final Counter blocked = counter(
            "event_loop_blocked_total", "Times that an event loop, or the scheduler, was found blocked.", "loop");
    private final Counter transcriptsStored = counter("transcripts_stored_total", "Transcripts written to disk.");
    private final Counter transcriptsRefused = counter(
            "transcript_refusals_total", "Transcripts and parts of them not taken: the writer had too much to do.");
    private final Counter transcriptsForgotten =
            counter("transcripts_forgotten_total", "Transcripts on disk that are kept no longer.");
    private final Counter transcriptsCorrupt =
            counter("transcript_corrupt_total", "Reads of transcripts that were not what had been written.");
    private final Counter transcriptDiskFailures =
            counter("transcript_disk_failures_total", "Failures of the transcripts' disk.");
    private final Counter limited =
            counter("limit_refusals_total", "Tasks that a limit or budget refused, by which.", "policy");
    private final Counter charged =
            counter("budget_charged_total", "What tasks were charged that somebody limits or prices.", "kind");
    private final Gauge candidates = Gauge.build("placement_candidates_considered", "Replicas the last placement saw.")
            .register(registry);

    /**
     * All metrics at zero.
     *
     * @param jvm whether series of the JVM and the process are shown
     */
    public Metrics(boolean jvm) {
        budget = new LabelBudget(
                counter("metric_label_overflow_total", "Series asked for past a label's budget.", "metric", "label"));
        registry.register(new SourceCollector(sources, budget));
        if (jvm) {
            DefaultExports.register(registry);
        }
    }

    /** Adds a source of gauges. */
    public void addSource(GaugeSource source) {
        sources.add(source);
    }

    /** Tasks and latencies of a pool whose replica does not matter, or is not known yet. */
    public PoolSeries pool(EngineKind engine, String engineVersion, String poolId) {
        String version = version(engineVersion);
        return pools.computeIfAbsent(
                engine.wireName() + ' ' + version + ' ' + poolId, key -> new PoolSeries(this, engine, version, poolId));
    }

    /** Tasks and tokens of one replica; ask anew when its engine's version changes. */
    public ReplicaSeries replica(EngineKind engine, String engineVersion, String poolId, String replicaId) {
        String version = version(engineVersion);
        return replicas.computeIfAbsent(
                engine.wireName() + ' ' + version + ' ' + poolId + ' ' + replicaId,
                key -> new ReplicaSeries(this, engine, version, poolId, replicaId));
    }

    /** Requests of one route, a bounded template such as {@code /v1/tasks/{id}}. */
    public RouteSeries route(String route, String method) {
        return routes.computeIfAbsent(route + ' ' + method, key -> new RouteSeries(this, route, method));
    }

    /** Failures of the listening socket. */
    public Counter acceptFailures() {
        return acceptFailures;
    }

    /** A task that was never queued; {@code engine} is {@code none} where the request did not get that far. */
    public Counter.Child rejected(String engine, RejectReason reason) {
        return child(rejected, "tasks_rejected_total", new String[] {"engine", "reason"}, engine, reason.label());
    }

    /** A full queue; {@code policy} is what the pool does then. */
    public Counter.Child backpressure(EngineKind engine, String policy) {
        return child(
                backpressure,
                "admission_backpressure_events_total",
                new String[] {"engine", "policy"},
                engine.wireName(),
                policy);
    }

    /** A task that a limit or budget refused. */
    public Counter.Child limited(String policy) {
        return child(limited, "limit_refusals_total", new String[] {"policy"}, policy);
    }

    /** What tasks were charged of one kind: tokens, ms, or money. */
    public Counter.Child charged(BudgetKind kind) {
        return charged.labels(kind.label());
    }

    /** A placement: {@code assigned} or {@code unplaced}. */
    public Counter.Child placement(boolean assigned, boolean pinned, boolean fallback) {
        return placements.labels(
                assigned ? "assigned" : "unplaced", Boolean.toString(pinned), Boolean.toString(fallback));
    }

    /** How many replicas the last placement looked at. */
    public void candidatesConsidered(int count) {
        candidates.set(count);
    }

    /** A reader cut off: {@code stall}, {@code lag} or another of a few words. */
    public Counter.Child readersCut(String reason) {
        return child(readersCut, "stream_readers_cut_total", new String[] {"reason"}, reason);
    }

    /** SSE {@code metrics} events left out under pressure. */
    public Counter framesDropped() {
        return framesDropped;
    }

    /** A drain of a pool begun. */
    public Counter.Child drains(String poolId) {
        return child(drains, "drain_events_total", new String[] {"pool_id"}, poolId);
    }

    /** A reload ended: {@code committed} or {@code rolled_back}. */
    public Counter.Child reloads(String poolId, boolean committed) {
        return child(
                reloads,
                "reload_events_total",
                new String[] {"pool_id", "outcome"},
                poolId,
                committed ? "committed" : "rolled_back");
    }

    /** An engine process started anew. */
    public Counter.Child restarts(String poolId, String replicaId) {
        return child(restarts, "replica_restarts_total", POOL_REPLICA, poolId, replicaId);
    }

    /** Tasks given back before their first token, for another replica. */
    public Counter.Child retries(String engine) {
        return child(retries, "task_retries_total", new String[] {"engine"}, engine);
    }

    /** Queued tasks that went from one pool to another. */
    public Counter.Child moved(String fromPoolId, String toPoolId) {
        return child(moved, "tasks_moved_total", new String[] {"from_pool_id", "to_pool_id"}, fromPoolId, toPoolId);
    }

    /** Decodes found at an engine that are not ours. */
    public Counter.Child zombies(String poolId, String replicaId) {
        return child(zombies, "zombie_decodes_total", POOL_REPLICA, poolId, replicaId);
    }

    /** Xids of one GPU, by its UUID: {@code critical}, {@code application} or {@code other}. */
    public Counter.Child xids(String device, String severity) {
        return child(xids, "gpu_xid_errors_total", new String[] {"device", "severity"}, device, severity);
    }

    /** Times that a GPU, by its UUID, became faulty. */
    public Counter.Child gpuFaults(String device) {
        return child(gpuFaults, "gpu_faults_total", new String[] {"device"}, device);
    }

    /** Artifacts removed: {@code age} or {@code orphan}. */
    public Counter.Child artifactsRemoved(String reason) {
        return child(artifactsRemoved, "artifact_gc_total", new String[] {"reason"}, reason);
    }

    /** Puts and reads of artifacts refused; the name of a limit, or an error code in lower case. */
    public Counter.Child artifactRefusals(String reason) {
        return child(artifactRefusals, "artifact_refusals_total", new String[] {"reason"}, reason);
    }

    /** Artifacts whose bytes were damaged or gone. */
    public Counter artifactsCorrupt() {
        return artifactsCorrupt;
    }

    /** Failures of the artifact store's disk. */
    public Counter artifactDiskFailures() {
        return artifactDiskFailures;
    }

    /** Times that an event loop, by its number, or {@code scheduler} was found blocked. */
    public Counter.Child blocked(String loop) {
        return child(blocked, "event_loop_blocked_total", new String[] {"loop"}, loop);
    }

    /** Transcripts written to disk. */
    public Counter transcriptsStored() {
        return transcriptsStored;
    }

    /** Transcripts and parts of them that found the writer's queue full. */
    public Counter transcriptsRefused() {
        return transcriptsRefused;
    }

    /** Transcripts that are kept no longer. */
    public Counter transcriptsForgotten() {
        return transcriptsForgotten;
    }

    /** Reads of transcripts that were not what had been written. */
    public Counter transcriptsCorrupt() {
        return transcriptsCorrupt;
    }

    /** Failures of the transcripts' disk. */
    public Counter transcriptDiskFailures() {
        return transcriptDiskFailures;
    }

    /** A batch of the ledger. */
    public void ledgerCommitted(int records, long bytes, double tookMs) {
        ledgerRecords.inc(records);
        ledgerBytes.inc((double) bytes);
        ledgerCommitMs.observe(tookMs);
        ledgerBatch.observe(records);
    }

    /** Batches that the ledger's disk did not take: {@code refused} or {@code failed}. */
    public Counter.Child ledgerFailures(String reason) {
        return child(ledgerFailures, "ledger_failures_total", new String[] {"reason"}, reason);
    }

    /** The {@code Content-Type} of {@link #render()}. */
    public static String contentType() {
        return TextRenderer.CONTENT_TYPE;
    }

    /** The exposition, Prometheus text format 0.0.4 in UTF-8. May take milliseconds: not on an event loop. */
    public byte[] render() {
        return TextRenderer.render(registry);
    }

    Counter.Child enqueued(String... labels) {
        return child(enqueued, "tasks_enqueued_total", REPLICA_PRIORITY, labels);
    }

    Counter.Child started(String... labels) {
        return child(started, "tasks_started_total", REPLICA_PRIORITY, labels);
    }

    Counter.Child canceled(String... labels) {
        return child(canceled, "tasks_canceled_total", REPLICA_REASON, labels);
    }

    Counter.Child finished(String... labels) {
        return child(finished, "tasks_finished_total", new String[] {"pool_id", "outcome"}, labels);
    }

    Counter.Child tokensIn(String... labels) {
        return child(tokensIn, "tokens_in_total", REPLICA, labels);
    }

    Counter.Child tokensOut(String... labels) {
        return child(tokensOut, "tokens_out_total", REPLICA, labels);
    }

    Histogram.Child firstToken(String... labels) {
        return child(firstToken, "latency_first_token_ms", POOL_PRIORITY, labels);
    }

    Histogram.Child decode(String... labels) {
        return child(decode, "latency_decode_ms", POOL_PRIORITY, labels);
    }

    Counter.Child httpRequests(String... labels) {
        return child(httpRequests, "http_requests_total", new String[] {"route", "method", "status"}, labels);
    }

    Histogram.Child httpDuration(String route) {
        return child(httpDuration, "http_request_duration_ms", new String[] {"route"}, route);
    }

    static String[] priorityLabels(EngineKind engine, String version, String poolId, Priority priority) {
        return new String[] {engine.wireName(), version, poolId, priority.wireName()};
    }

    private <C> C child(SimpleCollector<C> collector, String metric, String[] names, String... values) {
        return collector.labels(budget.admit(metric, names, values));
    }

    private static String version(String engineVersion) {
        return engineVersion.isEmpty() ? NO_VERSION : engineVersion;
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.build(name, help).labelNames(labels).register(registry);
    }

    private Histogram histogram(String name, String help, double[] buckets, String... labels) {
        return Histogram.build(name, help).buckets(buckets).labelNames(labels).register(registry);
    }
}
