package io.llamaorch.orchestratord.server.config;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads a mapping: values in their types and ranges, everything else as a {@link Problem}. Not thread-safe. */
final class NodeSection implements Section {
    private final Tree.Mapping mapping;
    private final String path;
    private final List<Problem> problems;
    private final List<EffectiveValue> effective;
    private final Map<String, Boolean> asked = new LinkedHashMap<>();

    /**
     * A section at {@code path}.
     *
     * @param problems findings are added here
     * @param effective scalar values in the order asked are added here
     */
    NodeSection(Tree.Mapping mapping, String path, List<Problem> problems, List<EffectiveValue> effective) {
        this.mapping = mapping;
        this.path = path;
        this.problems = problems;
        this.effective = effective;
    }

    /** Binds {@code root}, then reports keys that nobody asked for. */
    static <T> T bind(NodeSection root, Function<Section, T> bind) {
        T value = bind.apply(root);
        root.refuseUnknown();
        return value;
    }

    @Override
    public long number(String key, long min, long max, long byDefault, String doc) {
        return amount(key, min, max, byDefault, false);
    }

    @Override
    public long bytes(String key, long min, long max, long byDefault, String doc) {
        return amount(key, min, max, byDefault, true);
    }

    private long amount(String key, long min, long max, long byDefault, boolean sized) {
        long fallback = byDefault == REQUIRED ? min : byDefault;
        Tree.Scalar scalar = scalar(key, byDefault == REQUIRED);
        if (scalar == null) {
            if (byDefault != REQUIRED) {
                effective(key, sized ? Words.formatBytes(byDefault) : Long.toString(byDefault), Origin.DEFAULT);
            }
            return fallback;
        }
        OptionalLong parsed;
        if (sized) {
            parsed = Words.parseBytes(scalar.text());
        } else {
            parsed = scalar.plain() ? Words.parseLong(scalar.text()) : OptionalLong.empty();
        }
        if (parsed.isEmpty()) {
            String wanted = sized ? "a size in bytes such as 65536, 64KiB or 1MiB" : "a whole number";
            problem(key, "must be " + wanted + ", not " + Words.quote(scalar.text()));
            return fallback;
        }
        long value = parsed.getAsLong();
        if (value < min || value > max) {
            problem(key, value + (value < min ? " is below the least, " + min : " exceeds the most, " + max));
            return fallback;
        }
        effective(key, scalar.text(), scalar.at());
        return value;
    }

    @Override
    public boolean flag(String key, boolean byDefault, String doc) {
        Tree.Scalar scalar = scalar(key, false);
        if (scalar == null) {
            effective(key, Boolean.toString(byDefault), Origin.DEFAULT);
            return byDefault;
        }
        if (!scalar.plain() || !(scalar.text().equals("true") || scalar.text().equals("false"))) {
            problem(key, "must be true or false, not " + Words.quote(scalar.text()));
            return byDefault;
        }
        effective(key, scalar.text(), scalar.at());
        return scalar.text().equals("true");
    }

    @Override
    public @Nullable String text(String key, @Nullable String byDefault, String doc) {
        Tree.Scalar scalar = scalar(key, false);
        if (scalar == null) {
            if (byDefault != null) {
                effective(key, byDefault, Origin.DEFAULT);
            }
            return byDefault;
        }
        return nonEmpty(key, scalar) ? scalar.text() : byDefault;
    }

    @Override
    public String requiredText(String key, String doc) {
        Tree.Scalar scalar = scalar(key, true);
        return scalar != null && nonEmpty(key, scalar) ? scalar.text() : "";
    }

    private boolean nonEmpty(String key, Tree.Scalar scalar) {
        if (scalar.text().isBlank()) {
            problem(key, "must not be empty");
            return false;
        }
        effective(key, key.equals("sha256") ? Secrets.HIDDEN : Secrets.hidden(scalar.text()), scalar.at());
        return true;
    }

    @Override
    public <E> E choice(String key, List<E> choices, Function<E, String> word, @Nullable E byDefault, String doc) {
        String missing = byDefault == null ? "is missing; " + mustBe(choices, word) : null;
        Tree.Scalar scalar = scalar(key, missing);
        if (scalar != null) {
            E value = match(key, scalar, choices, word);
            if (value != null) {
                effective(key, scalar.text(), scalar.at());
                return value;
            }
        } else if (byDefault != null) {
            effective(key, word.apply(byDefault), Origin.DEFAULT);
        }
        return byDefault == null ? choices.get(0) : byDefault;
    }

    @Override
    public <E> List<E> choices(String key, List<E> choices, Function<E, String> word, List<E> byDefault, String doc) {
        Tree value = value(key);
        if (value == null) {
            effective(key, byDefault.stream().map(word).toList().toString(), Origin.DEFAULT);
            return byDefault;
        }
        if (!(value instanceof Tree.Sequence sequence)) {
            problem(key, "must be a list such as [" + word.apply(choices.get(0)) + "], not " + value.kind());
            return byDefault;
        }
        List<E> found = new ArrayList<>();
        for (Tree item : sequence.items()) {
            if (item instanceof Tree.Scalar scalar) {
                E one = match(key, scalar, choices, word);
                if (one != null && !found.contains(one)) {
                    found.add(one);
                }
            } else {
                problems.add(new Problem(item.at(), child(key), "must be a word, not " + item.kind()));
            }
        }
        effective(key, found.stream().map(word).toList().toString(), sequence.at());
        return List.copyOf(found);
    }

    private <E> @Nullable E match(String key, Tree.Scalar scalar, List<E> choices, Function<E, String> word) {
        for (E choice : choices) {
            if (word.apply(choice).equals(scalar.text())) {
                return choice;
            }
        }
        String near = Words.nearest(scalar.text(), choices.stream().map(word).toList());
        problems.add(new Problem(
                scalar.at(),
                child(key),
                mustBe(choices, word) + ", not " + Words.quote(scalar.text())
                        + (near == null ? "" : "; did you mean \"" + near + "\"?")));
        return null;
    }

    private static <E> String mustBe(List<E> choices, Function<E, String> word) {
        return "must be one of " + String.join(", ", choices.stream().map(word).toList());
    }

    @Override
    public Map<String, String> textMap(String key, int max, String doc) {
        Tree value = value(key);
        if (value == null) {
            return Map.of();
        }
        if (!(value instanceof Tree.Mapping given)) {
            problem(key, "must be a mapping of names to text, not " + value.kind());
            return Map.of();
        }
        if (given.entries().size() > max) {
            problem(key, "has " + given.entries().size() + " entries, more than " + max);
            return Map.of();
        }
        Map<String, String> found = new LinkedHashMap<>();
        given.entries().forEach((name, entry) -> {
            if (entry.value() instanceof Tree.Scalar scalar) {
                found.put(name, scalar.text());
            } else {
                problems.add(new Problem(
                        entry.value().at(),
                        child(key) + "." + name,
                        "must be a single value, not " + entry.value().kind()));
            }
        });
        effective(key, found.keySet().toString(), value.at()); // values may be secrets
        return Map.copyOf(found);
    }

    @Override
    public List<String> texts(String key, int max, String doc) {
        Tree value = value(key);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof Tree.Sequence sequence) || sequence.items().size() > max) {
            problem(key, "must be a list of at most " + max + " texts");
            return List.of();
        }
        List<String> found = new ArrayList<>();
        for (Tree item : sequence.items()) {
            if (item instanceof Tree.Scalar scalar) {
                found.add(scalar.text());
            } else {
                problems.add(new Problem(item.at(), child(key), "must be a single value, not " + item.kind()));
            }
        }
        effective(key, Secrets.hidden(found).toString(), sequence.at());
        return List.copyOf(found);
    }

    @Override
    public BigDecimal decimal(String key, BigDecimal most, int scale, String doc) {
        Tree.Scalar scalar = scalar(key, false);
        if (scalar == null) {
            effective(key, "0", Origin.DEFAULT);
            return BigDecimal.ZERO;
        }
        if (!scalar.text().matches("[0-9]{1,12}(\\.[0-9]{1,12})?")) {
            problem(key, "must be a decimal number such as 0.002, not " + Words.quote(scalar.text()));
            return BigDecimal.ZERO;
        }
        BigDecimal value = new BigDecimal(scalar.text());
        if (value.compareTo(most) > 0) {
            problem(key, scalar.text() + " exceeds the most, " + most.toPlainString());
            return BigDecimal.ZERO;
        }
        if (value.signum() != 0 && value.stripTrailingZeros().scale() > scale) {
            problem(key, scalar.text() + " has more than " + scale + " decimals");
            return BigDecimal.ZERO;
        }
        effective(key, scalar.text(), scalar.at());
        return value;
    }

    @Override
    public <T> T section(String key, Function<Section, T> bind, String doc) {
        Tree value = value(key);
        Tree.Mapping inner = new Tree.Mapping(mapping.at());
        if (value instanceof Tree.Mapping given) {
            inner = given;
        } else if (value != null) {
            problem(key, "must be a mapping of keys and values, not " + value.kind());
        }
        return bind(new NodeSection(inner, child(key), problems, effective), bind);
    }

    @Override
    public <T> List<T> list(String key, int min, int max, Function<Section, T> bind, String doc) {
        Tree value = value(key);
        List<Tree> items = List.of();
        if (value instanceof Tree.Sequence sequence) {
            items = sequence.items();
        } else if (value != null) {
            problem(key, "must be a list, not " + value.kind());
            return List.of();
        }
        if (items.size() < min) {
            problem(key, "needs at least " + min + (min == 1 ? " entry" : " entries") + ", has " + items.size());
        }
        if (items.size() > max) {
            problem(key, "has " + items.size() + " entries, more than " + max);
            return List.of();
        }
        List<T> bound = new ArrayList<>(items.size());
        for (int i = 0; i < items.size(); i++) {
            String at = child(key) + "." + i;
            if (items.get(i) instanceof Tree.Mapping inner) {
                bound.add(bind(new NodeSection(inner, at, problems, effective), bind));
            } else {
                problems.add(new Problem(
                        items.get(i).at(),
                        at,
                        "must be a mapping, not " + items.get(i).kind()));
            }
        }
        return List.copyOf(bound);
    }

    @Override
    public void problem(String key, String message) {
        Tree.Entry entry = mapping.entries().get(key);
        Origin at = entry == null ? mapping.at() : entry.value().at();
        problems.add(new Problem(at, child(key), message));
    }

    @Override
    public Origin origin(String key) {
        Tree.Entry entry = mapping.entries().get(key);
        return entry == null ? Origin.DEFAULT : entry.value().at();
    }

    @Override
    public boolean sound(String key) {
        String at = child(key);
        return mapping.entries().containsKey(key)
                && problems.stream().noneMatch(problem -> problem.path().equals(at));
    }

    @Override
    public boolean reading() {
        return true;
    }

    private @Nullable Tree value(String key) {
        asked.put(key, true);
        Tree.Entry entry = mapping.entries().get(key);
        if (entry == null || (entry.value() instanceof Tree.Scalar scalar && scalar.isNull())) {
            return null;
        }
        return entry.value();
    }

    private Tree.@Nullable Scalar scalar(String key, boolean required) {
        return scalar(key, required ? "is missing" : null);
    }

    /** The value of a key; where it is not there, {@code missing} is a problem, unless it is null. */
    private Tree.@Nullable Scalar scalar(String key, @Nullable String missing) {
        Tree value = value(key);
        if (value == null) {
            if (mapping.entries().containsKey(key)) {
                problem(key, "has no value; give one or leave the key out");
            } else if (missing != null) {
                problem(key, missing);
            }
            return null;
        }
        if (value instanceof Tree.Scalar scalar) {
            return scalar;
        }
        problem(key, "must be a single value, not " + value.kind());
        return null;
    }

    private void effective(String key, String value, Origin origin) {
        effective.add(new EffectiveValue(child(key), value, origin));
    }

    private String child(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private void refuseUnknown() {
        mapping.entries().forEach((key, entry) -> {
            if (!asked.containsKey(key)) {
                problems.add(new Problem(
                        entry.keyAt(), path, "unknown key " + Words.quote(key) + Words.hint(key, asked.keySet())));
            }
        });
    }
}
