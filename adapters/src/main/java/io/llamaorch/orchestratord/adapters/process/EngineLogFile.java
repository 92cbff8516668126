package io.llamaorch.orchestratord.adapters.process;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An engine's output on disk: {@code FILE}, and the older {@code FILE.1} … rotated by size, so that all together stay
 * within {@code (filesMax) × bytesMax} and one line.
 *
 * <pre>
 *   offer()   any thread, never waits; a disk that lags costs lines, counted in the file itself, never the engine's time
 *   writing   a thread of its own, from the first line to close()
 *   errors    end the writing; the ring still has the lines
 * </pre>
 */
final class EngineLogFile implements AutoCloseable {
    private static final int QUEUE = 1024;

    private record Entry(Instant at, String line) {}

    private final Path file;
    private final long bytesMax;
    private final int filesMax;
    private final ArrayBlockingQueue<Entry> queue = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicLong dropped = new AtomicLong();
    private final Thread thread;
    private volatile boolean closed;
    private volatile @Nullable IOException failure;

    /** Appends to {@code file}, whose folder is there. {@code filesMax} counts the one that is written, at least 1. */
    EngineLogFile(Path file, long bytesMax, int filesMax) {
        this.file = file;
        this.bytesMax = bytesMax;
        this.filesMax = Math.max(1, filesMax);
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("engine-log-" + file.getFileName())
                .unstarted(this::write);
        thread.start();
    }

    void offer(String line) {
        if (!queue.offer(new Entry(Instant.now().truncatedTo(ChronoUnit.MILLIS), line))) {
            dropped.incrementAndGet();
        }
    }

    /** What ended the writing, null where nothing did. */
    @Nullable
    IOException failure() {
        return failure;
    }

    /** What was offered is still written, by the file's own thread. Waits for nothing. */
    @Override
    public void close() {
        closed = true;
    }

    /** For tests: waits for the last line to be written. */
    void awaitWritten() throws InterruptedException {
        thread.join();
    }

    private void write() {
        try {
            long size = Files.exists(file) ? Files.size(file) : 0;
            OutputStream out = open();
            try {
                while (true) {
                    Entry entry = queue.poll(200, TimeUnit.MILLISECONDS);
                    if (entry == null) {
                        if (closed && queue.isEmpty()) {
                            return;
                        }
                        continue;
                    }
                    long missed = dropped.getAndSet(0);
                    String text = entry.at() + " " + entry.line() + "\n";
                    if (missed > 0) {
                        text = entry.at() + " [" + missed + " lines were not written in time]\n" + text;
                    }
                    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                    if (size > 0 && size + bytes.length > bytesMax) {
                        out.close();
                        rotate();
                        out = open();
                        size = 0;
                    }
                    out.write(bytes);
                    size += bytes.length;
                    if (queue.isEmpty()) {
                        out.flush();
                    }
                }
            } finally {
                out.close();
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private OutputStream open() throws IOException {
        return new BufferedOutputStream(
                Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    }

    private void rotate() throws IOException {
        if (filesMax == 1) {
            Files.delete(file);
            return;
        }
        for (int i = filesMax - 1; i >= 1; i--) {
            Path from = i == 1 ? file : numbered(i - 1);
            if (Files.exists(from)) {
                Files.move(from, numbered(i), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private Path numbered(int i) {
        return file.resolveSibling(file.getFileName() + "." + i);
    }
}
