package io.llamaorch.orchestratord.adapters.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Reading a frame with jackson-core where {@link JsonWalk} would not: last frames, errors, whatever is odd.
 *
 * <p>Bytes are shown to jackson one char each (ISO 8859-1), so that it checks the structure and tells where a string lies
 * whatever bytes that holds; text is left to {@link JsonTextJoiner}.
 */
public final class FrameJson {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(16 << 20)
                    .maxNestingDepth(64)
                    .build())
            .build();

    private FrameJson() {}

    /** A parser of {@code bytes}, before its first token. */
    public static JsonParser parser(byte[] bytes) throws IOException {
        return JSON.createParser(new String(bytes, StandardCharsets.ISO_8859_1).toCharArray());
    }

    /** Index of the first inner byte of the string that {@code p} stands at; call before its text is asked for. */
    public static int stringFrom(JsonParser p) {
        return (int) p.currentTokenLocation().getCharOffset() + 1;
    }

    /** The string that {@code p} stands at, empty where it stands at something else. Meant for messages. */
    public static String text(JsonParser p) throws IOException {
        if (p.currentToken() != JsonToken.VALUE_STRING) {
            return "";
        }
        // Raw bytes came as one char each; escapes past U+00FF are lost as '?', which is fine for a message.
        return new String(p.getText().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    /** The number that {@code p} stands at, −1 … 2^31−1, or {@code otherwise}. */
    public static int integer(JsonParser p, int otherwise) throws IOException {
        if (!p.currentToken().isNumeric()) {
            return otherwise;
        }
        double number = p.getDoubleValue();
        return number >= -1 && number <= Integer.MAX_VALUE ? (int) number : otherwise;
    }
}
