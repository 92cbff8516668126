package io.llamaorch.orchestratord.server.metrics;

/** Who knows gauges at scrape time. Called on the scraping thread; reads what other threads have published. */
@FunctionalInterface
public interface GaugeSource {

    /** Tells all it knows; each series at most once. */
    void read(Sink sink);

    /** Takes gauges: the labels' values in the order of {@link Family#labels()}. */
    @FunctionalInterface
    interface Sink {
        /** One series. */
        void gauge(Family family, double value, String... labels);
    }

    /** Gauges that are asked for at scrape time. A family without series is not shown. */
    enum Family {
        QUEUE_DEPTH("queue_depth", "Tasks queued.", "engine", "engine_version", "pool_id", "priority"),
        POOL_READY("pool_ready", "1 while the pool takes tasks, else 0.", "pool_id"),
        ACTIVE_LEASES("active_leases", "Slots leased.", "pool_id", "replica_id"),
        KV_CACHE_USAGE_RATIO(
                "kv_cache_usage_ratio",
                "Share of the KV cache in use, 0 to 1.",
                "engine",
                "engine_version",
                "pool_id",
                "replica_id"),
        BREAKER_STATE(
                "breaker_state",
                "Circuit breaker of a replica: 0 closed, 1 half open, 2 open.",
                "pool_id",
                "replica_id"),
        ENGINE_RUNNING("engine_running", "Decodes under way, as the engine says.", "pool_id", "replica_id"),
        ENGINE_QUEUED("engine_queued", "Requests waiting in the engine, as it says.", "pool_id", "replica_id"),
        GPU_UTILIZATION(
                "gpu_utilization",
                "Share of the driver's last sample period in which a replica's GPU ran a kernel, 0 to 1.",
                "engine",
                "engine_version",
                "pool_id",
                "replica_id",
                "device"),
        VRAM_USED_BYTES(
                "vram_used_bytes",
                "Memory in use on a replica's GPU, by all processes of the host, bytes.",
                "engine",
                "engine_version",
                "pool_id",
                "replica_id",
                "device"),
        VRAM_TOTAL_BYTES("vram_total_bytes", "Memory of a GPU, bytes.", "device"),
        GPU_TEMPERATURE_CELSIUS("gpu_temperature_celsius", "Temperature of a GPU's die.", "device"),
        GPU_POWER_WATTS("gpu_power_watts", "Power drawn by a GPU's board.", "device"),
        OPEN_STREAMS("open_streams", "Readers attached to streams."),
        HTTP_CONNECTIONS("http_connections", "Client connections open."),
        RING_OCCUPANCY("ring_occupancy", "Events in the scheduler's ring that wait."),
        TRANSCRIPT_BYTES("transcript_bytes", "Transcripts kept in memory, bytes."),
        RETAINED_TASKS("retained_tasks", "Ended tasks kept in memory."),
        TRANSCRIPT_DISK_BYTES("transcript_disk_bytes", "Transcripts on disk, bytes."),
        TRANSCRIPT_DISK_TASKS("transcript_disk_tasks", "Ended tasks whose transcripts are on disk."),
        TRANSCRIPT_QUEUED_BYTES("transcript_queued_bytes", "Bytes of transcripts that wait to be written."),
        LEDGER_BYTES("ledger_bytes", "Bytes of the ledger on disk."),
        LEDGER_SEGMENTS("ledger_segments", "Files of the ledger."),
        LEDGER_PENDING("ledger_pending", "Admissions that wait to be put on record."),
        LEDGER_FAILED("ledger_failed", "1 since a sync of the ledger has failed, else 0."),
        ARTIFACT_BYTES("artifact_bytes", "Bytes in the artifact store."),
        ARTIFACT_COUNT("artifacts_kept", "Artifacts kept, each once for each key that keeps it."),
        ARTIFACT_PENDING("artifact_pending", "Puts and reads of artifacts that wait or run."),
        SESSIONS("sessions", "Sessions known."),
        SESSIONS_DROPPED_TOTAL("sessions_dropped_total", "Sessions forgotten: expired, evicted.", "reason"),
        EVENT_LOOP_LAG_MS("event_loop_lag_ms", "Last measured lag of an event loop, ms.", "loop"),
        SCHEDULER_LAG_MS("scheduler_lag_ms", "How late the scheduler's thread is for its next look at its ring, ms."),
        ACCESS_LOG_LOST_TOTAL(
                "access_log_lost_total", "Lines of the access log lost: its queue was full, or its disk failed."),
        LOG_EVENTS_DROPPED_TOTAL("log_events_dropped_total", "Log events dropped because the log's ring was full.");

        private final String metric;
        private final String help;

        @SuppressWarnings("ImmutableEnumChecker") // never handed out
        private final String[] labels;

        Family(String metric, String help, String... labels) {
            this.metric = metric;
            this.help = help;
            this.labels = labels;
        }

        /** The name as exposed. */
        public String metric() {
            return metric;
        }

        /** What it tells. */
        public String help() {
            return help;
        }

        /** Names of its labels, in order. */
        public String[] labels() {
            return labels.clone();
        }
    }
}
