package io.llamaorch.orchestratord.llamaworker.schema;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON value in memory: {@code Map}, {@code List}, {@code String}, or a {@link Literal}. Members keep their order.
 *
 * <p>How deep and long it may be is the parser's limit.
 */
final class SchemaTree {
    private SchemaTree() {}

    /** A number, {@code true}, {@code false} or {@code null}, as it was written. */
    record Literal(String text) {}

    /** Reads the value that {@code p} is at. */
    static Object read(JsonParser p) throws IOException {
        return switch (p.currentToken()) {
            case START_OBJECT -> members(p);
            case START_ARRAY -> elements(p);
            case VALUE_STRING -> p.getText();
            default -> new Literal(p.getText());
        };
    }

    private static Map<String, Object> members(JsonParser p) throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        while (p.nextToken() != JsonToken.END_OBJECT) {
            String name = p.currentName();
            p.nextToken();
            members.put(name, read(p));
        }
        return members;
    }

    private static List<Object> elements(JsonParser p) throws IOException {
        List<Object> elements = new ArrayList<>();
        while (p.nextToken() != JsonToken.END_ARRAY) {
            elements.add(read(p));
        }
        return elements;
    }

    /** Writes the value as JSON without blanks. */
    static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> members) {
            out.append('{');
            members.forEach((name, member) -> {
                separate(out, '{');
                string(String.valueOf(name), out);
                out.append(':');
                write(member, out);
            });
            out.append('}');
        } else if (value instanceof List<?> elements) {
            out.append('[');
            elements.forEach(element -> {
                separate(out, '[');
                write(element, out);
            });
            out.append(']');
        } else if (value instanceof Literal literal) {
            out.append(literal.text());
        } else {
            string(value.toString(), out);
        }
    }

    private static void separate(StringBuilder out, char open) {
        if (out.charAt(out.length() - 1) != open) {
            out.append(',');
        }
    }

    private static void string(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                out.append("\\u").append(Character.forDigit(c >> 12, 16));
                out.append(Character.forDigit(c >> 8 & 15, 16));
                out.append(Character.forDigit(c >> 4 & 15, 16));
                out.append(Character.forDigit(c & 15, 16));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
