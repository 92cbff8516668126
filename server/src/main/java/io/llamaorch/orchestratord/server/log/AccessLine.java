package io.llamaorch.orchestratord.server.log;

import org.jspecify.annotations.Nullable;

/**
 * One request that is over, as the access log and the log at level DEBUG have it.
 *
 * @param method as the client sent it; null where the bytes were no request
 * @param route path template, or {@code unrouted}
 * @param status of the answer; 0 where the client left before one
 * @param durationMs end of the request's head to the last byte of the answer, for a stream too; ms
 * @param bytes of the answer, head and framing included; −1 where they are not counted
 * @param complete false where the answer broke off, or the client left before its end
 * @param remote address of the client, without its port
 * @param identity {@code key:<name>} or {@code localhost}; null where nobody was told
 * @param correlationId of the request
 * @param traceparent as the client sent it, or null
 */
public record AccessLine(
        @Nullable String method,
        String route,
        int status,
        long durationMs,
        long bytes,
        boolean complete,
        @Nullable String remote,
        @Nullable String identity,
        String correlationId,
        @Nullable String traceparent) {

    EventMessage message(String event) {
        String what = method == null ? "What was no request" : method + " " + route;
        String human = status == 0
                ? what + " was not answered: its client left."
                : what + " was answered with " + status + (complete ? "." : ", and not to the end.");
        return new EventMessage(event, human)
                .with("correlation_id", correlationId)
                .with("identity", identity)
                .with("method", method)
                .with("route", route)
                .with("status", status == 0 ? null : status)
                .with("duration_ms", durationMs)
                .with("bytes", bytes < 0 ? null : bytes)
                .with("complete", complete)
                .with("remote", remote)
                .with("traceparent", traceparent);
    }
}
