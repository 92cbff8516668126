package io.llamaorch.orchestratord.bench.load;

/** What an event of a stream is, in every dialect. */
public enum EventKind {
    STARTED,
    TOKEN,
    METRICS,
    END,
    ERROR,
    /** An event that the dialect lets pass and that counts for nothing. */
    OTHER,
    /** An event that the dialect does not know. */
    UNKNOWN
}
