package io.llamaorch.orchestratord.llamaworker.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps what it hears, its text to be read after its end; takes at most {@code roomFor} tokens until told otherwise. */
final class RecordingListener implements CompletionListener {
    final CompletableFuture<CompletionEnd> end = new CompletableFuture<>();
    final CountDownLatch firstToken = new CountDownLatch(1);
    final AtomicInteger tokens = new AtomicInteger();
    private final StringBuilder text = new StringBuilder();
    private volatile int roomFor;

    RecordingListener() {
        this(Integer.MAX_VALUE);
    }

    RecordingListener(int roomFor) {
        this.roomFor = roomFor;
    }

    void makeRoom() {
        roomFor = Integer.MAX_VALUE;
    }

    String text() {
        return text.toString();
    }

    @Override
    public void started() {}

    @Override
    public void token(int token, String piece, int predicted) {
        text.append(piece);
        tokens.set(predicted);
        firstToken.countDown();
    }

    @Override
    public boolean hasRoom() {
        return tokens.get() < roomFor;
    }

    @Override
    public void end(CompletionEnd how) {
        text.append(how.tail());
        end.complete(how);
    }

    @Override
    public void failed(String message) {
        end.completeExceptionally(new AssertionError(message));
    }
}
