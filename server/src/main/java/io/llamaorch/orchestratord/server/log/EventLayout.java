package io.llamaorch.orchestratord.server.log;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.UUID;
import org.apache.logging.log4j.core.LogEvent;
import org.jspecify.annotations.Nullable;

/**
 * One event as one line: JSON, or text for people. Owned by the log's thread.
 *
 * <p>In both, nothing in a value can end the line or start a terminal sequence: control characters are escaped. A text
 * value is cut at {@value #VALUE_MAX} characters, a stack trace at {@value #TRACE_MAX} frames.
 */
final class EventLayout {
    /** Longest value, characters. */
    static final int VALUE_MAX = 4_096;
    /** Most frames of a stack trace. */
    static final int TRACE_MAX = 40;

    private static final DateTimeFormatter SECOND =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final boolean json;
    private long second = Long.MIN_VALUE;
    private String secondText = "";

    EventLayout(boolean json) {
        this.json = json;
    }

    /** Appends {@code event} and a newline. */
    void append(StringBuilder out, LogEvent event) {
        if (json) {
            json(out, event);
        } else {
            text(out, event);
        }
        out.append('\n');
    }

    /** Appends an event that did not come through log4j, as JSON, and a newline. */
    void append(StringBuilder out, long timeMs, String level, EventMessage message) {
        head(out, timeMs, level);
        fields(out, message);
        out.append("}\n");
    }

    private void head(StringBuilder out, long timeMs, String level) {
        out.append("{\"ts\":\"");
        timestamp(out, timeMs);
        out.append("\",\"level\":\"").append(level);
    }

    private static void fields(StringBuilder out, EventMessage message) {
        out.append("\",\"event\":\"").append(message.event()).append("\",\"human\":\"");
        escape(out, message.human());
        out.append('"');
        for (int i = 0; i < message.size(); i++) {
            out.append(",\"").append(message.name(i)).append("\":");
            value(out, message.value(i));
        }
    }

    private void json(StringBuilder out, LogEvent event) {
        head(out, event.getTimeMillis(), level(event));
        if (event.getMessage() instanceof EventMessage message) {
            fields(out, message);
        } else {
            out.append("\",\"event\":\"library\",\"human\":\"");
            escape(out, event.getMessage().getFormattedMessage());
            out.append("\",\"logger\":\"");
            escape(out, String.valueOf(event.getLoggerName()));
            out.append('"');
        }
        Throwable thrown = event.getThrown();
        if (thrown != null) {
            out.append(",\"exception\":\"");
            escape(out, trace(thrown));
            out.append('"');
        }
        out.append('}');
    }

    private void text(StringBuilder out, LogEvent event) {
        timestamp(out, event.getTimeMillis());
        out.append(' ').append(level(event)).append(' ');
        if (event.getMessage() instanceof EventMessage message) {
            escape(out, message.human());
            out.append("  [").append(message.event());
            for (int i = 0; i < message.size(); i++) {
                out.append(' ').append(message.name(i)).append('=');
                value(out, message.value(i));
            }
            out.append(']');
        } else {
            escape(out, event.getMessage().getFormattedMessage());
            out.append("  [library logger=");
            escape(out, String.valueOf(event.getLoggerName()));
            out.append(']');
        }
        Throwable thrown = event.getThrown();
        if (thrown != null) {
            out.append(' ');
            escape(out, trace(thrown));
        }
    }

    private void timestamp(StringBuilder out, long epochMs) {
        long now = Math.floorDiv(epochMs, 1_000L);
        if (now != second) {
            second = now;
            secondText = SECOND.format(Instant.ofEpochSecond(now));
        }
        int ms = (int) Math.floorMod(epochMs, 1_000L);
        out.append(secondText).append('.');
        out.append((char) ('0' + ms / 100)).append((char) ('0' + ms / 10 % 10)).append((char) ('0' + ms % 10));
        out.append('Z');
    }

    private static String level(LogEvent event) {
        return event.getLevel().name();
    }

    private static void value(StringBuilder out, Object value) {
        if (value instanceof Integer || value instanceof Long || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Double number) {
            if (Double.isFinite(number)) {
                out.append(Math.round(number * 1_000) / 1_000.0);
            } else {
                out.append("null");
            }
        } else if (value instanceof UUID) {
            out.append('"').append(value).append('"');
        } else {
            out.append('"');
            escape(out, value.toString());
            out.append('"');
        }
    }

    /** JSON's escapes; also DEL, C1 controls and line separators, so that no terminal or tool is led astray. */
    private static void escape(StringBuilder out, String text) {
        int length = Math.min(text.length(), VALUE_MAX);
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c >= ' ' && c < 0x7f) {
                out.append(c);
            } else if (c == '\n') {
                out.append("\\n");
            } else if (c < 0xa0 || c == 0x2028 || c == 0x2029 || loneSurrogate(text, i, length)) {
                out.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(Character.forDigit((c >> shift) & 0xf, 16));
                }
            } else {
                out.append(c);
            }
        }
        if (length < text.length()) {
            out.append('…');
        }
    }

    private static boolean loneSurrogate(String text, int i, int length) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 >= length || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }

    /** A stack of at most {@value #TRACE_MAX} frames, one a line; empty for none. */
    static String frames(StackTraceElement[] stack) {
        StringBuilder out = new StringBuilder(1_024);
        for (int i = 0; i < Math.min(TRACE_MAX, stack.length); i++) {
            out.append(i == 0 ? "at " : "\n  at ").append(stack[i]);
        }
        return out.toString();
    }

    private static String trace(Throwable thrown) {
        StringBuilder out = new StringBuilder(1_024);
        int frames = 0;
        int causes = 0;
        for (@Nullable Throwable t = thrown; t != null && causes < 5; t = t.getCause()) {
            out.append(causes++ == 0 ? "" : "caused by ").append(t).append('\n');
            for (StackTraceElement frame : t.getStackTrace()) {
                if (frames++ >= TRACE_MAX) {
                    break;
                }
                out.append("  at ").append(frame).append('\n');
            }
        }
        return out.toString();
    }
}
