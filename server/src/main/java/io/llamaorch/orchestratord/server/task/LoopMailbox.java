package io.llamaorch.orchestratord.server.task;

import io.netty.channel.EventLoop;
import org.jctools.queues.varhandle.SpscUnboundedVarHandleArrayQueue;

/**
 * What the scheduler has to say to one event loop, delivered once a batch.
 *
 * <pre>
 *   producer  scheduler-0   post()* flush()
 *   consumer  the loop      in the order posted
 *   bound     none of its own: a task has a handful of messages in its life, and tasks are bounded
 * </pre>
 *
 * <p>One wake-up of the loop for all messages of a batch, however many tasks they concern.
 */
final class LoopMailbox implements Runnable {
    private static final int CHUNK = 1024;

    private final EventLoop loop;
    private final SpscUnboundedVarHandleArrayQueue<Runnable> messages = new SpscUnboundedVarHandleArrayQueue<>(CHUNK);
    private boolean posted; // producer's

    LoopMailbox(EventLoop loop) {
        this.loop = loop;
    }

    /** Scheduler's thread: leaves a message; it is seen after {@link #flush}. */
    void post(Runnable message) {
        messages.offer(message);
        posted = true;
    }

    /** Scheduler's thread: wakes the loop where something was posted since the last time. */
    void flush() {
        if (posted) {
            posted = false;
            loop.execute(this);
        }
    }

    /** The loop: delivers. */
    @Override
    public void run() {
        for (Runnable message = messages.poll(); message != null; message = messages.poll()) {
            message.run();
        }
    }
}
