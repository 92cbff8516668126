package io.llamaorch.orchestratord.server.json;

import com.fasterxml.jackson.core.JsonParser;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.server.config.Config.LogLevel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the body of {@code POST /v1/admin/log-level}, {@code {"level": "debug", "for_ms": n}}. Stateless. */
public final class LogLevelReader {
    /** How long a level holds where the body does not say, ms. */
    public static final long FOR_MS = 600_000;

    private static final long FOR_MAX_MS = 86_400_000;
    private static final int LEVEL = 0;
    private static final int FOR = 1;

    private LogLevelReader() {}

    /**
     * What came of a body.
     *
     * @param level as asked for; {@code OFF} where the body was refused
     * @param forMs how long it is to hold, ms
     * @param error why the body was refused, null where it was not
     */
    public record Result(LogLevel level, long forMs, @Nullable ApiError error) {
        private static Result refused(ApiError error) {
            return new Result(LogLevel.OFF, 0, error);
        }
    }

    /** Reads it, as strictly as every other body. */
    public static Result read(ByteBuf body) {
        byte[] bytes = ByteBufUtil.getBytes(body);
        return JsonBody.read(bytes, bytes.length, "a LogLevelRequest", LogLevelReader::members, Result::refused);
    }

    private static Result members(JsonParser parser) throws IOException {
        JsonInput in = new JsonInput(parser);
        LogLevel level = null;
        long forMs = FOR_MS;
        long seen = 0;
        for (String name = in.nextMember(); name != null; name = in.nextMember()) {
            boolean read;
            if (name.equals("level")) {
                seen = in.once(seen, LEVEL, "/level");
                read = seen >= 0 && in.string("/level", 1, 16);
                level = read ? level(in.text()) : null;
                read = read && (level != null || in.refuse("/level", "must be one of " + words(), "unknown"));
            } else if (name.equals("for_ms")) {
                seen = in.once(seen, FOR, "/for_ms");
                read = seen >= 0 && in.integer("/for_ms", 1, FOR_MAX_MS);
                forMs = in.integer();
            } else {
                read = in.unknown("", name);
            }
            if (!read) {
                return Result.refused(in.refusal());
            }
        }
        if (parser.nextToken() != null) {
            return Result.refused(JsonBody.trailing());
        }
        if (level == null) {
            in.refuse("/level", "is missing", "missing");
            return Result.refused(in.refusal());
        }
        return new Result(level, forMs, null);
    }

    private static @Nullable LogLevel level(String word) {
        for (LogLevel level : LogLevel.values()) {
            if (word(level).equals(word)) {
                return level;
            }
        }
        return null;
    }

    /** The word of a level, as the configuration has it. */
    public static String word(LogLevel level) {
        return level.name().toLowerCase(Locale.ROOT);
    }

    private static String words() {
        return Arrays.stream(LogLevel.values()).map(LogLevelReader::word).collect(Collectors.joining(", "));
    }
}
