package io.llamaorch.orchestratord.llamaworker.engine;

import io.llamaorch.orchestratord.llamaworker.binding.LlamaContext;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.ModelException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that decodes. A turn: drop what was canceled, give free slots to what waits, then one batch of each
 * running slot's last token and as much of the prompts as still fits.
 *
 * <pre>
 *   offer()   any thread; null where slots and queue are full
 *   cancel    breaks the batch off; the other slots of it go back and decode their part again
 *   order     first come, first served
 * </pre>
 */
public final class DecodeLoop implements AutoCloseable {
    /**
     * Most tokens of a batch, and so most slots. Small on purpose: the other slots' next token waits for a batch that a
     * long prompt fills, and a CPU gains little from larger ones.
     */
    public static final int BATCH_MAX = 128;

    private static final long CLOSE_MS = 500;

    private final LlamaContext context;
    private final Slot[] slots;
    private final int ctx;
    private final int insideMax;
    private final DecodeFigures figures = new DecodeFigures();
    private final Queue<CompletionTask> waiting = new ConcurrentLinkedQueue<>();
    /** Completions that were taken and are not over: those that wait, and those in slots. */
    private final AtomicInteger inside = new AtomicInteger();

    private final Thread thread = new Thread(this::run, "decode-0");
    private volatile boolean closing;

    /**
     * Makes room for the slots; {@link #start} begins.
     *
     * @param ctx context of one slot, tokens
     * @param slots decodes at once, at most {@value #BATCH_MAX}
     * @param waitingMax completions that may wait for a slot
     * @param threads threads that llama.cpp computes with
     * @throws ModelException where there is no memory for so much
     */
    public DecodeLoop(LlamaModel model, int ctx, int slots, int waitingMax, int threads) throws ModelException {
        this.ctx = ctx;
        this.insideMax = slots + waitingMax;
        this.context = new LlamaContext(model, ctx, slots, BATCH_MAX, threads);
        this.slots = new Slot[slots];
        for (int id = 0; id < slots; id++) {
            this.slots[id] = new Slot(id, ctx, model, context, figures, inside);
        }
    }

    /** Starts the thread; {@code onBroken} is told on it if it ends by itself. */
    public void start(Thread.UncaughtExceptionHandler onBroken) {
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler(onBroken);
        thread.start();
    }

    /** Takes a completion, or answers null where slots and queue are full. */
    public @Nullable CompletionTask offer(Completion completion, CompletionListener listener) {
        if (inside.incrementAndGet() > insideMax) {
            inside.decrementAndGet();
            return null;
        }
        CompletionTask task = new CompletionTask(completion, listener, this);
        waiting.add(task);
        wake();
        return task;
    }

    /** Has the thread look again: a listener has room, a task was canceled. Any thread. */
    public void wake() {
        LockSupport.unpark(thread);
    }

    /** Has the batch at hand broken off: a task of it was canceled. Any thread. */
    void abortBatch() {
        context.abort();
    }

    /** Context of one slot, tokens. */
    public int ctx() {
        return ctx;
    }

    /** Decodes at once. */
    public int slotCount() {
        return slots.length;
    }

    /** Whether slot {@code id} decodes. */
    public boolean isBusy(int id) {
        return slots[id].isBusy();
    }

    /** Completions in slots. */
    public int processing() {
        int busy = 0;
        for (Slot slot : slots) {
            busy += slot.isBusy() ? 1 : 0;
        }
        return busy;
    }

    /** Completions that wait for a slot. */
    public int deferred() {
        return Math.max(0, inside.get() - processing());
    }

    /** What was decoded so far. */
    public DecodeFigures figures() {
        return figures;
    }

    private void run() {
        while (!closing) {
            // Before the flags are read: a cancel that comes later breaks off the batch that follows.
            context.resume();
            dropCanceled();
            admit();
            fillBatch();
            if (context.batchSize() == 0) {
                LockSupport.park(this);
            } else {
                decodeBatch();
            }
        }
        for (Slot slot : slots) {
            slot.free();
        }
        context.close();
    }

    private void dropCanceled() {
        for (Slot slot : slots) {
            if (slot.isCanceled()) {
                slot.free();
            }
        }
        waiting.removeIf(task -> {
            if (task.isCanceled()) {
                inside.decrementAndGet();
                return true;
            }
            return false;
        });
    }

    private void admit() {
        while (true) {
            CompletionTask next = waiting.peek();
            Slot slot = next == null ? null : freeSlotFor(next.completion);
            if (next == null || slot == null) {
                return;
            }
            waiting.remove();
            slot.begin(next, System.nanoTime());
        }
    }

    /** The free slot that holds most of the prompt already; null where none is free. */
    private @Nullable Slot freeSlotFor(Completion completion) {
        Slot best = null;
        int most = -1;
        for (Slot slot : slots) {
            if (!slot.isBusy()) {
                int same = completion.reusePrefix() ? slot.commonPrefix(completion.prompt()) : 0;
                if (same > most) {
                    most = same;
                    best = slot;
                }
            }
        }
        return best;
    }

    private void fillBatch() {
        context.clearBatch();
        for (Slot slot : slots) {
            slot.mark();
            slot.addDrawn();
        }
        for (Slot slot : slots) {
            slot.addPrompt();
        }
    }

    private void decodeBatch() {
        int size = context.batchSize();
        int from = 0;
        int step = size;
        figures.batch(busyInBatch());
        while (from < size) {
            int count = Math.min(step, size - from);
            int result = context.decode(from, count);
            if (result == LlamaContext.NO_ROOM && count > 1) {
                // Free cells lie apart: fewer at once fit between them.
                step = count / 2;
                continue;
            }
            if (result == LlamaContext.ABORTED) {
                for (Slot slot : slots) {
                    slot.rollBack();
                }
                return;
            }
            if (result != 0) {
                fail(result == LlamaContext.NO_ROOM ? "Context size has been exceeded." : "Compute error.");
                return;
            }
            for (Slot slot : slots) {
                slot.draw(from, from + count);
            }
            from += count;
        }
    }

    private int busyInBatch() {
        int busy = 0;
        for (Slot slot : slots) {
            busy += slot.isInBatch() ? 1 : 0;
        }
        return busy;
    }

    /** What the cache holds is uncertain now: all that runs fails, as at llama-server. */
    private void fail(String message) {
        context.clear();
        for (Slot slot : slots) {
            slot.lost(message);
        }
    }

    /** Breaks off what runs and ends the thread; waits for that, but not for long. */
    @Override
    public void close() {
        closing = true;
        context.abort();
        wake();
        try {
            TimeUnit.MILLISECONDS.timedJoin(thread, CLOSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
