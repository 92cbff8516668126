package io.llamaorch.orchestratord.bench.load;

import org.jspecify.annotations.Nullable;

/**
 * The promises of one stream: what comes first, dense ids, dense token indices, one terminal event and nothing after it.
 *
 * <p>Ids, indices and {@code started} exist in {@link Dialect#DAEMON} only. <b>Owner thread:</b> the loop.
 */
final class StreamCheck {
    private final boolean daemon;
    private final long tokensExpected;
    private long lastId;
    private long tokens;
    private boolean started;
    private boolean terminal;
    private boolean failed;

    /**
     * A check of one stream after the other.
     *
     * @param tokensExpected tokens of each stream; 0 for any number
     */
    StreamCheck(Dialect dialect, long tokensExpected) {
        this.daemon = dialect == Dialect.DAEMON;
        this.tokensExpected = tokensExpected;
    }

    /** Starts a new stream. */
    void reset() {
        lastId = 0;
        tokens = 0;
        started = false;
        terminal = false;
        failed = false;
    }

    /** Tokens of this stream so far. */
    long tokens() {
        return tokens;
    }

    /** Takes the next event; null when it may stand here. */
    @Nullable
    Fault onEvent(EventKind kind, long id, long index) {
        if (terminal) {
            return Fault.EVENT_AFTER_TERMINAL;
        }
        Fault fault = daemon ? order(kind, id, index) : null;
        switch (kind) {
            case TOKEN -> tokens++;
            case END -> terminal = true;
            case ERROR -> {
                terminal = true;
                failed = true;
                fault = fault == null ? Fault.ERROR_EVENT : fault;
            }
            case UNKNOWN -> fault = fault == null ? Fault.MALFORMED_EVENT : fault;
            default -> {}
        }
        return fault;
    }

    /** The body is complete; null when the stream was. */
    @Nullable
    Fault onEndOfBody() {
        if (!terminal) {
            return Fault.NO_TERMINAL;
        }
        return !failed && tokensExpected > 0 && tokens != tokensExpected ? Fault.TOKEN_COUNT : null;
    }

    private @Nullable Fault order(EventKind kind, long id, long index) {
        boolean gap = id != lastId + 1;
        lastId = id;
        boolean first = kind == EventKind.STARTED;
        boolean misplaced = first == started && kind != EventKind.ERROR;
        started |= first;
        if (gap) {
            return Fault.ID_GAP;
        }
        if (misplaced) {
            return Fault.NOT_STARTED;
        }
        return kind == EventKind.TOKEN && index != tokens ? Fault.INDEX_GAP : null;
    }
}
