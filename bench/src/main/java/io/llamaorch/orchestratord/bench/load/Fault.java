package io.llamaorch.orchestratord.bench.load;

/** What can be wrong with an answer. Each request counts at most one, the first. */
public enum Fault {
    CONNECT_FAILED,
    /** The connection ended inside an answer. */
    CONNECTION_LOST,
    TIMED_OUT,
    /** Bytes that are not an HTTP/1.1 response. */
    MALFORMED_HTTP,
    /** Bytes on a connection that has no request under way. */
    UNSOLICITED_BYTES,
    BAD_STATUS,
    /** An event that its dialect does not know, or with a member missing. */
    MALFORMED_EVENT,
    /** Ids of events must be 1, 2, 3 and so on. */
    ID_GAP,
    /** {@code i} of tokens must be 0, 1, 2 and so on. */
    INDEX_GAP,
    /** {@code started} must come first, and once. */
    NOT_STARTED,
    /** Anything after {@code end} or {@code error}. */
    EVENT_AFTER_TERMINAL,
    /** The body ended without {@code end} or {@code error}. */
    NO_TERMINAL,
    /** More or fewer tokens than were asked for. */
    TOKEN_COUNT,
    /** The stream ended with {@code error}. */
    ERROR_EVENT
}
