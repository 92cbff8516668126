package io.llamaorch.orchestratord.server.json;

import com.fasterxml.jackson.core.JsonParser;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec.Digest;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of {@code POST /v1/tasks}: strict JSON (RFC 8259) in strict UTF-8, straight into a {@link TaskRequest}.
 *
 * <table>
 * <caption>Limits; what passes them is INVALID_PARAMS with the JSON pointer</caption>
 * <tr><th>what</th><th>most</th></tr>
 * <tr><td>nesting</td><td>{@value JsonBody#DEPTH_MAX}</td></tr>
 * <tr><td>a number</td><td>{@value JsonBody#NUMBER_CHARS_MAX} characters</td></tr>
 * <tr><td>a name</td><td>{@value JsonBody#NAME_CHARS_MAX} characters</td></tr>
 * <tr><td>{@code stop}</td><td>16 strings of 1 to 256 characters</td></tr>
 * <tr><td>{@code inputs}</td><td>2,048 strings</td></tr>
 * <tr><td>a list of pools</td><td>256 ids of 1 to 128 characters</td></tr>
 * <tr><td>everything</td><td>what the route takes as a body</td></tr>
 * </table>
 *
 * <p>Refused too: unknown and duplicate members, null, fractions for integers, lone surrogates, a byte order mark,
 * anything behind the object. The first fault in the order of the text is told, then what is missing, then {@code
 * DEADLINE_UNMET}. One per thread: keeps scratch space.
 */
public final class TaskRequestReader {
    private static final Digest NO_DIGEST = new Digest(0, 0);

    /**
     * What came of a body: a request, or an error.
     *
     * @param request what was asked, null where refused
     * @param digest of the request
     * @param promptBytes UTF-8 bytes of prompt or inputs
     * @param error why the body was refused, null where it was not
     */
    public record Result(@Nullable TaskRequest request, Digest digest, int promptBytes, @Nullable ApiError error) {}

    private final TaskDigest digest = new TaskDigest();
    private byte[] scratch = new byte[16 << 10];

    /** Reads {@code body}'s readable bytes; its indices stay. */
    public Result read(ByteBuf body) {
        int length = body.readableBytes();
        if (scratch.length < length || scratch.length > Math.max(ByteSink.KEPT_BYTES_MAX, length)) {
            scratch = new byte[Math.max(length, 16 << 10)];
        }
        body.getBytes(body.readerIndex(), scratch, 0, length);
        return read(scratch, length);
    }

    /** Reads {@code bytes[0, length)}. */
    public Result read(byte[] bytes, int length) {
        return JsonBody.read(bytes, length, "a TaskRequest", this::read, TaskRequestReader::refused);
    }

    private Result read(JsonParser parser) throws IOException {
        JsonInput in = new JsonInput(parser);
        TaskMembers members = new TaskMembers(in);
        if (!members.readAll()) {
            return refused(in.refusal());
        }
        if (parser.nextToken() != null) {
            return refused(JsonBody.trailing());
        }
        TaskRequest request = members.build();
        if (request == null) {
            return refused(in.refusal());
        }
        if (request.deadlineMs() <= 0) {
            return new Result(
                    null,
                    NO_DIGEST,
                    0,
                    ApiError.of(
                            ErrorCode.DEADLINE_UNMET,
                            "/deadline_ms " + request.deadlineMs() + " leaves no time; it must be 1 or more.",
                            "/deadline_ms",
                            Long.toString(request.deadlineMs())));
        }
        Digest value = digest.of(request);
        return new Result(request, value, digest.promptBytes(), null);
    }

    private static Result refused(ApiError error) {
        return new Result(null, NO_DIGEST, 0, error);
    }
}
