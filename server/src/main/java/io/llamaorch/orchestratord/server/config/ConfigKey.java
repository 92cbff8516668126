package io.llamaorch.orchestratord.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One key of the configuration, explained.
 *
 * @param path as asked for, such as {@code pools.0.queue.capacity}
 * @param meaning what it is for
 * @param type its type, range, words and default, each as a phrase
 * @param variable the environment variable that sets it; null where it is no single value
 * @param members keys inside it; empty for a value
 */
public record ConfigKey(
        String path, String meaning, List<String> type, @Nullable String variable, List<String> members) {

    /** The key of that path, with a number or {@code *} for a place in a list; null where there is none. */
    public static @Nullable ConfigKey of(String path) {
        Map<String, Object> schema = SchemaSection.describe(path);
        if (schema == null) {
            return null;
        }
        List<String> type = new ArrayList<>();
        Object kind = schema.get("type");
        type.add(kind instanceof List<?> kinds ? joined(kinds, " or ") : String.valueOf(kind));
        Object words = schema.get("enum");
        if (words instanceof List<?> choices) {
            type.add("one of " + joined(choices, ", "));
        }
        if (schema.containsKey("minimum")) {
            type.add(schema.get("minimum") + " to " + schema.get("maximum"));
        }
        if (schema.containsKey("default")) {
            type.add("default " + schema.get("default"));
        }
        List<String> members = new ArrayList<>();
        Map<?, ?> holder = schema.get("items") instanceof Map<?, ?> items ? items : schema;
        if (holder.get("properties") instanceof Map<?, ?> properties) {
            properties.keySet().forEach(member -> members.add(String.valueOf(member)));
        }
        boolean single = SchemaSection.scalarPaths().contains(path.replaceAll("(?<=\\.)[0-9]+(?=\\.|$)", "*"));
        return new ConfigKey(
                path,
                String.valueOf(schema.getOrDefault("description", "")),
                List.copyOf(type),
                single ? Overlay.PREFIX + Overlay.variable(path) : null,
                List.copyOf(members));
    }

    /** The path most like a wrong one; null where none is. */
    public static @Nullable String nearest(String wrong) {
        return Words.nearest(wrong, SchemaSection.scalarPaths());
    }

    private static String joined(List<?> words, String between) {
        return String.join(between, words.stream().map(String::valueOf).toList());
    }
}
