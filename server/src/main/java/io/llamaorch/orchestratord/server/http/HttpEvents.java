package io.llamaorch.orchestratord.server.http;

import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** What the front tells metrics and logs; called on event loops, must not block. */
public interface HttpEvents {
    /** Nobody listens. */
    HttpEvents NONE = new HttpEvents() {};

    /** A connection was accepted, or refused because there are too many. */
    default void onConnection(boolean accepted) {}

    /** A connection that was accepted ended. */
    default void onDisconnection() {}

    /**
     * An answer was written whole, or a stream began.
     *
     * @param route the route, or null where none was found or the bytes were no request
     * @param status HTTP status
     * @param startedNs {@code nanoTime} at the request's head, 0 where there was none
     */
    default void onAnswered(@Nullable Route route, int status, long startedNs) {}

    /** Whether {@link #onOver} is to know how many bytes an answer had; the same for as long as the daemon runs. */
    default boolean countsBytes() {
        return false;
    }

    /**
     * A request is over: it was answered whole, its stream has ended, or its client has left. Once each.
     *
     * @param status of the answer, 0 where there was none
     * @param bytes of the answer, with its head; −1 where they are not counted
     * @param complete whether the answer was written to its end
     */
    default void onOver(Exchange exchange, int status, long bytes, boolean complete) {}

    /**
     * What was no request, or one connection too many, was refused.
     *
     * @param remote of the client, null where it is gone
     */
    default void onRefused(String correlationId, int status, @Nullable SocketAddress remote) {}

    /** A handler threw: a defect of the daemon. */
    default void onDefect(String correlationId, Throwable defect) {}
}
