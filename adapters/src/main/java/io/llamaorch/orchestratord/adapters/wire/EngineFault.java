package io.llamaorch.orchestratord.adapters.wire;

import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An error as an engine words it, whichever of the shapes it has (engines.md §5, point 6):
 *
 * <pre>
 *   {"error":{"message","type","code"}}   {"error":"text","error_type":"kind"}   {"object":"error","message","type","code"}
 *   {"detail":"text"}   {"detail":[{"msg":"text"}]}   plain text; each perhaps after "data:"
 * </pre>
 *
 * @param code its {@code code} or {@code http_status_code}, 0 where not said
 * @param type its {@code type} or {@code error_type}, empty where not said
 * @param message its words, empty where there are none; may echo the request
 */
public record EngineFault(int code, String type, String message) {
    /** An error that says nothing. */
    public static final EngineFault WORDLESS = new EngineFault(0, "", "");

    private static final int PLAIN_MAX_BYTES = 4096;

    /** Reads the body of an error answer, or a frame that is known to be an error. */
    public static EngineFault read(byte[] body) {
        String text = new String(body, 0, Math.min(body.length, PLAIN_MAX_BYTES), StandardCharsets.UTF_8).strip();
        boolean framed = text.startsWith("data:");
        byte[] json = framed
                ? new String(body, StandardCharsets.ISO_8859_1)
                        .strip()
                        .substring(5)
                        .getBytes(StandardCharsets.ISO_8859_1)
                : body;
        Reading reading = new Reading();
        if (FrameJson.readObject(json, reading)) {
            return reading.fault();
        }
        return text.startsWith("{") || text.startsWith("<") || framed ? WORDLESS : new EngineFault(0, "", text);
    }

    /** Reads the value of a member {@code error}: an object or a string, the current token of {@code in}. */
    public static EngineFault member(JsonToken value, FrameJson in) throws IOException {
        Reading reading = new Reading();
        if (value == JsonToken.START_OBJECT) {
            in.members(reading);
            return reading.fault();
        }
        return new EngineFault(0, "", in.text());
    }

    /** Whether the words hold {@code part}, given in lower case. */
    public boolean says(String part) {
        return message.toLowerCase(Locale.ROOT).contains(part);
    }

    /**
     * The status that counts: an answer's own, or within a stream (200) the one that the error names, 500 where it names
     * none.
     */
    public int effectiveStatus(int status) {
        boolean named = code >= 400 && code <= 599;
        return status != 200 ? status : named ? code : 500;
    }

    /**
     * The failure that this error is.
     *
     * @param engine how the engine is named in messages
     * @param status of the answer; 200 for a frame within a stream
     * @param as our code for it
     * @param secrets what must not be echoed
     */
    public EngineFailure toFailure(String engine, int status, ErrorCode as, Collection<String> secrets) {
        String where = status == 200 ? "in its stream" : "with status " + status;
        String said = joined(engine + " answered " + where, EngineWords.presentable(message, secrets));
        return new EngineFailure(as, said, as.retriable());
    }

    /** {@code beginning}, such as {@code /health answered 503}, and behind a colon what an error answer's body says. */
    public static String told(String beginning, byte[] body) {
        return joined(beginning, EngineWords.presentable(read(body).message()));
    }

    private static String joined(String beginning, String words) {
        return words.isEmpty() ? beginning : beginning + ": " + words;
    }

    private static final class Reading implements FrameJson.Members {
        private int code;
        private String type = "";
        private String message = "";
        private @Nullable EngineFault inner;

        @Override
        public void member(String name, JsonToken value, FrameJson in) throws IOException {
            switch (name) {
                case "error" -> {
                    if (value == JsonToken.START_OBJECT || value == JsonToken.VALUE_STRING) {
                        inner = EngineFault.member(value, in);
                    }
                }
                case "code", "http_status_code" -> code = in.integer(code);
                case "type", "error_type" -> type = in.text();
                case "message", "msg" -> message = in.text();
                case "detail" -> detail(value, in);
                default -> {}
            }
        }

        private void detail(JsonToken value, FrameJson in) throws IOException {
            if (value == JsonToken.VALUE_STRING) {
                message = in.text();
            } else if (value == JsonToken.START_ARRAY) {
                in.elements((element, array) -> {
                    if (element == JsonToken.START_OBJECT && message.isEmpty()) {
                        array.members(this);
                    }
                });
            }
        }

        EngineFault fault() {
            EngineFault error = inner;
            return error == null
                    ? new EngineFault(code, type, message)
                    : new EngineFault(
                            error.code == 0 ? code : error.code,
                            error.type.isEmpty() ? type : error.type,
                            error.message.isEmpty() ? message : error.message);
        }
    }
}
