package io.llamaorch.orchestratord.bench.load;

/** What one request of a run is. */
public enum LoadMode {
    /** {@code POST /v1/tasks}, then {@code GET /v1/tasks/{id}/stream} on the same connection. */
    STREAM,
    /** {@code POST /v1/tasks} alone. */
    ADMIT,
    /** One POST whose answer is the stream. */
    PROXY
}
