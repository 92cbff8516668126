package io.llamaorch.orchestratord.server.sse;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Decides, for one stream, between its natural end and a cancel, and tells the token path to stop.
 *
 * <pre>
 *            request() any thread          seal() home loop
 *   OPEN ───────────────────────▶ REQUESTED ─────────────▶ SEALED
 *     │                                        (a 204 may be sent from here on)
 *     └── end() home loop ──▶ ENDED
 *
 *   isOpen()   home loop, before each token: false from the moment that a request is visible
 *   ordering   request() is a release, isOpen() an acquire; seal() and end() are made on the loop that
 *              writes the tokens, so no token can follow them in that loop's program order
 * </pre>
 *
 * <p>Shown by {@code CancelGateStress} (jcstress) and {@code CancelIT} (sockets).
 */
final class CancelGate {
    private static final int OPEN = 0;
    private static final int REQUESTED = 1;
    private static final int SEALED = 2;
    private static final int ENDED = 3;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(CancelGate.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // by STATE
    private int state = OPEN;

    /** Any thread: asks for a cancel. Does nothing after the first request, or after the end. */
    void request() {
        STATE.compareAndSet(this, OPEN, REQUESTED);
    }

    /** Home loop: whether a token may still be written. */
    boolean isOpen() {
        return (int) STATE.getAcquire(this) == OPEN;
    }

    /**
     * Home loop: no token will be written from now on.
     *
     * @return whether this call sealed it; false where it was sealed or ended before
     */
    boolean seal() {
        int seen = (int) STATE.getAcquire(this);
        if (seen == SEALED || seen == ENDED) {
            return false;
        }
        STATE.setRelease(this, SEALED); // only the home loop leaves OPEN or REQUESTED for good
        return true;
    }

    /**
     * Home loop: the stream ends by itself.
     *
     * @return false where it was sealed or ended before; a mere request does not keep a stream from its end
     */
    boolean end() {
        int seen = (int) STATE.getAcquire(this);
        if (seen == SEALED || seen == ENDED) {
            return false;
        }
        STATE.setRelease(this, ENDED);
        return true;
    }
}
