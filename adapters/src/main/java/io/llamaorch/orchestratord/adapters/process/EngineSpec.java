package io.llamaorch.orchestratord.adapters.process;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is to run for a replica.
 *
 * @param replicaId its name, unique in the daemon, such as {@code chat/0}
 * @param command how it is started
 * @param values what is filled in; the port comes from the leases
 * @param restarts when it is started again
 * @param startTimeoutMs from the start until it must be ready, ms, 0 for no limit
 * @param stopGraceMs between TERM and KILL, ms; also when the daemon is gone
 * @param logs what is kept of its output; the file is null, see {@code logDirectory}
 * @param logDirectory folder of its log files, null for none on disk
 */
public record EngineSpec(
        String replicaId,
        CommandTemplate command,
        CommandTemplate.Values values,
        RestartPolicy.Limits restarts,
        long startTimeoutMs,
        long stopGraceMs,
        EngineProcess.Logs logs,
        @Nullable Path logDirectory) {
    /** Checks what can be checked without the file system. */
    public EngineSpec {
        if (replicaId.isEmpty() || startTimeoutMs < 0 || stopGraceMs < 0) {
            throw new IllegalArgumentException("replica \"" + replicaId + "\", start timeout " + startTimeoutMs
                    + " ms, stop grace " + stopGraceMs + " ms");
        }
    }

    /** The log settings of one of its two lanes: each has its own file, so that two processes never share one. */
    EngineProcess.Logs logsOf(int lane) {
        Path folder = logDirectory;
        if (folder == null) {
            return logs;
        }
        String name = replicaId.replaceAll("[^A-Za-z0-9._-]", "_") + "." + lane + ".log";
        return new EngineProcess.Logs(
                logs.lines(), logs.chars(), logs.lineBytes(), folder.resolve(name), logs.fileBytes(), logs.files());
    }
}
