package io.llamaorch.orchestratord.adapters.testing;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** As much JSON as the double needs. */
final class DoubleJson {
    private static final JsonFactory JSON = new JsonFactory();

    private DoubleJson() {}

    /** Scalar members of the object, as text. */
    static Map<String, String> members(byte[] body) throws IOException {
        Map<String, String> out = new LinkedHashMap<>();
        try (JsonParser p = JSON.createParser(body)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("not an object");
            }
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (value.isScalarValue()) {
                    out.put(name, p.getText());
                }
                p.skipChildren();
            }
        }
        return out;
    }

    /** The strings of the array {@code name} of the object; empty without one. */
    static List<String> strings(byte[] body, String name) throws IOException {
        List<String> out = new ArrayList<>();
        try (JsonParser p = JSON.createParser(body)) {
            p.nextToken();
            while (p.nextToken() != JsonToken.END_OBJECT) {
                boolean wanted = p.currentName().equals(name);
                if (p.nextToken() == JsonToken.START_ARRAY && wanted) {
                    while (p.nextToken() != JsonToken.END_ARRAY) {
                        out.add(p.getText());
                    }
                }
                p.skipChildren();
            }
        }
        return out;
    }

    /** Whether the object has a member of that name. */
    static boolean has(byte[] body, String name) throws IOException {
        boolean found = false;
        try (JsonParser p = JSON.createParser(body)) {
            p.nextToken();
            while (p.nextToken() != JsonToken.END_OBJECT) {
                found |= p.currentName().equals(name);
                p.nextToken();
                p.skipChildren();
            }
        }
        return found;
    }

    /** Scalars at any depth as text, by their path, such as {@code parameters.stop.0}. */
    static Map<String, String> paths(byte[] body) throws IOException {
        Map<String, String> out = new LinkedHashMap<>();
        try (JsonParser p = JSON.createParser(body)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("not an object");
            }
            read(p, "", out);
        }
        return out;
    }

    private static void read(JsonParser p, String path, Map<String, String> out) throws IOException {
        boolean array = p.currentToken() == JsonToken.START_ARRAY;
        for (int i = 0; ; i++) {
            JsonToken value = p.nextToken();
            if (value == JsonToken.END_ARRAY || value == JsonToken.END_OBJECT) {
                return;
            }
            String name = path + (array ? String.valueOf(i) : p.currentName());
            if (!array) {
                value = p.nextToken();
            }
            if (value.isStructStart()) {
                out.put(name, "");
                read(p, name + ".", out);
            } else {
                out.put(name, p.getText());
            }
        }
    }

    /** What the inside of a JSON string means. */
    static String unescape(String inside) throws IOException {
        try (JsonParser p = JSON.createParser("\"" + inside + "\"")) {
            p.nextToken();
            return p.getText();
        }
    }

    static String escape(String text) {
        return new String(JsonStringEncoder.getInstance().quoteAsString(text));
    }
}
