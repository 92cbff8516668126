package io.llamaorch.orchestratord.adapters.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Writes the members of a request's JSON object; what all engines' bodies have in common is here as static methods. */
@FunctionalInterface
public interface JsonBody {
    /** Shared by all bodies: immutable. */
    JsonFactory JSON = new JsonFactory();

    /**
     * Writes the members, between the object's braces.
     *
     * @throws IOException where the request can't be written, such as a schema that is not JSON
     */
    void writeMembers(JsonGenerator g) throws IOException;

    /**
     * The body's bytes, which the caller releases.
     *
     * @param lengthHint about how long it will be, bytes
     */
    default ByteBuf write(ByteBufAllocator allocator, int lengthHint) throws IOException {
        ByteBuf out = allocator.buffer(lengthHint);
        boolean written = false;
        try (OutputStream stream = new ByteBufOutputStream(out);
                JsonGenerator g = JSON.createGenerator(stream)) {
            g.writeStartObject();
            writeMembers(g);
            g.writeEndObject();
            written = true;
        } finally {
            if (!written) {
                out.release();
            }
        }
        return out;
    }

    /** Writes a text, with lone surrogates as U+FFFD. */
    static void text(JsonGenerator g, String name, String text) throws IOException {
        g.writeStringField(name, paired(text));
    }

    /** Writes a number, unless it is NaN. */
    static void number(JsonGenerator g, String name, double value) throws IOException {
        if (!Double.isNaN(value)) {
            g.writeNumberField(name, value);
        }
    }

    /** Writes an array of texts, unless there are none. */
    static void texts(JsonGenerator g, String name, Collection<String> texts) throws IOException {
        if (!texts.isEmpty()) {
            g.writeArrayFieldStart(name);
            for (String text : texts) {
                g.writeString(paired(text));
            }
            g.writeEndArray();
        }
    }

    /** Writes a member whose value is given as JSON. */
    static void json(JsonGenerator g, String name, String json) throws IOException {
        g.writeFieldName(name);
        try (JsonParser value = JSON.createParser(json)) {
            value.nextToken();
            g.copyCurrentStructure(value);
        }
    }

    /** Whether {@code json} is one JSON object. */
    static boolean isObject(@Nullable String json) {
        if (json == null) {
            return false;
        }
        try (JsonParser p = JSON.createParser(json)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            p.skipChildren();
            return p.nextToken() == null;
        } catch (IOException e) {
            return false;
        }
    }

    /** {@code text} with each lone surrogate as U+FFFD: it has no UTF-8. */
    static String paired(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            StringBuilder out = new StringBuilder(text.length());
            text.codePoints().forEach(p -> out.appendCodePoint(p >= 0xd800 && p < 0xe000 ? 0xfffd : p));
            return out.toString();
        }
        return text;
    }
}
