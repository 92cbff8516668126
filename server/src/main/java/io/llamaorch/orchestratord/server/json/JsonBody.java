package io.llamaorch.orchestratord.server.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.util.function.Function;

/** What every JSON body must be: one object, strict JSON (RFC 8259) in strict UTF-8, within bounds. */
final class JsonBody {
    static final int DEPTH_MAX = 32;
    static final int NUMBER_CHARS_MAX = 64;
    static final int NAME_CHARS_MAX = 256;

    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(DEPTH_MAX)
                    .maxNumberLength(NUMBER_CHARS_MAX)
                    .maxNameLength(NAME_CHARS_MAX)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private JsonBody() {}

    /**
     * Reads the members of an object; the parser stands on its start.
     *
     * @param <R> what comes of it
     */
    interface Members<R> {
        R read(JsonParser parser) throws IOException;
    }

    /**
     * Reads {@code bytes[0, length)}.
     *
     * @param what the body should be, for messages
     * @param members reads what is inside, and looks for what must not follow
     * @param refused what comes of a body that is no such object
     */
    static <R> R read(byte[] bytes, int length, String what, Members<R> members, Function<ApiError, R> refused) {
        if (length == 0) {
            return refused.apply(error("The body is empty; send " + what + " as JSON."));
        }
        int invalid = Utf8.firstInvalid(bytes, length);
        if (invalid >= 0) {
            return refused.apply(error("The body is not UTF-8 at byte " + invalid + "."));
        }
        if (length >= 3 && bytes[0] == (byte) 0xef && bytes[1] == (byte) 0xbb && bytes[2] == (byte) 0xbf) {
            return refused.apply(error("The body begins with a byte order mark; leave it out."));
        }
        try (JsonParser parser = FACTORY.createParser(bytes, 0, length)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                // Reads on first: a malformed text is told as such.
                parser.skipChildren();
                return refused.apply(error("The body is not a JSON object."));
            }
            return members.read(parser);
        } catch (StreamConstraintsException e) {
            return refused.apply(
                    error("The body is nested deeper than " + DEPTH_MAX + ", or holds a number longer than "
                            + NUMBER_CHARS_MAX + " or a name longer than " + NAME_CHARS_MAX + " characters."));
        } catch (JsonProcessingException e) {
            long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
            return refused.apply(error("The body is not JSON near byte " + at + "."));
        } catch (IOException e) {
            throw new IllegalStateException("an array cannot fail to be read", e);
        }
    }

    /** Something stands behind the object. */
    static ApiError trailing() {
        return error("Something follows the JSON object; send one object alone.");
    }

    private static ApiError error(String message) {
        return ApiError.of(ErrorCode.INVALID_PARAMS, message);
    }
}
