package io.llamaorch.orchestratord.adapters.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Reads what an engine sent with jackson-core: the slow path for last frames, errors and whatever a {@link FrameScanner}
 * does not accept, and the answers of probes.
 *
 * <p>Bytes are shown to jackson one char each (ISO 8859-1), so that it checks the structure and tells where a string lies
 * whatever bytes that holds; text for clients is left to {@link JsonTextJoiner}. A key given twice counts as given last.
 */
public final class FrameJson {
    /** Most digits, depth and text that a frame may have. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(16 << 20)
                    .maxNestingDepth(64)
                    .build())
            .build();

    /** Told of each member of an object. It may read the value, or leave it. */
    @FunctionalInterface
    public interface Members {
        /**
         * One member.
         *
         * @param value first token of its value, the current one of {@code in}
         */
        void member(String name, JsonToken value, FrameJson in) throws IOException;
    }

    /** Told of each element of an array. It may read it, or leave it. */
    @FunctionalInterface
    public interface Elements {
        /** One element; as {@link Members#member}. */
        void element(JsonToken value, FrameJson in) throws IOException;
    }

    private final JsonParser p;
    private final byte[] bytes;
    private int from = -1;
    private int to = -1;

    private FrameJson(JsonParser p, byte[] bytes) {
        this.p = p;
        this.bytes = bytes;
    }

    /** Tells {@code each} the members of the object in {@code bytes}; false where they are not one JSON object. */
    public static boolean readObject(byte[] bytes, Members each) {
        return read(bytes, JsonToken.START_OBJECT, in -> in.members(each));
    }

    /** Tells {@code each} the elements of the array in {@code bytes}; false where they are not one JSON array. */
    public static boolean readArray(byte[] bytes, Elements each) {
        return read(bytes, JsonToken.START_ARRAY, in -> in.elements(each));
    }

    @FunctionalInterface
    private interface Body {
        void read(FrameJson in) throws IOException;
    }

    private static boolean read(byte[] bytes, JsonToken start, Body body) {
        char[] chars = new String(bytes, StandardCharsets.ISO_8859_1).toCharArray();
        try (JsonParser p = JSON.createParser(chars)) {
            if (p.nextToken() != start) {
                return false;
            }
            body.read(new FrameJson(p, bytes));
            return p.nextToken() == null;
        } catch (IOException | RuntimeException e) {
            // Jackson refuses with unchecked exceptions too; whatever it is, these bytes are no frame.
            return false;
        }
    }

    /** Reads the object whose start is the current token. */
    public void members(Members each) throws IOException {
        while (p.nextToken() != JsonToken.END_OBJECT) {
            String name = p.currentName();
            each.member(name, p.nextToken(), this);
            p.skipChildren();
        }
    }

    /** Reads the array whose start is the current token. */
    public void elements(Elements each) throws IOException {
        JsonToken value = p.nextToken();
        while (value != JsonToken.END_ARRAY) {
            each.element(value, this);
            p.skipChildren();
            value = p.nextToken();
        }
    }

    /** Finds where the string that is the current token lies, still escaped: {@link #from}, {@link #to}. */
    public void locate() throws IOException {
        from = (int) p.currentTokenLocation().getCharOffset() + 1;
        to = JsonText.closingQuote(bytes, from, bytes.length);
        p.finishToken();
    }

    /** Start of the inside of the string last located, in the bytes given. */
    public int from() {
        return from;
    }

    /** Its end, exclusive. */
    public int to() {
        return to;
    }

    /** The current token as text for people; empty where it is no string. */
    public String text() throws IOException {
        if (p.currentToken() != JsonToken.VALUE_STRING) {
            return "";
        }
        // Raw bytes came as one char each; escapes past U+00FF are lost as '?', which is fine for a message.
        return new String(p.getText().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    /** The current token as a figure of −1 … 2^31−1; {@code otherwise} where it is none. */
    public int integer(int otherwise) throws IOException {
        double number = number();
        return number >= -1 && number <= Integer.MAX_VALUE ? (int) number : otherwise;
    }

    /** The current token as a number, NaN where it is none. */
    public double number() throws IOException {
        return p.currentToken().isNumeric() ? p.getDoubleValue() : Double.NaN;
    }
}
