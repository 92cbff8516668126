package io.llamaorch.orchestratord.server.json;

import com.fasterxml.jackson.core.JsonParser;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bodies of {@code POST /v1/pools/{id}/drain} and {@code …/reload}, as strictly as {@link TaskRequestReader}
 * reads tasks. Stateless.
 */
public final class PoolRequestReader {
    /** Longest time that a drain or reload may take, ms: a day. */
    private static final long DEADLINE_MAX_MS = 86_400_000;

    private static final int DEADLINE = 0;
    private static final int MODEL = 1;

    private PoolRequestReader() {}

    /**
     * What came of a body.
     *
     * @param deadlineMs how long it may take, ms; −1 where the body does not say
     * @param modelRef the model to load, empty for a drain
     * @param error why the body was refused, null where it was not
     */
    public record Result(long deadlineMs, String modelRef, @Nullable ApiError error) {
        private static Result refused(ApiError error) {
            return new Result(-1, "", error);
        }
    }

    /** {@code {"deadline_ms": n}}. */
    public static Result drain(ByteBuf body) {
        return read(body, "a DrainRequest", false);
    }

    /** {@code {"new_model_ref": "…", "deadline_ms": n}}, the latter optional. */
    public static Result reload(ByteBuf body) {
        return read(body, "a ReloadRequest", true);
    }

    private static Result read(ByteBuf body, String what, boolean isReload) {
        byte[] bytes = ByteBufUtil.getBytes(body);
        return JsonBody.read(bytes, bytes.length, what, parser -> members(parser, isReload), Result::refused);
    }

    private static Result members(JsonParser parser, boolean isReload) throws IOException {
        JsonInput in = new JsonInput(parser);
        long deadlineMs = -1;
        String modelRef = "";
        long seen = 0;
        for (String name = in.nextMember(); name != null; name = in.nextMember()) {
            boolean isDeadline = name.equals("deadline_ms");
            String pointer = isDeadline ? "/deadline_ms" : "/new_model_ref";
            boolean known = isDeadline || (isReload && name.equals("new_model_ref"));
            if (known) {
                seen = in.once(seen, isDeadline ? DEADLINE : MODEL, pointer);
            }
            boolean read = known
                    ? seen >= 0 && (isDeadline ? in.integer(pointer, 0, DEADLINE_MAX_MS) : modelRef(in, pointer))
                    : in.unknown("", name);
            if (!read) {
                return Result.refused(in.refusal());
            }
            if (isDeadline) {
                deadlineMs = in.integer();
            } else {
                modelRef = in.text();
            }
        }
        if (parser.nextToken() != null) {
            return Result.refused(JsonBody.trailing());
        }
        if (isReload ? modelRef.isEmpty() : deadlineMs < 0) {
            in.refuse(isReload ? "/new_model_ref" : "/deadline_ms", "is missing", "missing");
            return Result.refused(in.refusal());
        }
        return new Result(deadlineMs, modelRef, null);
    }

    private static boolean modelRef(JsonInput in, String pointer) throws IOException {
        if (!in.string(pointer, 1, ModelRefs.CHARS_MAX)) {
            return false;
        }
        String problem = ModelRefs.problem(in.text());
        return problem == null || in.refuse(pointer, problem, "malformed");
    }
}
