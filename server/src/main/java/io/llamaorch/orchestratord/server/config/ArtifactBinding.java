package io.llamaorch.orchestratord.server.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** The keys of {@code artifacts}: type, range, default and meaning of each. See {@link ConfigBinding}. */
final class ArtifactBinding {
    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;
    private static final long DAY_MS = ConfigBinding.DAY_MS;
    /** Nothing that a browser would run. */
    private static final List<String> MEDIA_TYPES = List.of(
            "application/octet-stream",
            "application/x-ndjson",
            "application/jsonl",
            "application/yaml",
            "text/plain",
            "text/markdown",
            "text/csv",
            "text/x-diff",
            "text/x-patch",
            "text/event-stream",
            "image/png");

    private ArtifactBinding() {}

    /** The whole section. */
    static Config.Artifacts artifacts(Section s, Path stateDir) {
        Path root = root(s, stateDir, "artifacts");
        long maxBytes = s.bytes("max_bytes", 1, 1024 * TIB, 16 * GIB, "all artifacts of all keys together");
        int maxCount = s.integer("max_count", 1, 10_000_000, 100_000, "most artifacts of all keys");
        long keyBytes = s.bytes("key_bytes", 1, 1024 * TIB, GIB, "all artifacts of one key together");
        int keyCount = s.integer("key_count", 1, 10_000_000, 10_000, "most artifacts of one key");
        int blobBytes = s.intBytes("blob_bytes", 1, 1 << 30, 16 * ConfigBinding.MIB, "longest artifact");
        int documentBytes = s.intBytes(
                "document_bytes", 1, 64 * ConfigBinding.MIB, ConfigBinding.MIB, "longest artifact document as sent");
        long uploadBytes = s.bytes(
                "upload_bytes",
                1,
                64 * GIB,
                64 * ConfigBinding.MIB,
                "uploads that come in or wait to be stored, together");
        if (uploadBytes < blobBytes) {
            s.problem(
                    "upload_bytes",
                    uploadBytes + " is below blob_bytes, " + blobBytes + ": such a one could never come");
        }
        return new Config.Artifacts(
                root,
                maxBytes,
                maxCount,
                keyBytes,
                keyCount,
                blobBytes,
                documentBytes,
                s.number(
                        "retention_ms",
                        -1,
                        36_500 * DAY_MS,
                        30 * DAY_MS,
                        "age from which one that nothing needs may be removed, ms; -1: never"),
                s.number("gc_period_ms", 10, 30 * DAY_MS, 600_000, "between two removals, ms"),
                s.integer("threads", 1, 64, 4, "threads that do its file I/O"),
                s.integer("queue", 1, 100_000, 256, "most puts and reads that wait or run"),
                uploadBytes,
                s.integer("reads", 1, 100_000, 256, "most downloads at once, each with an open file"),
                mediaTypes(s));
    }

    /** A section's own folder, by default one in the state folder. */
    static Path root(Section s, Path stateDir, String byDefault) {
        String text = s.text("root", null, "its folder; by default " + byDefault + " in state_dir");
        if (text == null) {
            return stateDir.resolve(byDefault);
        }
        try {
            return ConfigBinding.resolve(Path.of(text), s.origin("root"));
        } catch (InvalidPathException e) {
            s.problem("root", "not a path");
            return stateDir.resolve(byDefault);
        }
    }

    private static List<String> mediaTypes(Section s) {
        List<String> given = s.texts(
                "media_types",
                64,
                "media types taken beside application/json; by default " + String.join(", ", MEDIA_TYPES));
        for (String type : given) {
            if (!type.matches("[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")) {
                s.problem("media_types", Words.quote(type) + " is no type/subtype in lower case");
            }
        }
        return given.isEmpty() ? MEDIA_TYPES : given;
    }
}
