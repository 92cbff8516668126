package io.llamaorch.orchestratord.adapters.process;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Cuts an engine's output into lines as a terminal would show them: ends at LF, CR starts the line again (progress bars),
 * escape sequences and control characters are left out, bytes that are no UTF-8 become U+FFFD. Empty lines are dropped;
 * what a line has beyond the limit is dropped too. Owned by one thread.
 */
final class LogLines {
    private final byte[] line;
    private final Consumer<String> sink;
    private int length;
    private boolean cut;
    private boolean returned;

    /** {@code lineBytesMax} bytes of a line are kept. */
    LogLines(int lineBytesMax, Consumer<String> sink) {
        this.line = new byte[lineBytesMax];
        this.sink = sink;
    }

    /** Takes {@code bytes[0, count)}. */
    void feed(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            byte b = bytes[i];
            if (b == '\n') {
                end();
                continue;
            }
            if (returned) {
                length = 0;
                cut = false;
                returned = false;
            }
            if (b == '\r') {
                returned = true;
            } else if (length < line.length) {
                line[length++] = b;
            } else {
                cut = true;
            }
        }
    }

    /** Ends the line that has not ended. */
    void end() {
        if (length > 0) {
            String text = plain(new String(line, 0, length, StandardCharsets.UTF_8));
            if (!text.isEmpty()) {
                sink.accept(cut ? text + " [cut]" : text);
            }
        }
        length = 0;
        cut = false;
        returned = false;
    }

    private static String plain(String text) {
        StringBuilder out = new StringBuilder(text.length());
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c == '\u001b') {
                i = afterEscape(text, i + 1);
                continue;
            }
            if (c == '\t') {
                out.append(' ');
            } else if (!Character.isISOControl(c) && c != '\u2028' && c != '\u2029') {
                out.append(c);
            }
            i++;
        }
        return out.toString().stripTrailing();
    }

    /** Index after the escape sequence whose ESC stands before {@code from} (ECMA-48 §5.4: parameters, then one final). */
    private static int afterEscape(String text, int from) {
        int i = from;
        if (i < text.length() && text.charAt(i) == '[') {
            i++;
            while (i < text.length() && text.charAt(i) >= 0x20 && text.charAt(i) <= 0x3f) {
                i++;
            }
        }
        return Math.min(i + 1, text.length());
    }
}
