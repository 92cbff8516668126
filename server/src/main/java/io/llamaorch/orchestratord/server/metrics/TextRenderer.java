package io.llamaorch.orchestratord.server.metrics;

import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Writes the Prometheus text format 0.0.4.
 *
 * <p>simpleclient's own writer adds a {@code _created} gauge to each counter and histogram, a second series per series
 * that only an environment variable turns off; this one leaves them out.
 */
final class TextRenderer {
    /** The {@code Content-Type}. */
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private TextRenderer() {}

    static byte[] render(CollectorRegistry registry) {
        StringBuilder out = new StringBuilder(16_384);
        for (Collector.MetricFamilySamples family : Collections.list(registry.metricFamilySamples())) {
            boolean counter = family.type == Collector.Type.COUNTER;
            String name = counter
                    ? family.name + "_total"
                    : family.type == Collector.Type.INFO ? family.name + "_info" : family.name;
            out.append("# HELP ").append(name).append(' ');
            escape(out, family.help, false);
            out.append("\n# TYPE ")
                    .append(name)
                    .append(' ')
                    .append(type(family.type))
                    .append('\n');
            for (Collector.MetricFamilySamples.Sample sample : family.samples) {
                if (!sample.name.equals(family.name + "_created")) {
                    sample(out, sample);
                }
            }
        }
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void sample(StringBuilder out, Collector.MetricFamilySamples.Sample sample) {
        out.append(sample.name);
        List<String> names = sample.labelNames;
        for (int i = 0; i < names.size(); i++) {
            out.append(i == 0 ? '{' : ',').append(names.get(i)).append("=\"");
            escape(out, sample.labelValues.get(i), true);
            out.append('"');
        }
        out.append(names.isEmpty() ? " " : "} ");
        out.append(number(sample.value)).append('\n');
    }

    private static String number(double value) {
        long whole = (long) value;
        return whole == value && Math.abs(value) < 1e15 ? Long.toString(whole) : Collector.doubleToGoString(value);
    }

    private static void escape(StringBuilder out, String text, boolean quotes) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '"' -> out.append(quotes ? "\\\"" : "\"");
                default -> out.append(c);
            }
        }
    }

    private static String type(Collector.Type type) {
        return switch (type) {
            case COUNTER, GAUGE, SUMMARY, HISTOGRAM -> type.name().toLowerCase(Locale.ROOT);
            default -> type == Collector.Type.INFO || type == Collector.Type.STATE_SET ? "gauge" : "untyped";
        };
    }
}
