package io.llamaorch.orchestratord.server.auth;

/** What a key may be good for; a route asks for exactly one. */
public enum Scope {
    /** No key is needed. */
    NONE(1),
    /** Tasks, streams, sessions, artifacts. */
    DATA(2),
    /** Pools, catalog; and other keys' tasks. */
    CONTROL(4),
    /** {@code /metrics}, where the configuration asks for a key there. */
    METRICS(8);

    private final int bit;

    Scope(int bit) {
        this.bit = bit;
    }

    /** This scope's bit in {@link Identity#scopes()}. */
    public int bit() {
        return bit;
    }
}
