package io.llamaorch.orchestratord.adapters.wire;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads samples out of the Prometheus text format 0.0.4 ({@code name{label="value",…} number [timestamp]}), a line each.
 * What is not a sample is passed over.
 */
public final class MetricsText {
    private MetricsText() {}

    /** Told of each sample. */
    public interface Listener {
        /**
         * One sample.
         *
         * @param name whole name of the metric: compare it whole, for engines have longer ones with the same start
         * @param labels what stood between the braces, empty where there were none; see {@link #label}
         */
        void onSample(String name, String labels, double value);
    }

    /** Tells {@code listener} of all samples in {@code body}. */
    public static void read(byte[] body, Listener listener) {
        new String(body, StandardCharsets.UTF_8).lines().forEach(line -> readLine(line, listener));
    }

    private static void readLine(String line, Listener listener) {
        if (line.isEmpty() || line.charAt(0) == '#') {
            return;
        }
        int nameEnd = 0;
        while (nameEnd < line.length() && isNamePart(line.charAt(nameEnd))) {
            nameEnd++;
        }
        String labels = "";
        int at = nameEnd;
        if (at < line.length() && line.charAt(at) == '{') {
            int close = closingBrace(line, at + 1);
            if (close < 0) {
                return;
            }
            labels = line.substring(at + 1, close);
            at = close + 1;
        }
        String[] rest = line.substring(at).strip().split("[ \t]+", 2);
        if (nameEnd == 0 || rest[0].isEmpty()) {
            return;
        }
        try {
            listener.onSample(line.substring(0, nameEnd), labels, Double.parseDouble(rest[0]));
        } catch (NumberFormatException e) {
            // +Inf and -Inf among others: no figure of use.
        }
    }

    /** The value of {@code label} in {@code labels}, with escapes as they are; null where it is not there. */
    public static @Nullable String label(String labels, String label) {
        int at = 0;
        while (at < labels.length()) {
            int equals = labels.indexOf("=\"", at);
            if (equals < 0) {
                return null;
            }
            int end = closingQuote(labels, equals + 2);
            if (end < 0) {
                return null;
            }
            if (labels.substring(at, equals).strip().equals(label)) {
                return labels.substring(equals + 2, end);
            }
            at = end + 1;
            while (at < labels.length() && (labels.charAt(at) == ',' || labels.charAt(at) == ' ')) {
                at++;
            }
        }
        return null;
    }

    private static boolean isNamePart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
    }

    private static int closingBrace(String line, int from) {
        int at = from;
        while (at < line.length() && line.charAt(at) != '}') {
            if (line.charAt(at) == '"') {
                int end = closingQuote(line, at + 1);
                if (end < 0) {
                    return -1;
                }
                at = end;
            }
            at++;
        }
        return at < line.length() ? at : -1;
    }

    private static int closingQuote(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if (text.charAt(i) == '"') {
                return i;
            }
            if (text.charAt(i) == '\\') {
                i++;
            }
        }
        return -1;
    }
}
