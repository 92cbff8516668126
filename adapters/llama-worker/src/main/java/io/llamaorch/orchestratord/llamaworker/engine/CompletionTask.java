package io.llamaorch.orchestratord.llamaworker.engine;

/** A completion that was taken. Any thread may cancel it. */
public final class CompletionTask {
    final Completion completion;
    final CompletionListener listener;
    private final DecodeLoop loop;
    private volatile boolean canceled;

    CompletionTask(Completion completion, CompletionListener listener, DecodeLoop loop) {
        this.completion = completion;
        this.listener = listener;
        this.loop = loop;
    }

    /** Ends it before the next batch, wherever it is; its slot is free then. Idempotent; nothing after the end. */
    public void cancel() {
        canceled = true;
        loop.wake();
    }

    boolean isCanceled() {
        return canceled;
    }
}
