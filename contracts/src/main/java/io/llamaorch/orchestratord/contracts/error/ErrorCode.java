package io.llamaorch.orchestratord.contracts.error;

/**
 * Every error that a client can be told of. Bounded: safe as a metric label. Public API: never renamed or reused.
 *
 * <p>The name is the wire {@code code}. Several codes may share a status; one code has exactly one status where it is
 * an HTTP answer. Codes that can also end a stream are marked as such in {@code contracts/specs/errors.md}.
 */
public enum ErrorCode {
    /** A member is missing, malformed, out of range or unknown; the message holds its JSON pointer. */
    INVALID_PARAMS(400, false),
    /** The bytes were not an HTTP/1.1 request that this daemon accepts; the connection is closed. */
    BAD_REQUEST(400, false),
    /** The whole task cannot end within {@code deadline_ms}; {@code details} carries the ETA. Also ends streams. */
    DEADLINE_UNMET(400, false),
    /** A digest or a trust rule refused the model. */
    UNTRUSTED_ARTIFACT(400, false),
    /** No key was given. */
    UNAUTHORIZED(401, false),
    /** The key is not known, or may not do this. */
    FORBIDDEN(403, false),
    /** No such route, task, session, artifact or pool; or it belongs to another key. */
    NOT_FOUND(404, false),
    /** The route exists, the method does not; {@code Allow} names those that do. */
    METHOD_NOT_ALLOWED(405, false),
    /** {@code Accept} rules out what this route can send. */
    NOT_ACCEPTABLE(406, false),
    /** The client took too long to send its request; the connection is closed. */
    REQUEST_TIMEOUT(408, true),
    /** The {@code task_id} is taken by another body, or an operation of that kind is under way. */
    CONFLICT(409, false),
    /** A retired model. */
    MODEL_DEPRECATED(410, false),
    /** A body without {@code Content-Length} where one is needed. */
    LENGTH_REQUIRED(411, false),
    /** The body is longer than the limit. */
    PAYLOAD_TOO_LARGE(413, false),
    /** The request target is longer than the limit. */
    URI_TOO_LONG(414, false),
    /** The body's {@code Content-Type} is not one that this route reads. */
    UNSUPPORTED_MEDIA_TYPE(415, false),
    /** The range begins behind the last byte; {@code Content-Range} tells the length. */
    RANGE_NOT_SATISFIABLE(416, false),
    /** {@code Expect} asks for something other than {@code 100-continue}. */
    EXPECTATION_FAILED(417, false),
    /** A queue, a rate limit or a quota refused; {@code policy_label} names which. */
    ADMISSION_REJECT(429, true),
    /** Policy {@code drop-lru}: told to the newcomer (HTTP) or to the dropped task (stream). */
    QUEUE_FULL_DROP_LRU(429, true),
    /** The session's or key's budget cannot cover the request. */
    BUDGET_EXHAUSTED(429, false),
    /** Header lines are longer or more than the limits. */
    HEADERS_TOO_LARGE(431, false),
    /** A defect of the daemon, or its disk failed; never a stack trace on the wire. Also ends streams. */
    INTERNAL(500, true),
    /** A transfer coding or method that HTTP knows and this daemon does not. */
    NOT_IMPLEMENTED(501, false),
    /** The pool is known and cannot serve yet: not loaded, loading, draining; or the daemon is stopping. */
    POOL_UNREADY(503, true),
    /** No replica of the pool is live. Also ends streams. */
    POOL_UNAVAILABLE(503, true),
    /** No slot within the deadline, or the engine ran out of them. Also ends streams. */
    REPLICA_EXHAUSTED(503, true),
    /** Ends a stream: no token within the idle limit, or the deadline passed while decoding. */
    DECODE_TIMEOUT(504, true),
    /** Ends a stream: the engine broke it, or the daemon stopped or started again. */
    WORKER_RESET(502, true),
    /** The request's HTTP version is not 1.0 or 1.1. */
    HTTP_VERSION_NOT_SUPPORTED(505, false),
    /** The disk, or a quota of the artifact store or the ledger, is full; {@code policy_label} names which. */
    STORAGE_FULL(507, true);

    private final int status;
    private final boolean retriable;

    ErrorCode(int status, boolean retriable) {
        this.status = status;
        this.retriable = retriable;
    }

    /** The HTTP status where this code answers a request. */
    public int status() {
        return status;
    }

    /** Whether the same request may succeed later without a change. */
    public boolean retriable() {
        return retriable;
    }
}
