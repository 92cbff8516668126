package io.llamaorch.orchestratord.server.config;

import java.nio.file.Path;

/** The keys of {@code transcripts}: type, range, default and meaning of each. See {@link ConfigBinding}. */
final class TranscriptBinding {
    private static final long GIB = 1L << 30;
    private static final long DAY_MS = ConfigBinding.DAY_MS;
    /** Below that a file's own costs are more than its content. */
    private static final int SEGMENT_BYTES_LEAST = 64 << 10;

    private TranscriptBinding() {}

    /** The whole section. */
    static Config.Transcripts transcripts(Section s, Path stateDir) {
        boolean enabled = s.flag("enabled", true, "whether the streams of tasks go to disk");
        Path root = ArtifactBinding.root(s, stateDir, "transcripts");
        long maxBytes =
                s.bytes("max_bytes", 1, 1024L * 1024 * GIB, 4 * GIB, "all of them, from which on the oldest goes");
        int segmentBytes = s.intBytes(
                "segment_bytes", SEGMENT_BYTES_LEAST, 1 << 30, 16 * ConfigBinding.MIB, "length of one of their files");
        if (maxBytes < 2L * segmentBytes) {
            s.problem("max_bytes", maxBytes + " is below twice segment_bytes, " + segmentBytes);
        }
        return new Config.Transcripts(
                enabled,
                root,
                maxBytes,
                s.integer("max_count", 0, 10_000_000, 100_000, "ended tasks that are known by their transcripts"),
                s.number(
                        "retention_ms",
                        -1,
                        36_500 * DAY_MS,
                        7 * DAY_MS,
                        "how long an ended task is known by its transcript, ms; -1: for ever"),
                segmentBytes,
                s.bytes("queue_bytes", 1, 64 * GIB, 64L * ConfigBinding.MIB, "of them that may wait to be written"),
                s.integer("threads", 1, 64, 2, "threads that read them"),
                s.flag("prompts", false, "prompts and inputs are kept in clear, not by digest alone"));
    }
}
