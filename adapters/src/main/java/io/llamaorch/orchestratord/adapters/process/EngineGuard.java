package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The shell script that stands between daemon and engine, as a file. What it does is in the script itself,
 * {@code engine-guard.sh}. Immutable.
 *
 * <p>Why a process: the parent-death signal of Linux follows the <em>thread</em> that forked and reaches one process,
 * not what that one started; an own process that waits for the end of a pipe sees every way in which a daemon can go.
 */
public final class EngineGuard {
    /** Environment variable of every process of an engine; its value is the start's token. */
    static final String MARK = "ORCHESTRATORD_ENGINE";

    /** Beside it where the engine leads a session of its own: that session's number. */
    static final String SESSION = MARK + "_SESSION";

    /** The guard's own lines in the engine's output begin so, then the token. */
    static final String VOICE = "orchestratord-guard ";

    private static final String NAME = "engine-guard.sh";
    private static final String TOOLS = "/usr/bin:/bin:/usr/sbin:/sbin";

    private final Path directory;
    private final String tools;
    private final byte[] script;

    private EngineGuard(Path directory, String tools) throws IOException {
        this.directory = directory;
        this.tools = tools;
        try (InputStream in = EngineGuard.class.getResourceAsStream(NAME)) {
            if (in == null) {
                throw new IOException(NAME + " is missing in this build");
            }
            this.script = in.readAllBytes();
        }
    }

    /**
     * Writes the script to {@code directory}, which is made where it is missing. The file may be on a file system without
     * execution; it is given to {@code /bin/sh}. A running guard keeps the file that it was started from.
     */
    public static EngineGuard install(Path directory) throws IOException {
        return install(directory, TOOLS);
    }

    /** Whether a daemon has ever installed it there, and may have left engines behind. */
    public static boolean isInstalled(Path directory) {
        return Files.exists(directory.resolve(NAME));
    }

    /** The same with {@code tools} as the folders where the guard finds setsid, setpriv, env, grep and sleep. */
    static EngineGuard install(Path directory, String tools) throws IOException {
        EngineGuard guard = new EngineGuard(directory.toAbsolutePath(), tools);
        guard.file();
        return guard;
    }

    /** The file, written again where somebody removed or changed it (a cleaner of temporary folders). */
    private synchronized Path file() throws IOException {
        Path file = directory.resolve(NAME);
        if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), script)) {
            return file;
        }
        Files.createDirectories(directory);
        Path draft = Files.createTempFile(directory, NAME, ".new");
        try {
            Files.write(draft, script);
            Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("r--r--r--"));
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(draft);
        }
        return file;
    }

    /** What to start instead of {@code engine}: the guard, in a session of its own so that a terminal's INT is not its. */
    List<String> argv(String token, long graceMs, List<String> engine) throws IOException {
        List<String> out = new ArrayList<>();
        for (String folder : tools.split(":", -1)) {
            Path setsid = Path.of(folder, "setsid");
            if (Files.isExecutable(setsid)) {
                out.add(setsid.toString());
                break;
            }
        }
        out.addAll(List.of("/bin/sh", file().toString(), "run", token, Long.toString(tenths(graceMs)), tools));
        out.addAll(engine);
        return out;
    }

    /** Milliseconds in the guard's unit, rounded up. */
    static long tenths(long ms) {
        return (Math.max(0, ms) + 99) / 100;
    }
}
