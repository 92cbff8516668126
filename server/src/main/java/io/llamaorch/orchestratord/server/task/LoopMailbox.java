package io.llamaorch.orchestratord.server.task;

import io.netty.channel.EventLoop;
import java.util.function.BiConsumer;
import org.jctools.queues.varhandle.SpscUnboundedVarHandleArrayQueue;

/**
 * What the scheduler has to say to one event loop, delivered once a batch.
 *
 * <pre>
 *   producer  scheduler-0   post()* flush()
 *   consumer  the loop      in the order posted
 *   bound     none of its own: a task has a handful of messages in its life, and tasks are bounded
 *   failure   a message that throws is told of, with its task; those behind it are delivered
 * </pre>
 *
 * <p>One wake-up of the loop for all messages of a batch, however many tasks they concern.
 */
final class LoopMailbox implements Runnable {
    private static final int CHUNK = 1024;

    private final EventLoop loop;
    private final BiConsumer<Task, Throwable> onDefect;
    private final SpscUnboundedVarHandleArrayQueue<Message> messages = new SpscUnboundedVarHandleArrayQueue<>(CHUNK);
    private boolean posted; // producer's

    private record Message(Task task, Runnable content) {}

    /**
     * An empty mailbox.
     *
     * @param loop where messages are delivered
     * @param onDefect told on the loop of a message that threw; must not throw
     */
    LoopMailbox(EventLoop loop, BiConsumer<Task, Throwable> onDefect) {
        this.loop = loop;
        this.onDefect = onDefect;
    }

    /** Scheduler's thread: leaves a message about a task; it is seen after {@link #flush}. */
    void post(Task task, Runnable content) {
        messages.offer(new Message(task, content));
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
        for (Message message = messages.poll(); message != null; message = messages.poll()) {
            try {
                message.content().run();
            } catch (Throwable thrown) {
                onDefect.accept(message.task(), thrown);
            }
        }
    }
}
