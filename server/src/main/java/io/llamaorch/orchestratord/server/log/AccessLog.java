package io.llamaorch.orchestratord.server.log;

import io.llamaorch.orchestratord.server.config.Config;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The access log: one JSON line a request that is over, in a file of its own.
 *
 * <pre>
 *   producers  any thread      offer(); never blocks, wakes nobody
 *   consumer   access-log      looks every few ms, writes what has gathered with one call
 *   full       the line is lost and counted
 *   disk       a write that fails loses its lines, which are counted, and is told once until one works again
 * </pre>
 */
public final class AccessLog implements AutoCloseable {
    private static final long IDLE_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int WRITE_AT = 32_768;
    private static final long CLOSE_MS = 2_000;

    /** A line and when it was offered. */
    private record Entry(long timeMs, AccessLine line) {}

    private final MpscVarHandleArrayQueue<Entry> queue;
    private final RotatingFile file;
    private final Consumer<String> onFailure;
    private final EventLayout layout = new EventLayout(true);
    private final StringBuilder lines = new StringBuilder(WRITE_AT + 8_192);
    private final LongAdder lost = new LongAdder();
    private final Thread thread;
    private int gathered;
    private boolean failing;
    private volatile boolean closed;

    private AccessLog(Config.AccessLog config, RotatingFile file, Consumer<String> onFailure) {
        this.queue = new MpscVarHandleArrayQueue<>(config.queueSize());
        this.file = file;
        this.onFailure = onFailure;
        this.thread = new Thread(this::run, "access-log");
        thread.setDaemon(true);
    }

    /**
     * Opens the file and starts to write.
     *
     * @param onFailure told in words, on the writing thread, when the file cannot be written any more
     * @throws IOException where it cannot be opened
     */
    public static AccessLog open(Config.AccessLog config, Consumer<String> onFailure) throws IOException {
        AccessLog log =
                new AccessLog(config, RotatingFile.open(config.file(), config.fileBytes(), config.files()), onFailure);
        log.thread.start();
        return log;
    }

    /** One more line, unless the queue is full. Any thread. */
    public void offer(AccessLine line) {
        if (closed || !queue.offer(new Entry(System.currentTimeMillis(), line))) {
            lost.increment();
        }
    }

    /** Lines that were not written: the queue was full, or the disk failed. */
    public long lost() {
        return lost.sum();
    }

    private void run() {
        while (true) {
            boolean last = closed;
            for (@Nullable Entry entry = queue.poll(); entry != null; entry = queue.poll()) {
                layout.append(lines, entry.timeMs(), "INFO", entry.line().message("access"));
                gathered++;
                if (lines.length() >= WRITE_AT) {
                    write();
                }
            }
            write();
            if (last) {
                break;
            }
            LockSupport.parkNanos(IDLE_NS);
        }
        file.close();
    }

    private void write() {
        if (gathered == 0) {
            return;
        }
        try {
            file.write(lines.toString().getBytes(StandardCharsets.UTF_8));
            failing = false;
        } catch (IOException e) {
            lost.add(gathered);
            if (!failing) {
                failing = true;
                onFailure.accept("The access log cannot be written: " + e.getMessage()
                        + "; lines are lost until it can (see access_log_lost_total).");
            }
        }
        lines.setLength(0);
        gathered = 0;
    }

    /** Writes what was offered before, for at most two seconds, and stops. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(CLOSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
