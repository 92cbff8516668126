package io.llamaorch.orchestratord.server.log;

import java.util.Arrays;
import org.apache.logging.log4j.message.AsynchronouslyFormattable;
import org.apache.logging.log4j.message.Message;
import org.apache.logging.log4j.util.StringBuilderFormattable;
import org.jspecify.annotations.Nullable;

/**
 * One event: its name, its sentence and its fields in order. Filled by the thread that logs, then handed over and never
 * changed again; formatted on the log's thread.
 */
@AsynchronouslyFormattable
final class EventMessage implements Message, StringBuilderFormattable {
    private static final long serialVersionUID = 1L;
    private static final int FIELDS = 24;

    private final String event;
    private final String human;
    private transient @Nullable Object[] fields = new Object[FIELDS * 2];
    private int used;

    EventMessage(String event, String human) {
        this.event = event;
        this.human = human;
    }

    /** Adds a field; null and the empty string are left out. Values: text, numbers, booleans, UUIDs. */
    EventMessage with(String name, @Nullable Object value) {
        if (value == null || "".equals(value)) {
            return this;
        }
        if (used == fields.length) {
            fields = Arrays.copyOf(fields, used * 2);
        }
        fields[used++] = name;
        fields[used++] = value;
        return this;
    }

    String event() {
        return event;
    }

    String human() {
        return human;
    }

    int size() {
        return used / 2;
    }

    String name(int index) {
        return String.valueOf(fields[2 * index]);
    }

    Object value(int index) {
        Object value = fields[2 * index + 1];
        return value == null ? "" : value;
    }

    @Override
    public void formatTo(StringBuilder out) {
        out.append(event).append(": ").append(human);
    }

    @Override
    public String getFormattedMessage() {
        return event + ": " + human;
    }

    @Override
    public @Nullable Object[] getParameters() {
        return new Object[0];
    }

    @Override
    public @Nullable Throwable getThrowable() {
        return null;
    }
}
