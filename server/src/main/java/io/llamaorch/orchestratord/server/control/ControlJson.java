package io.llamaorch.orchestratord.server.control;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.gpu.GpuDevice;
import io.llamaorch.orchestratord.adapters.gpu.GpuMemory;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.pool.Pool;
import io.llamaorch.orchestratord.server.pool.PoolControl;
import io.llamaorch.orchestratord.server.pool.Pools;
import io.llamaorch.orchestratord.server.pool.ReplicaView;
import io.llamaorch.orchestratord.server.pool.Watches;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Schemas {@code Capabilities}, {@code Pools}, {@code PoolHealth} of {@code contracts/openapi/control.yaml}. Any thread. */
public final class ControlJson {
    private static final String API_VERSION = "1.0.0";

    private final Config config;
    private final String version;
    private final Pools pools;
    private final Watches watches;
    private final PoolControl control;
    private final Devices devices;

    /** Who knows the GPUs of a replica. */
    @FunctionalInterface
    public interface Devices {
        /** Those of one replica of one pool, by their places in the configuration; empty where they are not known. */
        List<GpuDevice> of(int poolIndex, int replicaIndex);
    }

    /**
     * Writes for one configuration.
     *
     * @param version of the daemon
     */
    public ControlJson(
            Config config, String version, Pools pools, Watches watches, PoolControl control, Devices devices) {
        this.config = config;
        this.version = version;
        this.pools = pools;
        this.watches = watches;
        this.control = control;
        this.devices = devices;
    }

    JsonWriter capabilities(JsonWriter json, SchedulerSnapshot snapshot) {
        json.beginObject().member("api_version", API_VERSION).member("daemon_version", version);
        json.name("engines").beginArray();
        Set<EngineKind> engines = new LinkedHashSet<>();
        snapshot.pools().forEach(pool -> engines.add(pool.engine()));
        for (EngineKind engine : engines) {
            engine(json, engine, snapshot.pools());
        }
        json.endArray();
        json.name("features")
                .beginObject()
                .member("idempotent_submit", true)
                .member("resume", true)
                .member("replay", true)
                .member("cancel", true)
                .member("detached", true)
                .member("several_readers", true)
                .member("sessions", false)
                .member("budgets", false)
                .member("artifacts", true)
                .endObject();
        limits(json);
        return json.endObject();
    }

    private void engine(JsonWriter json, EngineKind engine, List<SchedulerSnapshot.Pool> pools) {
        json.beginObject().member("engine", engine.wireName());
        EngineAdapter adapter = this.pools.adapter(engine);
        if (adapter == null) {
            throw new IllegalStateException("no adapter for " + engine);
        }
        json.name("workloads").beginArray();
        adapter.workloads().stream().sorted().forEach(workload -> json.value(workload.wireName()));
        json.endArray();
        features(json, adapter.features());
        json.name("pools").beginArray();
        for (int i = 0; i < pools.size(); i++) {
            if (pools.get(i).engine() == engine) {
                pool(json, pools.get(i), config.pools().get(i));
            }
        }
        json.endArray().endObject();
    }

    private static void features(JsonWriter json, EngineFeatures features) {
        json.name("features").beginObject();
        json.name("determinism").beginArray();
        if (features.strictDeterminism()) {
            json.value("strict");
        }
        json.value("best_effort").endArray();
        json.member("determinism_note", features.determinism())
                .member("seed", features.seed())
                .member("grammar", features.grammar())
                .member("json_schema", features.jsonSchema())
                .member("cancel", true);
        json.name("sampling").beginArray();
        features.sampling().stream().sorted().forEach(member -> json.value(member.wireName()));
        json.endArray().endObject();
    }

    private static void pool(JsonWriter json, SchedulerSnapshot.Pool pool, Config.Pool configured) {
        json.beginObject()
                .member("pool_id", pool.id())
                .member("model_ref", pool.model())
                .member("ready", Readiness.isReady(pool))
                .member("ctx_max", configured.ctx())
                .member("max_tokens", configured.ctx())
                .member("concurrency", pool.slots())
                .member("allow_pinning", configured.allowPinning())
                .member("queue_capacity", pool.queueCapacity())
                .member(
                        "full_policy",
                        configured
                                .queue()
                                .fullPolicy()
                                .name()
                                .toLowerCase(Locale.ROOT)
                                .replace('_', '-'));
        json.name("replicas").beginArray();
        for (int i = 0; i < pool.replicas().size(); i++) {
            SchedulerSnapshot.Replica replica = pool.replicas().get(i);
            json.beginObject()
                    .member("replica_id", replica.id())
                    .member("state", word(replica))
                    .member("engine_version", replica.version().isEmpty() ? null : replica.version())
                    .member("ctx_max", replica.ctx())
                    .member("concurrency", replica.slots())
                    .member("device_mask", configured.replicas().get(i).deviceMask())
                    .endObject();
        }
        json.endArray().endObject();
    }

    private void limits(JsonWriter json) {
        Config.Http http = config.http();
        Config.Streams streams = config.streams();
        json.name("limits")
                .beginObject()
                .member("request_line_bytes", http.requestLineBytes())
                .member("header_line_bytes", http.headerLineBytes())
                .member("header_bytes", http.headerBytes())
                .member("header_count", http.headerCount())
                .member("body_bytes", http.bodyBytes())
                .member("head_timeout_ms", http.headTimeoutMs())
                .member("body_timeout_ms", http.bodyTimeoutMs())
                .member("idle_ms", http.idleMs())
                .member("connections", http.connections())
                .member("reader_stall_ms", streams.readerStallMs())
                .member("heartbeat_ms", streams.heartbeatMs())
                .member("artifact_bytes", config.artifacts().blobBytes())
                .member("artifact_document_bytes", config.artifacts().documentBytes())
                .member("artifact_key_bytes", config.artifacts().keyBytes())
                .member("artifact_key_count", config.artifacts().keyCount())
                .member("retained_tasks", streams.retainedTasks())
                .member("retained_bytes", streams.retainedBytes())
                .member("retained_ms", streams.retainedMs())
                .endObject();
    }

    JsonWriter pools(JsonWriter json, SchedulerSnapshot snapshot) {
        json.beginObject().name("pools").beginArray();
        for (Pool configured : pools.all()) {
            SchedulerSnapshot.Pool pool = snapshot.pools().get(configured.index());
            head(json.beginObject(), pool, control.standing(configured));
            json.name("queue_depth")
                    .beginObject()
                    .member("interactive", pool.queuedInteractive())
                    .member("batch", pool.queuedBatch())
                    .endObject()
                    .endObject();
        }
        return json.endArray().endObject();
    }

    /** Each pool's health, as an array. */
    public void allHealth(JsonWriter json, SchedulerSnapshot snapshot) {
        json.beginArray();
        for (Pool pool : pools.all()) {
            health(json, pool, snapshot.pools().get(pool.index()));
        }
        json.endArray();
    }

    JsonWriter health(JsonWriter json, Pool configured, SchedulerSnapshot.Pool pool) {
        head(json.beginObject(), pool, control.standing(configured));
        String newest = null;
        json.name("replicas").beginArray();
        for (int i = 0; i < pool.replicas().size(); i++) {
            SchedulerSnapshot.Replica replica = pool.replicas().get(i);
            ReplicaView view = watches.view(configured.index(), i);
            newest = view.lastError() == null ? newest : replica.id() + ": " + view.lastError();
            replica(json, replica, view, devices.of(configured.index(), i));
        }
        json.endArray().name("queue").beginObject();
        queue(json.name("interactive"), pool.queuedInteractive(), pool.queueCapacity());
        queue(json.name("batch"), pool.queuedBatch(), pool.queueCapacity());
        return json.endObject()
                .member("tokens_per_s", pool.leases() == 0 ? 0 : pool.tokensPerSecond() * pool.leases())
                .member("eta_ms", pool.etaMs())
                .member("last_error", newest)
                .endObject();
    }

    private static void replica(
            JsonWriter json, SchedulerSnapshot.Replica replica, ReplicaView view, List<GpuDevice> devices) {
        EngineLoad load = view.load();
        json.beginObject()
                .member("replica_id", replica.id())
                .member("state", view.state().name().toLowerCase(Locale.ROOT)) // with its last_error, of one moment
                .member("engine_version", replica.version().isEmpty() ? null : replica.version())
                .member("slots", replica.slots())
                .member("leased", replica.leased())
                .member("breaker", view.breaker().name().toLowerCase(Locale.ROOT))
                .member("occupied", view.occupied())
                .member("restarts", view.restarts());
        if (load.running() >= 0) {
            json.member("running", load.running());
        }
        if (load.queued() >= 0) {
            json.member("queued", load.queued());
        }
        if (!Double.isNaN(load.kvUsage())) {
            json.member("kv_usage", load.kvUsage());
        }
        if (!devices.isEmpty()) {
            json.name("devices").beginArray();
            devices.forEach(device -> device(json, device));
            json.endArray();
        }
        json.member("last_error", view.lastError()).endObject();
    }

    /** What a GPU does not tell has no member: absent is not zero. */
    private static void device(JsonWriter json, GpuDevice device) {
        json.beginObject().member("device", device.uuid());
        device.utilization().ifPresent(share -> json.member("utilization", share));
        GpuMemory memory = device.memory();
        if (memory != null) {
            json.member("vram_used_bytes", memory.usedBytes()).member("vram_total_bytes", memory.totalBytes());
        }
        device.temperatureC().ifPresent(celsius -> json.member("temperature_c", celsius));
        if (device.lost()) {
            json.member("lost", true);
        }
        json.endObject();
    }

    private static void head(JsonWriter json, SchedulerSnapshot.Pool pool, PoolControl.Standing standing) {
        json.member("pool_id", pool.id())
                .member("engine", pool.engine().wireName())
                .member("model_ref", pool.model())
                .member("live", Readiness.isLive(pool))
                .member("ready", Readiness.isReady(pool))
                .member("draining", pool.draining())
                .member("reloading", standing.incoming() != null)
                .member("incoming_model_ref", standing.incoming())
                .member("slots", pool.slots())
                .member("leased", pool.leases());
        String leaving = standing.leaving();
        if (leaving != null) {
            json.name("leaving")
                    .beginObject()
                    .member("model_ref", leaving)
                    .member("tasks", pool.leasesBefore())
                    .member("within_ms", standing.leftMs())
                    .endObject();
        }
        String returning = standing.returning();
        if (returning != null) {
            json.name("returning")
                    .beginObject()
                    .member("model_ref", returning)
                    .member("within_ms", standing.leftMs())
                    .endObject();
        }
    }

    private static void queue(JsonWriter json, int depth, int capacity) {
        json.beginObject().member("depth", depth).member("capacity", capacity).endObject();
    }

    private static String word(SchedulerSnapshot.Replica replica) {
        return replica.state().name().toLowerCase(Locale.ROOT);
    }
}
