package io.llamaorch.orchestratord.server.metrics;

import io.prometheus.client.Counter;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Bounds the values of each label of each metric: the first so many are kept, the rest become {@value #OTHER} and are
 * counted in {@code metric_label_overflow_total}. Thread-safe; two threads that race for the last place may both get it.
 */
final class LabelBudget {
    /** What a value past the budget is called. */
    static final String OTHER = "other";
    /** Longest value; longer ones are cut. */
    static final int VALUE_MAX = 128;

    private static final int UNKNOWN_LABEL_MAX = 64;
    private static final Map<String, Integer> MOST = Map.ofEntries(
            Map.entry("engine", 8),
            Map.entry("engine_version", 64),
            Map.entry("pool_id", 256),
            Map.entry("replica_id", 1024),
            Map.entry("priority", 8),
            Map.entry("reason", 16),
            Map.entry("model_id", 1024),
            Map.entry("route", 64),
            Map.entry("method", 8),
            Map.entry("status", 64),
            Map.entry("outcome", 8),
            Map.entry("pinned", 2),
            Map.entry("fallback", 2),
            Map.entry("result", 8),
            Map.entry("state", 16),
            Map.entry("device", 64),
            Map.entry("metric", 64),
            Map.entry("label", 32),
            Map.entry("policy", 24),
            Map.entry("kind", 8),
            Map.entry("severity", 8),
            Map.entry("loop", 256));

    private final Counter overflow;
    private final Map<String, Set<String>> seen = new ConcurrentHashMap<>();

    LabelBudget(Counter overflow) {
        this.overflow = overflow;
    }

    /** The most values of a label. */
    static int most(String label) {
        return MOST.getOrDefault(label, UNKNOWN_LABEL_MAX);
    }

    /** The values to use for {@code labels} of {@code metric}: {@code values}, changed in place. */
    String[] admit(String metric, String[] labels, String[] values) {
        for (int i = 0; i < labels.length; i++) {
            values[i] = admit(metric, labels[i], values[i]);
        }
        return values;
    }

    private String admit(String metric, String label, String value) {
        String kept = value.length() > VALUE_MAX ? value.substring(0, VALUE_MAX) : value;
        Set<String> known = seen.computeIfAbsent(metric + ' ' + label, key -> ConcurrentHashMap.newKeySet());
        if (known.contains(kept)) {
            return kept;
        }
        if (known.size() >= most(label)) {
            overflow.labels(metric, label).inc();
            return OTHER;
        }
        known.add(kept);
        return kept;
    }
}
