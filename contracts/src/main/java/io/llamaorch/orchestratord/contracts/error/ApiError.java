package io.llamaorch.orchestratord.contracts.error;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One refusal or failure, as the envelope of the contract carries it (without the correlation id, which belongs to
 * the exchange).
 *
 * @param code what kind of error
 * @param message what was wrong, where, and what to do next; never a prompt or a key
 * @param engine wire name of the engine concerned
 * @param poolId pool concerned
 * @param retriable whether the same request may succeed later
 * @param retryAfterMs when to come back, ms from now; negative where it is not known
 * @param policyLabel which limit or policy refused
 * @param details further facts, one {@code name} and {@code value} each
 */
public record ApiError(
        ErrorCode code,
        String message,
        @Nullable String engine,
        @Nullable String poolId,
        boolean retriable,
        long retryAfterMs,
        @Nullable String policyLabel,
        List<Detail> details) {

    /** No figure is known for when to come back. */
    public static final long NO_RETRY_AFTER = -1;

    /**
     * One further fact of an error.
     *
     * @param name a JSON pointer into the request, or the name of a figure such as {@code predicted_end_ms}
     * @param value the fact, as text
     */
    public record Detail(String name, String value) {}

    /** An error with the code's own defaults and nothing beside a message. */
    public static ApiError of(ErrorCode code, String message) {
        return new ApiError(code, message, null, null, code.retriable(), NO_RETRY_AFTER, null, List.of());
    }

    /** The same with one detail, such as the JSON pointer of the member at fault. */
    public static ApiError of(ErrorCode code, String message, String detailName, String detailValue) {
        return new ApiError(
                code,
                message,
                null,
                null,
                code.retriable(),
                NO_RETRY_AFTER,
                null,
                List.of(new Detail(detailName, detailValue)));
    }

    /** The same with a time to come back, ms from now. */
    public ApiError retryAfterMs(long ms) {
        return new ApiError(code, message, engine, poolId, retriable, ms, policyLabel, details);
    }

    /** The same, naming the pool and its engine. */
    public ApiError at(@Nullable String engineName, @Nullable String pool) {
        return new ApiError(code, message, engineName, pool, retriable, retryAfterMs, policyLabel, details);
    }

    /** The same, naming the limit or policy that refused. */
    public ApiError by(String label) {
        return new ApiError(code, message, engine, poolId, retriable, retryAfterMs, label, details);
    }

    /** The same with other details. */
    public ApiError with(List<Detail> newDetails) {
        return new ApiError(
                code, message, engine, poolId, retriable, retryAfterMs, policyLabel, List.copyOf(newDetails));
    }
}
