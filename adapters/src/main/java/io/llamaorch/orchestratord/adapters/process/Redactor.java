package io.llamaorch.orchestratord.adapters.process;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Keeps keys of one command out of logs and errors: the values of arguments and variables that are keys by their names,
 * wherever they turn up, and what looks like a key in an engine's own words. Immutable.
 */
final class Redactor {
    static final String INSTEAD = "[redacted]";

    /** A shorter value is not looked for in lines: it would hide ordinary words. Characters. */
    private static final int VALUE_SHORTEST = 6;

    private static final Set<String> SECRET_WORDS =
            Set.of("key", "apikey", "secret", "token", "password", "passwd", "credential", "credentials");
    private static final Pattern ASSIGNED = Pattern.compile(
            "(?i)\\b((?:[a-z0-9]+[-_])*(?:api[-_]?key|secret(?:[-_]key)?|password|passwd|(?:auth|access|hf|api)[-_]token))"
                    + "([\"']?\\s*[=:]\\s*\\[?[\"']?)([^\\s\"',;)\\]]+)");
    private static final Pattern BEARER = Pattern.compile("(?i)\\b(bearer|basic) +[A-Za-z0-9._~+/=-]{6,}");
    private static final Pattern KNOWN_SHAPE = Pattern.compile("\\b(?:sk-|hf_|ghp_|nvapi-)[A-Za-z0-9_-]{6,}");

    private final List<String> shown;
    private final List<String> values;

    Redactor(EngineCommand command) {
        List<String> secrets = new ArrayList<>();
        this.shown = shown(command.argv(), secrets);
        command.environment().forEach((name, value) -> {
            if (isSecret(name)) {
                secrets.add(value);
            }
        });
        secrets.removeIf(value -> value.length() < VALUE_SHORTEST);
        // The longest first: one may be part of another.
        secrets.sort(Comparator.comparingInt(String::length).reversed());
        this.values = List.copyOf(secrets);
    }

    private static List<String> shown(List<String> argv, List<String> secrets) {
        List<String> out = new ArrayList<>();
        boolean next = false;
        for (String argument : argv) {
            int equals = argument.indexOf('=');
            boolean flag = argument.startsWith("-");
            if (next && !flag) {
                secrets.add(argument);
                out.add(INSTEAD);
                next = false;
            } else if (equals > 0 && isSecret(argument.substring(0, equals))) {
                secrets.add(argument.substring(equals + 1));
                out.add(argument.substring(0, equals + 1) + INSTEAD);
                next = false;
            } else {
                next = flag && equals < 0 && isSecret(argument);
                out.add(argument);
            }
        }
        return List.copyOf(out);
    }

    /** Whether a flag or variable of this name holds a secret: one of its words is key, token, secret and the like. */
    static boolean isSecret(String name) {
        for (String word : name.toLowerCase(Locale.ROOT).split("[^a-z0-9]+", -1)) {
            if (SECRET_WORDS.contains(word)) {
                return true;
            }
        }
        return false;
    }

    /** Program and arguments, blanks between, secrets left out. */
    String commandLine() {
        return String.join(" ", shown);
    }

    /** {@code line} without secrets. */
    String clean(String line) {
        String out = line;
        for (String value : values) {
            out = out.replace(value, INSTEAD);
        }
        out = ASSIGNED.matcher(out).replaceAll("$1$2" + INSTEAD);
        out = BEARER.matcher(out).replaceAll("$1 " + INSTEAD);
        return KNOWN_SHAPE.matcher(out).replaceAll(INSTEAD);
    }
}
