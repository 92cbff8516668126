package io.llamaorch.orchestratord.server.auth;

/**
 * Who asks, as logs and ownership know it.
 *
 * @param label {@code key:<name>}, {@code localhost} or {@code anonymous}
 * @param scopes bits of {@link Scope}
 */
public record Identity(String label, int scopes) {
    /** Every scope. */
    public static final int ALL_SCOPES =
            Scope.NONE.bit() | Scope.DATA.bit() | Scope.CONTROL.bit() | Scope.METRICS.bit();

    /** A peer on this host, where no key is configured or the loopback bypass is on. */
    public static final Identity LOCALHOST = new Identity("localhost", ALL_SCOPES);

    /** Somebody at a route that needs no key. */
    public static final Identity ANONYMOUS = new Identity("anonymous", Scope.NONE.bit());

    /** The label of a key. */
    public static String ofKey(String name) {
        return "key:" + name;
    }

    public boolean may(Scope scope) {
        return (scopes & scope.bit()) != 0;
    }
}
