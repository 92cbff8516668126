package io.llamaorch.orchestratord.server.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Lays the environment, then {@code --set}, over the file's tree.
 *
 * <p>A variable is {@code ORCHESTRATORD_} and a scalar key's path in upper case with {@code _} for each dot:
 * {@code ORCHESTRATORD_STREAMS_HEARTBEAT_MS}, {@code ORCHESTRATORD_POOLS_0_QUEUE_CAPACITY}. No two keys share a name (a
 * test holds that). Variables of the launcher are left alone; any other unknown one is a warning, since platforms
 * inject their own ({@code ORCHESTRATORD_SERVICE_HOST}). {@code --set} takes any key, and a value in brackets or
 * braces is YAML. The index after a list's last adds an entry.
 */
final class Overlay {
    static final String PREFIX = "ORCHESTRATORD_";
    private static final Set<String> LAUNCHER = Set.of("JAVA_HOME", "JAVA_OPTS", "GC", "HEAP", "AOT_CACHE", "CONFIG");

    private final Tree.Mapping root;
    private final List<Problem> problems;
    private final List<Problem> warnings;

    Overlay(Tree.Mapping root, List<Problem> problems, List<Problem> warnings) {
        this.root = root;
        this.problems = problems;
        this.warnings = warnings;
    }

    /** Applies the variables in the order of their names. */
    void environment(Map<String, String> environment) {
        Map<String, String> ours = new TreeMap<>();
        environment.forEach((name, value) -> {
            if (name.startsWith(PREFIX) && !LAUNCHER.contains(name.substring(PREFIX.length()))) {
                ours.put(name, value);
            }
        });
        if (ours.isEmpty()) {
            return;
        }
        List<String> paths = SchemaSection.scalarPaths();
        ours.forEach((name, value) -> {
            Origin at = new Origin(Origin.Layer.ENVIRONMENT, name, 0, 0);
            String path = pathOf(name.substring(PREFIX.length()), paths);
            if (path == null) {
                List<String> names = paths.stream()
                        .map(Overlay::variable)
                        .map(v -> PREFIX + v)
                        .toList();
                String near = Words.nearest(name, names);
                warnings.add(new Problem(
                        at,
                        "",
                        "no key has this name; ignored" + (near == null ? "" : "; did you mean \"" + near + "\"?")));
            } else {
                put(path, value, at);
            }
        });
    }

    /** Applies {@code key=value} arguments in their order. */
    void sets(List<String> sets) {
        for (String set : sets) {
            int equals = set.indexOf('=');
            if (equals <= 0) {
                problems.add(new Problem(
                        new Origin(Origin.Layer.SET, Words.quote(set), 0, 0),
                        "",
                        "must be key=value, such as listen=127.0.0.1:0"));
                continue;
            }
            String path = set.substring(0, equals);
            put(path, set.substring(equals + 1), new Origin(Origin.Layer.SET, path, 0, 0));
        }
    }

    /** The variable of a path, without its prefix; {@code *} stays. */
    static String variable(String path) {
        return path.replace('.', '_').toUpperCase(Locale.ROOT);
    }

    private static @Nullable String pathOf(String variable, List<String> paths) {
        for (String path : paths) {
            String name = variable(path);
            String[] parts = name.split("\\*", -1);
            String[] indexes = new String[parts.length - 1];
            int at = 0;
            boolean matches = true;
            for (int i = 0; i < parts.length && matches; i++) {
                matches = variable.startsWith(parts[i], at);
                at += parts[i].length();
                if (matches && i < indexes.length) {
                    int end = at;
                    while (end < variable.length() && Character.isDigit(variable.charAt(end))) {
                        end++;
                    }
                    matches = end > at;
                    indexes[i] = variable.substring(Math.min(at, variable.length()), end);
                    at = end;
                }
            }
            if (matches && at == variable.length()) {
                String result = path;
                for (String index : indexes) {
                    result = result.replaceFirst("\\*", index);
                }
                return result;
            }
        }
        return null;
    }

    private void put(String path, String text, Origin at) {
        Tree value = new Tree.Scalar(text, true, at);
        boolean flow = (text.startsWith("[") && text.endsWith("]")) || (text.startsWith("{") && text.endsWith("}"));
        if (at.layer() == Origin.Layer.SET && flow) {
            value = YamlTree.read(text, at.name(), at.layer(), problems);
            if (value == null) {
                return;
            }
        }
        String[] keys = path.split("\\.", -1);
        Tree here = root;
        for (int i = 0; i < keys.length; i++) {
            boolean last = i == keys.length - 1;
            Tree next = last ? value : container(keys[i + 1], at);
            Tree found;
            if (here instanceof Tree.Mapping mapping) {
                found = put(mapping, keys[i], next, last, at);
            } else if (here instanceof Tree.Sequence list) {
                found = put(list, keys[i], next, last);
            } else {
                found = null;
            }
            if (found == null) {
                String where = String.join(".", List.of(keys).subList(0, i));
                problems.add(new Problem(
                        at,
                        path,
                        here instanceof Tree.Sequence list
                                ? where + " has " + list.items().size() + " entries: the index must be 0 to "
                                        + list.items().size() + ", not " + Words.quote(keys[i])
                                : where + " is a single value and holds no keys"));
                return;
            }
            here = found;
        }
    }

    private static Tree put(Tree.Mapping mapping, String key, Tree next, boolean last, Origin at) {
        Tree.Entry entry = mapping.entries().get(key);
        if (last || entry == null || (entry.value() instanceof Tree.Scalar scalar && scalar.isNull())) {
            mapping.entries().put(key, new Tree.Entry(at, next));
            return next;
        }
        return entry.value();
    }

    private static @Nullable Tree put(Tree.Sequence list, String key, Tree next, boolean last) {
        OptionalLong index = Words.parseLong(key);
        if (index.isEmpty()
                || index.getAsLong() < 0
                || index.getAsLong() > list.items().size()) {
            return null;
        }
        int i = (int) index.getAsLong();
        if (i == list.items().size()) {
            list.items().add(next);
        } else if (last) {
            list.items().set(i, next);
        }
        return list.items().get(i);
    }

    private static Tree container(String nextKey, Origin at) {
        return Words.parseLong(nextKey).isPresent() ? new Tree.Sequence(at) : new Tree.Mapping(at);
    }
}
