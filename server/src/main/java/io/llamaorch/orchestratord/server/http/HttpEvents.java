package io.llamaorch.orchestratord.server.http;

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

    /** A handler threw: a defect of the daemon. */
    default void onDefect(String correlationId, Throwable defect) {}
}
