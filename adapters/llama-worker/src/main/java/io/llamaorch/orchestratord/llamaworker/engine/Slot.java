package io.llamaorch.orchestratord.llamaworker.engine;

import io.llamaorch.orchestratord.llamaworker.binding.LlamaContext;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaSampler;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One sequence of the key-value cache, and the completion that runs in it. Owned by the decode thread; {@link #isBusy} may
 * be asked by any.
 */
final class Slot {
    private static final int NOT_IN_BATCH = -1;

    private final int id;
    private final int ctx;
    private final LlamaModel model;
    private final LlamaContext context;
    private final DecodeFigures figures;
    private final AtomicInteger inside;
    private final int[] held;
    private int heldCount;

    private @Nullable Running running;
    private volatile boolean busy;

    Slot(int id, int ctx, LlamaModel model, LlamaContext context, DecodeFigures figures, AtomicInteger inside) {
        this.id = id;
        this.ctx = ctx;
        this.model = model;
        this.context = context;
        this.figures = figures;
        this.inside = inside;
        this.held = new int[ctx];
    }

    /** What one completion changes as it goes. */
    private static final class Running {
        final CompletionTask task;
        final LlamaSampler sampler;
        final PieceDecoder decoder = new PieceDecoder();
        final StopTexts texts;
        final long sinceNs;
        final int cached;
        long firstTokenNs;
        int nextToken = -1;
        int predicted;
        int place = NOT_IN_BATCH;
        boolean rollsBack;
        int heldBefore;
        int nextBefore;

        Running(CompletionTask task, LlamaSampler sampler, int cached, long nowNs) {
            this.task = task;
            this.sampler = sampler;
            this.cached = cached;
            this.sinceNs = nowNs;
            this.texts = new StopTexts(task.completion.stop());
        }
    }

    boolean isBusy() {
        return busy;
    }

    boolean isCanceled() {
        Running now = running;
        return now != null && now.task.isCanceled();
    }

    /** Tokens at the start of {@code prompt} that are held already. */
    int commonPrefix(int[] prompt) {
        int most = Math.min(prompt.length, heldCount);
        int same = 0;
        while (same < most && held[same] == prompt[same]) {
            same++;
        }
        return same;
    }

    /** Starts a completion. */
    void begin(CompletionTask task, long nowNs) {
        Completion completion = task.completion;
        int[] prompt = completion.prompt();
        // The last token is always decoded: its logits are what the first draw is from.
        int keep = completion.reusePrefix() ? Math.min(commonPrefix(prompt), prompt.length - 1) : 0;
        context.truncate(id, keep);
        heldCount = keep;
        running = new Running(task, LlamaSampler.of(model, completion.sampling()), keep, nowNs);
        busy = true;
        task.setInSlot(true);
        task.listener.started();
    }

    /** Remembers where the slot is before a batch. */
    void mark() {
        Running now = running;
        if (now != null) {
            now.rollsBack = true;
            now.heldBefore = heldCount;
            now.nextBefore = now.nextToken;
        }
    }

    /** The batch was broken off: goes back to before it, unless a token was drawn from a part of it. */
    void rollBack() {
        Running now = running;
        if (now != null && now.rollsBack) {
            context.truncate(id, now.heldBefore);
            heldCount = now.heldBefore;
            now.nextToken = now.nextBefore;
            now.place = NOT_IN_BATCH;
        }
    }

    /** Adds the token drawn last, where there is one and the reader has room for what follows from it. */
    void addDrawn() {
        Running now = running;
        if (now != null && now.nextToken >= 0 && now.task.listener.hasRoom()) {
            now.place = context.add(now.nextToken, heldCount, id, true);
            hold(now.nextToken);
            now.nextToken = -1;
        }
    }

    /** Adds as much of the prompt as the batch takes. */
    void addPrompt() {
        Running now = running;
        if (now == null || now.predicted > 0) {
            return;
        }
        int[] prompt = now.task.completion.prompt();
        while (heldCount < prompt.length && context.batchRoom() > 0) {
            boolean last = heldCount == prompt.length - 1;
            int place = context.add(prompt[heldCount], heldCount, id, last);
            if (last) {
                now.place = place;
            }
            hold(prompt[heldCount]);
        }
    }

    private void hold(int token) {
        held[heldCount++] = token;
    }

    /** Whether the batch holds a token of this slot whose logits are waited for. */
    boolean isInBatch() {
        Running now = running;
        return now != null && now.place != NOT_IN_BATCH;
    }

    /** Draws the next token where its logits are in {@code [from, to)} of the batch. */
    void draw(int from, int to) {
        Running now = running;
        if (now == null || now.place < from || now.place >= to) {
            return;
        }
        int place = now.place - from;
        now.place = NOT_IN_BATCH;
        now.rollsBack = false;
        if (now.predicted == 0) {
            now.firstTokenNs = System.nanoTime();
            figures.prompt(now.task.completion.prompt().length - now.cached, now.firstTokenNs - now.sinceNs);
            if (now.task.completion.predictMax() == 0) {
                end(now, "limit", false);
                return;
            }
        }
        int token = now.sampler.sample(context, place);
        if (token == LlamaSampler.DEAD_END) {
            fail("the grammar allows no token of this model here");
            return;
        }
        now.predicted++;
        take(now, token);
    }

    private void take(Running now, int token) {
        boolean over = model.isEndOfGeneration(token);
        if (!over) {
            now.decoder.decode(model.piece(token), now.texts.pending());
        }
        String text = over ? "" : now.texts.release();
        if (over || !now.decoder.isWithinCharacter() || !text.isEmpty()) {
            now.task.listener.token(token, text, now.predicted);
        }
        if (over) {
            end(now, "eos", false);
        } else if (!now.texts.met().isEmpty()) {
            end(now, "word", false);
        } else if (now.predicted == now.task.completion.predictMax()) {
            end(now, "limit", false);
        } else if (heldCount == ctx) {
            end(now, "limit", true);
        } else {
            now.nextToken = token;
        }
    }

    private void end(Running now, String stopType, boolean truncated) {
        String tail = "";
        if (now.texts.met().isEmpty()) {
            now.decoder.finish(now.texts.pending());
            tail = now.texts.releaseAll();
        }
        CompletionEnd end = new CompletionEnd(
                stopType,
                now.texts.met(),
                tail,
                truncated,
                id,
                now.task.completion.prompt().length,
                now.predicted,
                now.cached,
                heldCount,
                now.firstTokenNs - now.sinceNs,
                System.nanoTime() - now.firstTokenNs);
        free();
        now.task.listener.end(end);
    }

    /** Ends what runs, without a word to anybody: it was canceled. */
    void free() {
        Running now = running;
        if (now != null) {
            running = null;
            now.task.setInSlot(false);
            if (now.predicted > 0) {
                figures.predicted(now.predicted, System.nanoTime() - now.firstTokenNs);
            }
            now.sampler.close();
            busy = false;
            inside.decrementAndGet();
        }
    }

    /** Fails what runs. */
    void fail(String message) {
        Running now = running;
        free();
        if (now != null) {
            now.task.listener.failed(message);
        }
    }

    /** The cache was emptied: fails what runs. */
    void lost(String message) {
        heldCount = 0;
        fail(message);
    }
}
