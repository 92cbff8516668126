package io.llamaorch.orchestratord.llamaworker.engine;

/** A completion that was taken. Any thread may cancel it. */
public final class CompletionTask {
    final Completion completion;
    final CompletionListener listener;
    private final DecodeLoop loop;
    private volatile boolean canceled;
    private volatile boolean inSlot;

    CompletionTask(Completion completion, CompletionListener listener, DecodeLoop loop) {
        this.completion = completion;
        this.listener = listener;
        this.loop = loop;
    }

    /** Ends it at once, wherever it is; its slot is free then. Idempotent; nothing after the end. */
    public void cancel() {
        canceled = true;
        if (inSlot) {
            loop.abortBatch();
        }
        loop.wake();
    }

    void setInSlot(boolean is) {
        inSlot = is;
    }

    boolean isCanceled() {
        return canceled;
    }
}
