package io.llamaorch.orchestratord.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder {@code conf.d} beside a configuration file: its {@code *.yaml} are laid over that file in the order of
 * their names. A mapping is merged with what is there, a list of mappings (pools, keys) is added to, and anything else
 * takes the place of what was there.
 *
 * <p>Files that begin with a dot are left alone: editors and package tools leave such behind.
 */
final class ConfigFolder {
    private static final String NAME = "conf.d";
    private static final String SUFFIX = ".yaml";
    private static final int FILES_MAX = 1_000;

    private ConfigFolder() {}

    /**
     * The files to lay over {@code file}; none where there is no such folder.
     *
     * @param warnings told of files that look meant and are not read
     * @throws IOException where the folder cannot be read, or holds too much
     */
    static List<Path> beside(Path file, List<Problem> warnings) throws IOException {
        Path folder = file.toAbsolutePath().resolveSibling(NAME);
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.sorted().toList()) {
                String name = entry.getFileName().toString();
                if (name.startsWith(".") || !Files.isRegularFile(entry)) {
                    continue;
                }
                if (name.endsWith(SUFFIX)) {
                    found.add(entry);
                } else if (name.endsWith(".yml")) {
                    warnings.add(new Problem(
                            new Origin(Origin.Layer.FILE, entry.toString(), 0, 0),
                            "",
                            "is not read: name it *" + SUFFIX));
                }
            }
        }
        if (found.size() > FILES_MAX) {
            throw new IOException(folder + " holds " + found.size() + " files, more than " + FILES_MAX);
        }
        return found;
    }

    /** Lays {@code over} on {@code base}, which is changed in place. */
    static void merge(Tree.Mapping base, Tree.Mapping over) {
        over.entries().forEach((key, entry) -> {
            Tree.Entry before = base.entries().get(key);
            if (before != null
                    && before.value() instanceof Tree.Mapping there
                    && entry.value() instanceof Tree.Mapping more) {
                merge(there, more);
            } else if (before != null
                    && before.value() instanceof Tree.Sequence there
                    && entry.value() instanceof Tree.Sequence more
                    && holdsMappings(there)
                    && holdsMappings(more)) {
                there.items().addAll(more.items());
            } else {
                base.entries().put(key, entry);
            }
        });
    }

    private static boolean holdsMappings(Tree.Sequence list) {
        return !list.items().isEmpty() && list.items().stream().allMatch(Tree.Mapping.class::isInstance);
    }
}
