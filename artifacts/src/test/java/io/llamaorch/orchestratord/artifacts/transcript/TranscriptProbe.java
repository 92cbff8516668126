package io.llamaorch.orchestratord.artifacts.transcript;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;

/** A log under test: streams are made, asked for and compared; nothing is waited for longer than 20 s. */
@NullUnmarked
final class TranscriptProbe implements AutoCloseable, TranscriptEvents {
    final AtomicLong nowMs = new AtomicLong(1_000_000);
    final Queue<String> told = new ConcurrentLinkedQueue<>();
    final TranscriptLog log;
    private final AtomicLong salts = new AtomicLong(42);

    TranscriptProbe(Disk disk, Path root, long bytesMax, int tasksMax, int segmentBytes) throws FolderRefused {
        this(disk, root, bytesMax, tasksMax, segmentBytes, List.of());
    }

    TranscriptProbe(Disk disk, Path root, long bytesMax, int tasksMax, int segmentBytes, List<ArchivedTask> restored)
            throws FolderRefused {
        TranscriptSettings settings =
                new TranscriptSettings(root, bytesMax, tasksMax, 60_000, segmentBytes, 1_000, 64 << 20, 2);
        log = TranscriptLog.open(settings, disk, nowMs::get, salts::incrementAndGet, this);
        restored.forEach(log::restore);
        log.start();
    }

    interface Asynchronous<T> {
        void ask(Consumer<T> answer);
    }

    static <T> T await(Asynchronous<T> call) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        call.ask(answer::complete);
        try {
            return answer.get(20, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /** Events of a stream: number {@code n} has about {@code bytes} bytes. */
    static byte[] event(int n, int bytes) {
        return ("id: " + n + "\nevent: token\ndata: {\"t\":\"" + "x".repeat(bytes) + "\",\"i\":" + n + "}\n\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    static byte[] events(int from, int to, int bytes) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int n = from; n <= to; n++) {
            all.writeBytes(event(n, bytes));
        }
        return all.toByteArray();
    }

    /** Whole events as long as they fit; longer ones alone and in pieces. */
    static EventSource source(int from, int to, int bytes) {
        return new EventSource() {
            private int next = from;
            private ByteBuffer rest = ByteBuffer.allocate(0);

            @Override
            public int next(ByteBuffer into) {
                if (rest.hasRemaining()) {
                    put(into);
                    return 0;
                }
                if (next > to) {
                    return END;
                }
                int first = next;
                while (next <= to && (into.position() == 0 || event(next, bytes).length <= into.remaining())) {
                    rest = ByteBuffer.wrap(event(next++, bytes));
                    put(into);
                    if (rest.hasRemaining()) {
                        break;
                    }
                }
                return first;
            }

            private void put(ByteBuffer into) {
                int count = Math.min(rest.remaining(), into.remaining());
                into.put(rest.slice().limit(count));
                rest.position(rest.position() + count);
            }
        };
    }

    static TranscriptHead head(UUID task) {
        String state = "{\"task_id\":\"" + task + "\"}";
        byte[] json = ("{\"state\":" + state + "}").getBytes(StandardCharsets.UTF_8);
        return new TranscriptHead(json, 9, json.length - 1);
    }

    PartTable write(LiveTranscript live, int from, int to, int bytes) {
        return await(answer -> {
            CompletableFuture<Boolean> once = new CompletableFuture<>();
            boolean taken = log.write(live, source(from, to, bytes), (long) bytes * (to - from + 1), table -> {
                if (!once.complete(true)) {
                    told.add("answered twice");
                }
                answer.accept(table);
            });
            if (!taken) {
                answer.accept(null);
            }
        });
    }

    ArchivedTask finish(LiveTranscript live, int from, int to, int bytes) {
        return await(answer -> {
            boolean taken = log.finish(
                    live,
                    source(from, to, bytes),
                    (long) bytes * (to - from + 1),
                    to,
                    () -> head(live.task()),
                    ref -> new ArchivedTask(live.task(), "ops", 1, 2, "default", nowMs.get(), ref),
                    (task, last) -> answer.accept(task));
            if (!taken) {
                answer.accept(null);
            }
        });
    }

    ArchivedTask store(int events, int bytes) {
        return finish(new LiveTranscript(UUID.randomUUID()), 1, events, bytes);
    }

    TranscriptReads.Opened open(ArchivedTask task) {
        return await(answer -> log.open(task.id(), task.transcript(), answer));
    }

    TranscriptReads.Content content(ArchivedTask task) {
        return await(answer -> log.openContent(task.id(), task.transcript(), answer));
    }

    /** All of it, in slices; null where it cannot be opened. */
    byte[] bytes(ArchivedTask task, int slice) {
        TranscriptContent reader = content(task).reader();
        if (reader == null) {
            return null;
        }
        ByteBuffer all = ByteBuffer.allocate((int) reader.length());
        while (all.hasRemaining()) {
            ByteBuffer into = ByteBuffer.allocate(Math.min(slice, all.remaining()));
            long at = all.position();
            List<IOException> failure = new ArrayList<>();
            await(answer -> reader.read(at, into, e -> {
                if (e != null) {
                    failure.add(e);
                }
                answer.accept(true);
            }));
            if (!failure.isEmpty()) {
                return null;
            }
            all.put(into.flip());
        }
        return all.array();
    }

    /** Everything that was offered before has been answered, and the writer has had a look at what may go. */
    void settle() {
        write(new LiveTranscript(UUID.randomUUID()), 1, 0, 1);
    }

    @Override
    public void onCorrupt(UUID task) {
        told.add("corrupt " + task);
    }

    @Override
    public void onDiskFailure(String operation, Throwable failure, boolean isLast) {
        told.add("disk " + operation);
    }

    @Override
    public void onForgotten(ArchivedTask task) {
        told.add("forgotten " + task.id());
    }

    @Override
    public void onDefect(Throwable defect) {
        told.add("defect " + defect);
    }

    @Override
    public void close() {
        log.close();
    }
}
