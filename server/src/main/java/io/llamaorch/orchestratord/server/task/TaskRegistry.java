package io.llamaorch.orchestratord.server.task;

import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that can be asked for by id: from admission until their transcript is let go. Thread-safe; written by the
 * scheduler's thread (in) and by home loops (out), read by all.
 */
public final class TaskRegistry {
    private final ConcurrentHashMap<UUID, Task> tasks = new ConcurrentHashMap<>();

    /**
     * The task of that id, if the asker may see it; to another key it does not exist.
     *
     * @param asker whose tasks
     * @param all whether the asker may see everybody's
     */
    @Nullable
    Task find(UUID id, String asker, boolean all) {
        Task task = tasks.get(id);
        return task != null && (all || task.stream().info().owner().equals(asker)) ? task : null;
    }

    /** Tasks known. */
    public int size() {
        return tasks.size();
    }

    /** Tasks that are not over, as seen now. */
    public Iterable<Task> all() {
        return tasks.values();
    }

    void add(Task task) {
        tasks.put(task.stream().info().id(), task);
    }

    @Nullable
    Task get(UUID id) {
        return tasks.get(id);
    }

    void remove(UUID id) {
        tasks.remove(id);
    }
}
