package io.llamaorch.orchestratord.server.json;

import org.jspecify.annotations.Nullable;

/**
 * Writes one JSON value into a {@link ByteSink}; commas are set by itself, names and nesting are the caller's business.
 *
 * <p>Not shared between threads; reused by {@link #clear()}.
 */
public final class JsonWriter {
    private final ByteSink sink;
    private boolean comma;

    public JsonWriter(ByteSink sink) {
        this.sink = sink;
    }

    public ByteSink sink() {
        return sink;
    }

    public JsonWriter clear() {
        sink.clear();
        comma = false;
        return this;
    }

    public JsonWriter beginObject() {
        return open('{');
    }

    public JsonWriter endObject() {
        return close('}');
    }

    public JsonWriter beginArray() {
        return open('[');
    }

    public JsonWriter endArray() {
        return close(']');
    }

    /** A member's name: ASCII that needs no escape. */
    public JsonWriter name(String name) {
        separate();
        sink.octet('"').ascii(name).octet('"').octet(':');
        comma = false;
        return this;
    }

    public JsonWriter value(String text) {
        separate();
        sink.jsonString(text);
        return this;
    }

    public JsonWriter value(long number) {
        separate();
        sink.decimal(number);
        return this;
    }

    /** A finite number; anything else becomes null, which JSON has no number for. */
    public JsonWriter value(double number) {
        separate();
        sink.ascii(Double.isFinite(number) ? Double.toString(number) : "null");
        return this;
    }

    public JsonWriter value(boolean truth) {
        separate();
        sink.ascii(truth ? "true" : "false");
        return this;
    }

    /** A value that already is JSON. */
    public JsonWriter raw(String json) {
        separate();
        sink.utf8(json);
        return this;
    }

    public JsonWriter member(String name, @Nullable String text) {
        return text == null ? this : name(name).value(text);
    }

    public JsonWriter member(String name, long number) {
        return name(name).value(number);
    }

    public JsonWriter member(String name, double number) {
        return name(name).value(number);
    }

    public JsonWriter member(String name, boolean truth) {
        return name(name).value(truth);
    }

    private JsonWriter open(char bracket) {
        separate();
        sink.octet(bracket);
        comma = false;
        return this;
    }

    private JsonWriter close(char bracket) {
        sink.octet(bracket);
        comma = true;
        return this;
    }

    private void separate() {
        if (comma) {
            sink.octet(',');
        }
        comma = true;
    }
}
