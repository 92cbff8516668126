package io.llamaorch.orchestratord.artifacts.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads JSON strictly into a tree, and writes a tree in canonical form (RFC 8785).
 *
 * <p>A tree is made of {@code TreeMap<String, Object>} (its order, that of UTF-16 code units, is the RFC's),
 * {@code List<Object>}, {@code String}, {@code Double}, {@code Boolean} and {@link #NULL}. Refused as ambiguous: members
 * that stand twice, half surrogate pairs, numbers beyond a double's range, integers that a double would round.
 *
 * <pre>
 *   depth    32 containers            beyond: MalformedJson
 *   number   64 characters            beyond: MalformedJson
 *   name     256 characters           beyond: MalformedJson
 * </pre>
 */
public final class CanonicalJson {
    /** Most containers inside each other. */
    public static final int DEPTH_MAX = 32;

    /** JSON's null. */
    public static final Object NULL = new Object() {
        @Override
        public String toString() {
            return "null";
        }
    };

    private static final int NUMBER_CHARS_MAX = 64;
    private static final int NAME_CHARS_MAX = 256;
    private static final int SHOWN_CHARS_MAX = 40;

    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(DEPTH_MAX)
                    .maxNumberLength(NUMBER_CHARS_MAX)
                    .maxNameLength(NAME_CHARS_MAX)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private CanonicalJson() {}

    /** Reads one JSON value in UTF-8 that fills the buffer; the buffer's position moves to its end. */
    public static Object parse(ByteBuffer utf8) throws MalformedJson {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw new MalformedJson("", "is not UTF-8");
        }
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                throw new MalformedJson("", "is empty");
            }
            Object value = value(parser, "");
            if (parser.nextToken() != null) {
                throw new MalformedJson("", "is followed by something else; send one value alone");
            }
            return value;
        } catch (StreamConstraintsException e) {
            throw new MalformedJson(
                    "",
                    "is nested deeper than " + DEPTH_MAX + ", or holds a number longer than " + NUMBER_CHARS_MAX
                            + " or a name longer than " + NAME_CHARS_MAX + " characters");
        } catch (JsonProcessingException e) {
            long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getCharOffset());
            throw new MalformedJson("", "is not JSON near character " + at);
        } catch (IOException e) {
            throw new IllegalStateException("a string cannot fail to be read", e);
        }
    }

    private static Object value(JsonParser parser, String at) throws IOException, MalformedJson {
        JsonToken token = parser.currentToken();
        return switch (token) {
            case START_OBJECT -> object(parser, at);
            case START_ARRAY -> array(parser, at);
            case VALUE_STRING -> wellFormed(parser.getText(), at);
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser, token, at);
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> NULL;
            default -> throw new MalformedJson(at, "is no JSON value");
        };
    }

    private static Object object(JsonParser parser, String at) throws IOException, MalformedJson {
        Map<String, Object> members = new TreeMap<>();
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            String inside = at + '/' + shown(name);
            wellFormed(name, inside);
            parser.nextToken();
            if (members.put(name, value(parser, inside)) != null) {
                throw new MalformedJson(inside, "stands twice; send it once");
            }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT) {
            throw new MalformedJson(at, "is not JSON: an object does not end");
        }
        return members;
    }

    private static Object array(JsonParser parser, String at) throws IOException, MalformedJson {
        List<Object> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(value(parser, at + '/' + items.size()));
        }
        return items;
    }

    private static Double number(JsonParser parser, JsonToken token, String at) throws IOException, MalformedJson {
        String text = parser.getText();
        double value = Double.parseDouble(text);
        if (Double.isInfinite(value)) {
            throw new MalformedJson(at, "is beyond the range of an IEEE 754 double; send it as a string");
        }
        if (token == JsonToken.VALUE_NUMBER_INT
                && new BigDecimal(value).compareTo(new BigDecimal(new BigInteger(text))) != 0) {
            throw new MalformedJson(at, "is an integer that an IEEE 754 double would round; send it as a string");
        }
        return value;
    }

    private static String wellFormed(String text, String at) throws MalformedJson {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                boolean pair = Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1));
                if (!pair) {
                    throw new MalformedJson(at, "holds half of a surrogate pair");
                }
                i++;
            }
        }
        return text;
    }

    /** A member's name as part of a pointer: short, and visible ASCII alone. */
    private static String shown(String name) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < Math.min(name.length(), SHOWN_CHARS_MAX); i++) {
            char c = name.charAt(i);
            switch (c) {
                case '~' -> out.append("~0");
                case '/' -> out.append("~1");
                default -> out.append(c >= ' ' && c < 127 ? c : '?');
            }
        }
        return out.toString();
    }

    /**
     * The canonical form, in UTF-8.
     *
     * @throws IllegalArgumentException where the tree holds something that no tree is made of
     */
    public static byte[] write(Object tree) {
        StringBuilder out = new StringBuilder(256);
        append(out, tree);
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void append(StringBuilder out, Object value) {
        if (value instanceof Map<?, ?> members) {
            char separator = '{';
            for (Map.Entry<?, ?> member : members.entrySet()) {
                out.append(separator);
                separator = ',';
                string(out, (String) member.getKey());
                append(out.append(':'), member.getValue());
            }
            out.append(members.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> items) {
            char separator = '[';
            for (Object item : items) {
                append(out.append(separator), item);
                separator = ',';
            }
            out.append(items.isEmpty() ? "[]" : "]");
        } else if (value instanceof String text) {
            string(out, text);
        } else if (value instanceof Double number) {
            EcmaNumber.append(out, number);
        } else if (value instanceof Boolean || value == NULL) {
            out.append(value);
        } else {
            throw new IllegalArgumentException("no JSON value: " + value.getClass());
        }
    }

    /** RFC 8785 §3.2.2.2: the short escapes where JSON has them, {@code \\u00xx} in lower case for the other controls. */
    private static void string(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\t' -> out.append("\\t");
                case '\n' -> out.append("\\n");
                case '\f' -> out.append("\\f");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < ' ') {
                        out.append("\\u00")
                                .append(Character.forDigit(c >> 4, 16))
                                .append(Character.forDigit(c & 15, 16));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
