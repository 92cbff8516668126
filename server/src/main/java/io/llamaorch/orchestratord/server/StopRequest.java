package io.llamaorch.orchestratord.server;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * That the daemon shall stop, and how fast: asked by signals or by a defect, also before there is a daemon. Any thread.
 */
final class StopRequest {
    private final CountDownLatch asked = new CountDownLatch(1);
    private boolean hurry;
    private @Nullable Runnable onHurry;

    void ask() {
        asked.countDown();
    }

    boolean isAsked() {
        return asked.getCount() == 0;
    }

    void await() throws InterruptedException {
        asked.await();
    }

    /** Nothing is waited for any more. */
    void hurry() {
        Runnable told;
        synchronized (this) {
            hurry = true;
            told = onHurry;
        }
        if (told != null) {
            told.run();
        }
    }

    synchronized boolean isHurried() {
        return hurry;
    }

    /** Calls {@code listener} when it is to hurry, at once where it is by now. */
    void onHurry(Runnable listener) {
        boolean now;
        synchronized (this) {
            onHurry = listener;
            now = hurry;
        }
        if (now) {
            listener.run();
        }
    }
}
