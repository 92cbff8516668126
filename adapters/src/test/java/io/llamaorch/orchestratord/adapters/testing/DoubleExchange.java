package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.util.Map;

/** One request at a double, and what may be done with it. */
public interface DoubleExchange {
    /** Method and path, without the query. */
    String what();

    /** The query, empty without one. */
    String query();

    /** The head, as it came. */
    String head();

    /** The body, as it came. */
    byte[] body();

    /** Scalar members of the body. */
    default Map<String, String> members() throws IOException {
        return DoubleJson.members(body());
    }

    /** What all connections share. */
    DoubleState state();

    /** Whether the knob's key was given as {@code Authorization: Bearer}; true where no key is set. */
    default boolean isAuthorized() {
        return state().apiKey.isEmpty() || head().contains("Authorization: Bearer " + state().apiKey + "\r\n");
    }

    /** Answers with JSON. */
    void reply(int status, String json);

    /** Answers with a body of that type. */
    void reply(int status, String type, String body);

    /** Answers with a stream, once there is a slot. */
    void stream(DoubleScript script, String prompt, long seed, int limit);
}
