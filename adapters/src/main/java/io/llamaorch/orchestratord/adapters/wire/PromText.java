package io.llamaorch.orchestratord.adapters.wire;

import java.nio.charset.StandardCharsets;
import java.util.function.DoubleBinaryOperator;

/** Figures out of Prometheus text (format 0.0.4), by the metric's exact name. */
public final class PromText {
    private final String text;

    /** A scrape's body. */
    public PromText(byte[] body) {
        text = new String(body, StandardCharsets.UTF_8);
    }

    /** Sum over all series of {@code name}; NaN where there is none. */
    public double sum(String name) {
        return sum(name, "");
    }

    /**
     * Sum over the series of {@code name} whose labels hold {@code label}; NaN where there is none.
     *
     * @param label such as {@code kv_cache_block_type="fraction"}; empty for any
     */
    public double sum(String name, String label) {
        return fold(name, label, Double::sum);
    }

    /** The highest of all series of {@code name}; NaN where there is none. */
    public double max(String name) {
        return fold(name, "", Math::max);
    }

    private double fold(String name, String label, DoubleBinaryOperator with) {
        double folded = Double.NaN;
        int at = 0;
        while (at < text.length()) {
            int end = text.indexOf('\n', at);
            int lineEnd = end < 0 ? text.length() : end;
            double value = value(text.substring(at, lineEnd), name, label);
            if (!Double.isNaN(value)) {
                folded = Double.isNaN(folded) ? value : with.applyAsDouble(folded, value);
            }
            at = lineEnd + 1;
        }
        return folded;
    }

    /** {@link #sum(String)} as a count, −1 where there is none. */
    public int count(String name) {
        double sum = sum(name);
        return sum >= 0 && sum <= Integer.MAX_VALUE ? (int) sum : -1;
    }

    private static double value(String line, String name, String label) {
        if (!line.startsWith(name) || line.length() == name.length()) {
            return Double.NaN;
        }
        char next = line.charAt(name.length());
        if (next != '{' && next != ' ' && next != '\t') {
            return Double.NaN; // a longer name
        }
        int brace = next == '{' ? line.lastIndexOf('}') : name.length() - 1;
        if (brace < 0 || !line.substring(name.length(), brace + 1).contains(label)) {
            return Double.NaN;
        }
        String[] parts = line.substring(brace + 1).strip().split("[ \t]+", 2); // a timestamp may follow
        try {
            return Double.parseDouble(parts[0]);
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }
}
