package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a route does with a request's body.
 *
 * @param kind which media types it reads
 * @param bytesMax longest body, 0 for the default of {@link HttpLimits#bodyBytesMax()}
 * @param required whether a request without a body is refused with 411
 * @param types of {@link Kind#BYTES}: whether a media type (type and subtype, in lower case) is taken besides JSON
 * @param room asked before a body is read; null where any may come
 */
public record BodyPolicy(Kind kind, int bytesMax, boolean required, Predicate<String> types, @Nullable Room room) {
    /** Says whether there is room for one more body. Any thread; never waits. */
    public interface Room {
        /** Takes room for so many bytes, or says why not. */
        @Nullable
        ApiError take(int bytes);

        /** Gives it back, once, when the request is answered or its client has left. */
        void giveBack(int bytes);
    }

    /** Which media types a route reads. */
    public enum Kind {
        /** None: a short body is read and dropped. */
        NONE,
        /** {@code application/json}, or no Content-Type. */
        JSON,
        /** JSON, and what the route's {@link BodyPolicy#types()} names. */
        BYTES
    }

    /** No body. */
    public static final BodyPolicy NONE = new BodyPolicy(Kind.NONE, 0, false, type -> false, null);
    /** A JSON body of the default length. */
    public static final BodyPolicy JSON = new BodyPolicy(Kind.JSON, 0, true, type -> false, null);
    /** The same, which may be left out: the handler then sees no bytes. */
    public static final BodyPolicy OPTIONAL_JSON = new BodyPolicy(Kind.JSON, 0, false, type -> false, null);

    /** JSON up to its own length. */
    public static BodyPolicy json(int bytesMax) {
        return new BodyPolicy(Kind.JSON, bytesMax, true, type -> false, null);
    }

    /** Bytes of some types up to their own length, where there is room. */
    public static BodyPolicy bytes(int bytesMax, Predicate<String> types, Room room) {
        return new BodyPolicy(Kind.BYTES, bytesMax, true, types, room);
    }
}
