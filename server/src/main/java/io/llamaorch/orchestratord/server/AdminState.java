package io.llamaorch.orchestratord.server;

import com.sun.management.UnixOperatingSystemMXBean;
import io.llamaorch.orchestratord.scheduler.core.SchedulerSnapshot;
import io.llamaorch.orchestratord.server.cli.BuildInfo;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.control.ControlJson;
import io.llamaorch.orchestratord.server.http.HttpFront;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.log.AccessLog;
import io.llamaorch.orchestratord.server.log.Logging;
import io.llamaorch.orchestratord.server.sse.StreamLoop;
import io.llamaorch.orchestratord.server.task.TaskPlane;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Schema {@code AdminState} of {@code contracts/openapi/control.yaml}: what goes on inside, at a moment, without anything
 * that clients sent but the ids and names that they gave. Bounded: loops and pools by the configuration, tasks by
 * {@link TaskGlances#SHOWN}.
 *
 * <p>On the renderer's thread, from what others have published.
 */
final class AdminState {
    private final Config config;
    private final TaskPlane tasks;
    private final HttpFront front;
    private final ControlJson pools;
    private final List<LoopLag> lags;
    private final Logging logging;
    private final @Nullable AccessLog access;

    AdminState(
            Config config,
            TaskPlane tasks,
            HttpFront front,
            ControlJson pools,
            List<LoopLag> lags,
            Logging logging,
            @Nullable AccessLog access) {
        this.config = config;
        this.tasks = tasks;
        this.front = front;
        this.pools = pools;
        this.lags = lags;
        this.logging = logging;
        this.access = access;
    }

    void write(JsonWriter json) {
        SchedulerSnapshot snapshot = tasks.ring().snapshot();
        json.beginObject();
        daemon(json);
        loops(json);
        json.name("scheduler")
                .beginObject()
                .member("alive", tasks.ring().alive())
                .member("lag_ms", millis((double) Math.max(0, tasks.ring().overdueNs())))
                .member("ring_occupancy", tasks.ring().occupancy())
                .member("ring_size", tasks.ring().size())
                .member("draining", snapshot.draining())
                .member("tasks_known", snapshot.tasksKnown())
                .member("tasks_live", snapshot.tasksLive())
                .endObject();
        pools.allHealth(json.name("pools"), snapshot);
        TaskGlances.write(json.name("tasks"), tasks.registry().all(), System.nanoTime());
        memory(json);
        json.name("log").beginObject().member("dropped", logging.dropped());
        if (access != null) {
            json.member("access_lost", access.lost());
        }
        json.endObject().endObject();
    }

    private void daemon(JsonWriter json) {
        json.name("daemon")
                .beginObject()
                .member("version", BuildInfo.version())
                .member("java", Runtime.version().toString())
                .member("up_ms", ManagementFactory.getRuntimeMXBean().getUptime())
                .member("processors", Runtime.getRuntime().availableProcessors())
                .member("threads", ManagementFactory.getThreadMXBean().getThreadCount())
                .member("connections", front.connections())
                .member("connections_max", config.http().connections());
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
            json.member("open_files", unix.getOpenFileDescriptorCount())
                    .member("open_files_max", unix.getMaxFileDescriptorCount());
        }
        json.endObject();
    }

    private void loops(JsonWriter json) {
        json.name("loops").beginArray();
        for (int i = 0; i < lags.size(); i++) {
            StreamLoop streams = tasks.loops().all().get(i).streams();
            json.beginObject()
                    .member("loop", i)
                    .member("lag_ms", millis(lags.get(i).overdueMs() * 1e6))
                    .member("readers", streams.openReaders())
                    .member("retained_tasks", streams.retainedTasks())
                    .member("transcript_bytes", streams.transcriptBytes())
                    .endObject();
        }
        json.endArray();
    }

    private void memory(JsonWriter json) {
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        json.name("memory")
                .beginObject()
                .member("heap_used_bytes", heap.getUsed())
                .member("heap_committed_bytes", heap.getCommitted())
                .member("heap_max_bytes", heap.getMax());
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            if (pool.getName().equals("direct")) {
                json.member("direct_bytes", pool.getTotalCapacity());
            }
        }
        json.member(
                        "netty_direct_bytes",
                        PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory())
                .member("transcript_bytes", transcriptBytes())
                .member("transcript_budget_bytes", config.streams().retainedBytes())
                .endObject();
    }

    private long transcriptBytes() {
        return tasks.loops().all().stream()
                .mapToLong(loop -> loop.streams().transcriptBytes())
                .sum();
    }

    /** Rounded to microseconds: more digits only make it hard to read. */
    private static double millis(double ns) {
        return Math.round(ns / 1e3) / 1e3;
    }
}
