package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.store.Digest;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The tasks whose transcripts are on disk, by id and by content. {@link #get} and {@link #find} from any thread, never
 * waiting; all else on the log's writer, or on the thread that opens the log before there is one.
 */
final class TranscriptArchive {
    private final int tasksMax;
    private final long keepMs;
    private final Consumer<ArchivedTask> forgotten;
    private final ConcurrentHashMap<UUID, ArchivedTask> byId = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Digest, ArchivedTask> byDigest = new ConcurrentHashMap<>();
    private final ArrayDeque<ArchivedTask> order = new ArrayDeque<>();
    private final TreeMap<Long, Integer> segments = new TreeMap<>();

    /** @param forgotten told of each task that is let go */
    TranscriptArchive(int tasksMax, long keepMs, Consumer<ArchivedTask> forgotten) {
        this.forgotten = forgotten;
        this.tasksMax = tasksMax;
        this.keepMs = keepMs;
    }

    @Nullable
    ArchivedTask get(UUID id) {
        return byId.get(id);
    }

    @Nullable
    ArchivedTask find(Digest digest) {
        return byDigest.get(digest);
    }

    int size() {
        return byId.size();
    }

    /** Adds the one that ended last; one of the same id that is there goes. */
    void add(ArchivedTask task) {
        ArchivedTask before = byId.put(task.id(), task);
        if (before != null) {
            order.remove(before); // an id is free again only when nobody knows it: rare
            unlink(before);
        }
        byDigest.put(task.transcript().digest(), task);
        order.addLast(task);
        segments.merge(task.transcript().firstSegment(), 1, Integer::sum);
    }

    /** The oldest segment that one of them needs; {@link Long#MAX_VALUE} for none. */
    long oldestSegment() {
        return segments.isEmpty() ? Long.MAX_VALUE : segments.firstKey();
    }

    /** Lets go of those that are too many or too old. */
    void trim(long nowMs) {
        for (ArchivedTask oldest = order.peekFirst(); oldest != null; oldest = order.peekFirst()) {
            boolean old = keepMs >= 0 && nowMs - oldest.endedAtMs() > keepMs;
            if (!old && order.size() <= tasksMax) {
                break;
            }
            order.removeFirst();
            remove(oldest);
        }
    }

    /** Lets go of those that need that segment or an older one. */
    void forgetSegment(long number) {
        if (oldestSegment() > number) {
            return;
        }
        for (Iterator<ArchivedTask> all = order.iterator(); all.hasNext(); ) {
            ArchivedTask task = all.next();
            if (task.transcript().firstSegment() <= number) {
                all.remove();
                remove(task);
            }
        }
    }

    private void remove(ArchivedTask task) {
        byId.remove(task.id(), task);
        unlink(task);
        forgotten.accept(task);
    }

    private void unlink(ArchivedTask task) {
        byDigest.remove(task.transcript().digest(), task);
        segments.computeIfPresent(task.transcript().firstSegment(), (segment, count) -> count == 1 ? null : count - 1);
    }
}
