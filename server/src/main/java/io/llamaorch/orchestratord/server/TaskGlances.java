package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import io.llamaorch.orchestratord.server.task.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The tasks that are worth a look: those that are open and the oldest, and those whose transcripts are the longest.
 *
 * <p>Streams belong to their loops; here they are looked at from another thread, without a lock. What is read are
 * references to immutable values and whole numbers: each is one that the loop wrote, perhaps a moment ago, and two of
 * them need not belong together.
 */
final class TaskGlances {
    /** Most tasks of each kind. */
    static final int SHOWN = 20;

    private TaskGlances() {}

    static void write(JsonWriter json, Iterable<Task> all, long nowNs) {
        Comparator<TaskStream> byAge =
                Comparator.comparingLong(stream -> stream.info().createdAtNs() - nowNs);
        PriorityQueue<TaskStream> oldest = new PriorityQueue<>(byAge.reversed());
        PriorityQueue<Sized> largest = new PriorityQueue<>(Comparator.comparingInt(Sized::bytes));
        long known = 0;
        for (Task task : all) {
            known++;
            TaskStream stream = task.stream();
            if (stream.ending() == null) {
                keep(oldest, stream);
            }
            keep(largest, new Sized(stream, stream.transcriptBytes()));
        }
        json.beginObject().member("known", known);
        List<TaskStream> byAgeFirst = new ArrayList<>(oldest);
        byAgeFirst.sort(byAge);
        json.name("oldest").beginArray();
        byAgeFirst.forEach(stream -> task(json, stream, stream.transcriptBytes(), nowNs));
        List<Sized> bySizeFirst = new ArrayList<>(largest);
        bySizeFirst.sort(Comparator.comparingInt(Sized::bytes).reversed());
        json.endArray().name("largest").beginArray();
        bySizeFirst.forEach(sized -> task(json, sized.stream(), sized.bytes(), nowNs));
        json.endArray().endObject();
    }

    /** A stream and the size by which it was sorted: its transcript may grow meanwhile. */
    private record Sized(TaskStream stream, int bytes) {}

    /** Adds one; where there are too many then, the head, which is the least wanted, goes. */
    private static <T> void keep(PriorityQueue<T> most, T one) {
        most.add(one);
        if (most.size() > SHOWN) {
            most.poll();
        }
    }

    private static void task(JsonWriter json, TaskStream stream, int bytes, long nowNs) {
        TaskInfo info = stream.info();
        Dispatch dispatch = stream.dispatch();
        String state = dispatch == null ? "queued" : "running";
        json.beginObject()
                .member("task_id", info.id().toString())
                .member("correlation_id", info.correlationId())
                .member("owner", info.owner())
                .member("engine", info.engine())
                .member("priority", info.priority().wireName())
                .member("state", stream.ending() == null ? state : "ended")
                .member("pool_id", dispatch == null ? null : dispatch.poolId())
                .member("replica_id", dispatch == null ? null : dispatch.replicaId())
                .member("age_ms", Math.max(0, (nowNs - info.createdAtNs()) / 1_000_000))
                .member("tokens_out", stream.tokens())
                .member("transcript_bytes", bytes)
                .endObject();
    }
}
