package io.llamaorch.orchestratord.server.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Loads the configuration from all its layers; reads files, and nothing else of the world. */
public final class ConfigLoader {
    private static final long FILE_BYTES_MAX = 4L << 20;
    private static final Comparator<Problem> BY_PLACE = Comparator.comparing((Problem p) -> p.at().layer())
            .thenComparing(p -> p.at().name())
            .thenComparingInt(p -> p.at().line())
            .thenComparingInt(p -> p.at().column());

    private ConfigLoader() {}

    /**
     * What came of it.
     *
     * @param config the configuration, null exactly where there are errors
     * @param errors all that is wrong, in the order of the file
     * @param warnings what is allowed and probably not meant
     * @param effective each scalar key with its value and where it comes from, in the order of the schema
     */
    public record Loaded(
            @Nullable Config config, List<Problem> errors, List<Problem> warnings, List<EffectiveValue> effective) {

        /** The configuration of a result without errors. */
        public Config orThrow() {
            if (config == null) {
                throw new IllegalStateException("configuration has errors: " + errors);
            }
            return config;
        }
    }

    /**
     * Loads {@code file}, overridden by the files of {@code conf.d} beside it ({@link ConfigFolder}), overridden by the
     * variables {@code ORCHESTRATORD_*} of {@code environment}, overridden by {@code sets} ({@code key=value}).
     *
     * @throws IOException where a file cannot be read
     */
    public static Loaded load(Path file, Map<String, String> environment, List<String> sets) throws IOException {
        List<Problem> warnings = new ArrayList<>();
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put(file.toString(), read(file));
        for (Path more : ConfigFolder.beside(file, warnings)) {
            texts.put(more.toString(), read(more));
        }
        return parse(texts, environment, sets, warnings);
    }

    /** Loads from a text; {@code name} stands for the file in messages, and relative paths count from its folder. */
    public static Loaded parse(String text, String name, Map<String, String> environment, List<String> sets) {
        return parse(Map.of(name, text), environment, sets, new ArrayList<>());
    }

    /** Loads from texts by their names, each laid over the ones before. */
    private static Loaded parse(
            Map<String, String> texts, Map<String, String> environment, List<String> sets, List<Problem> warnings) {
        List<Problem> errors = new ArrayList<>();
        List<EffectiveValue> effective = new ArrayList<>();
        Tree.Mapping root = null;
        for (Map.Entry<String, String> text : texts.entrySet()) {
            String name = text.getKey();
            Tree tree = YamlTree.read(text.getValue(), name, Origin.Layer.FILE, errors);
            if (tree != null && !(tree instanceof Tree.Mapping)) {
                errors.add(new Problem(tree.at(), "", "must be a mapping of keys and values, not " + tree.kind()));
            }
            if (!errors.isEmpty() && !(tree instanceof Tree.Mapping)) {
                return new Loaded(null, List.copyOf(errors), List.of(), List.of());
            }
            Tree.Mapping read = tree instanceof Tree.Mapping mapping
                    ? mapping
                    : new Tree.Mapping(new Origin(Origin.Layer.FILE, name, 0, 0));
            if (root == null) {
                root = read;
            } else {
                ConfigFolder.merge(root, read);
            }
        }
        if (root == null) {
            throw new IllegalArgumentException("no text");
        }
        return bind(root, environment, sets, errors, warnings, effective);
    }

    private static Loaded bind(
            Tree.Mapping root,
            Map<String, String> environment,
            List<String> sets,
            List<Problem> errors,
            List<Problem> warnings,
            List<EffectiveValue> effective) {
        Overlay overlay = new Overlay(root, errors, warnings);
        overlay.environment(environment);
        overlay.sets(sets);
        spliceKeysFile(root, errors);
        int before = errors.size();
        Config config = NodeSection.bind(new NodeSection(root, "", errors, effective), ConfigBinding::bind);
        if (errors.size() == before) {
            new CrossChecks(effective, errors, warnings).check(config);
        }
        errors.sort(BY_PLACE);
        return new Loaded(
                errors.isEmpty() ? config : null, List.copyOf(errors), List.copyOf(warnings), List.copyOf(effective));
    }

    /** Puts the list of {@code auth.keys_file} in the place of {@code auth.keys}. */
    private static void spliceKeysFile(Tree.Mapping root, List<Problem> errors) {
        Tree.Entry auth = root.entries().get("auth");
        if (auth == null || !(auth.value() instanceof Tree.Mapping mapping)) {
            return;
        }
        Tree.Entry entry = mapping.entries().get("keys_file");
        if (entry == null || !(entry.value() instanceof Tree.Scalar file) || file.isNull()) {
            return;
        }
        if (mapping.entries().containsKey("keys")) {
            errors.add(new Problem(file.at(), "auth.keys_file", "give either auth.keys or auth.keys_file, not both"));
            return;
        }
        try {
            Path path = ConfigBinding.resolve(Path.of(file.text()), file.at());
            Tree tree = YamlTree.read(read(path), path.toString(), Origin.Layer.FILE, errors);
            Tree.Entry list = tree instanceof Tree.Mapping keys ? keys.entries().get("keys") : null;
            if (list != null) {
                tree = list.value();
            }
            if (tree instanceof Tree.Sequence) {
                mapping.entries().put("keys", new Tree.Entry(file.at(), tree));
            } else if (tree != null) {
                errors.add(new Problem(
                        tree.at(), "auth.keys_file", "must hold a list of keys: - {name: ops, sha256: \"…\"}"));
            }
        } catch (IOException | InvalidPathException e) {
            errors.add(new Problem(file.at(), "auth.keys_file", "cannot be read: " + reason(e)));
        }
    }

    private static String read(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAX) {
            throw new IOException(file + " is longer than " + FILE_BYTES_MAX + " bytes");
        }
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not UTF-8", e);
        }
    }

    /** What kept a file from being read, in words. */
    public static String reason(Exception e) {
        if (e instanceof java.nio.file.NoSuchFileException) {
            return "there is no such file";
        }
        if (e instanceof java.nio.file.AccessDeniedException) {
            return "permission denied";
        }
        return String.valueOf(e.getMessage());
    }
}
