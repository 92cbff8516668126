package io.llamaorch.orchestratord.server.sse;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;

/**
 * The client connection of one stream reader: the port between a stream and HTTP. Every method on the connection's own
 * loop, but {@link #loop}.
 */
public interface ReaderConnection {

    /** The loop that owns the connection. */
    EventLoop loop();

    /** Whether the client speaks HTTP/1.0: no chunks, the body ends with the connection. */
    boolean http10();

    /** Queues the head of a 200 answer; it leaves with the next {@link #write}. */
    void start();

    /**
     * Writes and flushes. Takes the buffer over.
     *
     * @return whether all of it is in the kernel now; if not, {@link #whenDrained} tells
     */
    boolean write(ByteBuf bytes);

    /** Calls back once, on the loop, when everything written is in the kernel; not at all where the client has gone. */
    void whenDrained(Runnable callback);

    /** The body is complete: the next request may be answered. */
    void finish();

    /** Closes the connection in the midst of the body; the client sees that it was cut off and may resume. */
    void cut();
}
