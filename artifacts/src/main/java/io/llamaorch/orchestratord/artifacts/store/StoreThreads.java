package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The few threads that may block on the disk, and the bounded queue before them.
 *
 * <p>Jobs are bounded by number and bytes here; slices of open reads by the number of reads, one each; a collection is one.
 * So the executor's own queue needs no bound. The time of a job is an exponential mean; its writers race, and a lost
 * update only makes it a little older.
 */
final class StoreThreads {
    /** Weight of the newest job in the mean. */
    private static final double NEWEST = 0.2;

    private static final long IDLE_S = 30;

    /** Something to do; exactly one of the two methods is called. */
    interface Job {
        /** Does it, and gives back who is to be told once the job's room is free again. */
        Runnable run();

        /** It will not be done: the store stops. */
        void drop();
    }

    private final ThreadPoolExecutor executor;
    private final ArtifactSettings limits;
    private final Consumer<Throwable> defects;
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong pendingBytes = new AtomicLong();
    private final AtomicBoolean collecting = new AtomicBoolean();
    private volatile double meanNs;
    private volatile boolean stopping;

    StoreThreads(ArtifactSettings limits, Consumer<Throwable> defects) {
        this.limits = limits;
        this.defects = defects;
        AtomicInteger number = new AtomicInteger();
        executor = new ThreadPoolExecutor(
                limits.threads(), limits.threads(), IDLE_S, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "artifacts-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
    }

    /** Takes the job, or says why not; then neither of its methods is called. */
    @Nullable
    ApiError offer(long bytes, Job job) {
        int before = pending.getAndIncrement();
        long bytesBefore = pendingBytes.getAndAdd(bytes);
        if (before >= limits.queueMax() || (before > 0 && bytesBefore + bytes > limits.queueBytesMax())) {
            free(bytes);
            return busy("The artifact store has all the work that it takes", "artifact_queue");
        }
        try {
            executor.execute(() -> run(bytes, job));
            return null;
        } catch (RejectedExecutionException e) {
            free(bytes);
            return busy("The artifact store is stopping", "artifact_queue");
        }
    }

    private void run(long bytes, Job job) {
        if (stopping) {
            free(bytes);
            tell(job::drop);
            return;
        }
        long beganNs = System.nanoTime();
        Runnable told = () -> {};
        try {
            told = job.run();
        } catch (RuntimeException | Error e) {
            defects.accept(e);
        } finally {
            long tookNs = System.nanoTime() - beganNs;
            double mean = meanNs;
            meanNs = mean == 0 ? tookNs : mean + NEWEST * (tookNs - mean);
            free(bytes);
        }
        tell(told);
    }

    private void tell(Runnable told) {
        try {
            told.run();
        } catch (RuntimeException e) {
            defects.accept(e);
        }
    }

    private void free(long bytes) {
        pendingBytes.addAndGet(-bytes);
        pending.decrementAndGet();
    }

    /** A slice of an open read, or its close: never refused but by the end of the store. */
    boolean execute(Runnable slice) {
        try {
            executor.execute(() -> tell(slice));
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** A collection, which gives back who is to be told once it is over; false where one is under way or the store stops. */
    boolean offerCollection(Supplier<Runnable> collection) {
        if (!collecting.compareAndSet(false, true)) {
            return false;
        }
        boolean taken = execute(() -> {
            Runnable told = () -> {};
            try {
                told = collection.get();
            } finally {
                collecting.set(false);
            }
            told.run();
        });
        if (!taken) {
            collecting.set(false);
        }
        return taken;
    }

    ApiError busy(String what, String label) {
        long ms = waitMs();
        return ApiError.of(ErrorCode.ADMISSION_REJECT, what + "; come back in " + ms + " ms.")
                .retryAfterMs(ms)
                .by(label);
    }

    int pending() {
        return pending.get();
    }

    long waitMs() {
        return Math.max(1, (long) Math.ceil(meanNs * (pending.get() + 1) / limits.threads() / 1e6));
    }

    /** Ends: what runs is finished, what waits is dropped. */
    void close(long wait, TimeUnit unit) {
        stopping = true;
        executor.shutdown();
        try {
            if (!executor.awaitTermination(wait, unit)) {
                executor.shutdownNow(); // a disk that hangs: daemon threads, they end with the process
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
