package io.llamaorch.orchestratord.server.http;

/**
 * What a route does with a request's body.
 *
 * @param kind which media types it reads
 * @param bytesMax longest body, 0 for the default of {@link HttpLimits#bodyBytesMax()}
 * @param required whether a request without a body is refused with 411
 */
public record BodyPolicy(Kind kind, int bytesMax, boolean required) {
    /** Which media types a route reads. */
    public enum Kind {
        /** None: a short body is read and dropped. */
        NONE,
        /** {@code application/json}, or no Content-Type. */
        JSON,
        /** Any bytes. */
        BYTES
    }

    /** No body. */
    public static final BodyPolicy NONE = new BodyPolicy(Kind.NONE, 0, false);
    /** A JSON body of the default length. */
    public static final BodyPolicy JSON = new BodyPolicy(Kind.JSON, 0, true);
    /** The same, which may be left out: the handler then sees no bytes. */
    public static final BodyPolicy OPTIONAL_JSON = new BodyPolicy(Kind.JSON, 0, false);

    /** JSON up to its own length. */
    public static BodyPolicy json(int bytesMax) {
        return new BodyPolicy(Kind.JSON, bytesMax, true);
    }

    /** Bytes of any type up to their own length. */
    public static BodyPolicy bytes(int bytesMax) {
        return new BodyPolicy(Kind.BYTES, bytesMax, true);
    }
}
