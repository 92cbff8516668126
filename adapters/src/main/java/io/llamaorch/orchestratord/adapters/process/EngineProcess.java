package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One start of one engine: its output, its end, and the order to stop.
 *
 * <pre>
 *   start()   starts two processes and a thread; returns without waiting for them
 *   output    read by the thread engine-watch-TOKEN as fast as it comes, so that the engine never waits for us;
 *             the last lines stay in memory, keys left out, and go to a file where one is configured
 *   stop()    any thread, any number of times; returns at once
 *   exit()    completes once, on engine-watch-TOKEN, when no process of the engine is left (or none can be killed)
 * </pre>
 */
public final class EngineProcess {
    /** Beyond a stop's grace: the guard's own ten seconds of KILL and some. ms */
    private static final long GUARD_OVERTIME_MS = 15_000;

    private static final long KILL_MS = 10_000;
    private static final int READ_BYTES = 8 << 10;
    private static final int LINE_SHORTEST = 512;

    /** Variables that are between the daemon and who started it, never an engine's. */
    private static final List<String> NOT_INHERITED = List.of(
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "LISTEN_FDS",
            "LISTEN_PID",
            "LISTEN_FDNAMES",
            "CREDENTIALS_DIRECTORY",
            "INVOCATION_ID",
            "JOURNAL_STREAM",
            "MAINPID");

    private static final String OWN_VARIABLES = "ORCHESTRATORD_";

    /**
     * How much of the output is kept.
     *
     * @param lines in memory
     * @param chars in memory
     * @param lineBytes of one line, the rest of it is dropped; at least 512
     * @param file on disk, null for none; its folder is there
     * @param fileBytes of one file
     * @param files with the rotated ones, {@code FILE.1} and on
     */
    public record Logs(int lines, int chars, int lineBytes, @Nullable Path file, long fileBytes, int files) {
        /** 500 lines and 256 Ki characters in memory, lines of 4 KiB, nothing on disk. */
        public static final Logs IN_MEMORY = new Logs(500, 256 << 10, 4 << 10, null, 0, 0);

        /** Checks the ranges. */
        public Logs {
            if (lines < 1 || chars < 1 || lineBytes < LINE_SHORTEST || (file != null && (fileBytes < 1 || files < 1))) {
                throw new IllegalArgumentException("logs of " + lines + " lines, " + chars + " characters, lines of "
                        + lineBytes + " bytes, " + files + " files of " + fileBytes + " bytes");
            }
        }
    }

    private final String token;
    private final Process guard;
    private final Redactor redactor;
    private final LogRing ring;
    private final @Nullable EngineLogFile file;
    private final Supplier<@Nullable String> driverHint;
    private final OomCounters oomBefore;
    private final CompletableFuture<Long> started = new CompletableFuture<>();
    private final CompletableFuture<ExitReason> exit = new CompletableFuture<>();
    private final Object orders = new Object();
    private boolean ordered;
    private volatile boolean stopAsked;
    private volatile long pid;
    private volatile long startTicks;

    /** Session of its own: then everything in it is the engine's. */
    private volatile boolean ownSession;

    private volatile int status = -1;
    private List<Long> survivors = List.of();

    private EngineProcess(
            String token,
            Process guard,
            EngineCommand command,
            Logs logs,
            Supplier<@Nullable String> driverHint,
            OomCounters oomBefore) {
        this.token = token;
        this.guard = guard;
        this.redactor = new Redactor(command);
        this.ring = new LogRing(logs.lines(), logs.chars());
        Path path = logs.file();
        this.file = path == null ? null : new EngineLogFile(path, logs.fileBytes(), logs.files());
        this.driverHint = driverHint;
        this.oomBefore = oomBefore;
    }

    /**
     * Starts {@code command}.
     *
     * @param orphanGraceMs between TERM and KILL when the daemon is gone, ms
     * @param driverHint asked at the end, on engine-watch-TOKEN: what driver telemetry saw of its devices since now
     * @throws IOException when not even the guard can be started
     */
    public static EngineProcess start(
            EngineGuard guard,
            EngineCommand command,
            Logs logs,
            long orphanGraceMs,
            Supplier<@Nullable String> driverHint)
            throws IOException {
        String token = EngineToken.next();
        ProcessBuilder builder = new ProcessBuilder(guard.argv(token, orphanGraceMs, command.argv()));
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> NOT_INHERITED.contains(name) || name.startsWith(OWN_VARIABLES));
        environment.putAll(command.environment());
        Path directory = command.directory();
        if (directory != null) {
            builder.directory(directory.toFile());
        }
        builder.redirectErrorStream(true);
        OomCounters before = OomCounters.read();
        EngineProcess engine = new EngineProcess(token, builder.start(), command, logs, driverHint, before);
        Thread.ofPlatform().daemon().name("engine-watch-" + token).start(() -> engine.watch(logs.lineBytes()));
        // A guard that was killed says nothing, and what the engine started may hold its output open: end that first.
        engine.guard.onExit().thenRunAsync(engine::guardEnded, engine::onThread);
        return engine;
    }

    private void guardEnded() {
        if (status < 0) {
            try {
                // The watcher, if it is left, goes too.
                guard.getOutputStream().close();
            } catch (IOException e) {
                // There is nobody to tell.
            }
            ProcessTable.kill(this::members, KILL_MS);
        }
    }

    private void onThread(Runnable task) {
        Thread.ofPlatform().daemon().name("engine-kill-" + token).start(task);
    }

    /** The engine's pid, once it is known; fails when the engine ended before. */
    public CompletableFuture<Long> started() {
        return started.copy();
    }

    /** The engine's pid, 0 while it is not known. */
    public long pid() {
        return pid;
    }

    /** When the engine started, clock ticks after boot: with the pid, a name that is never reused. 0 while not known. */
    public long startTicks() {
        return startTicks;
    }

    /** Pid of the guard. */
    long guardPid() {
        return guard.pid();
    }

    /** Name of this start, and value of {@code ORCHESTRATORD_ENGINE} in its processes. */
    public String token() {
        return token;
    }

    /** Why it ended, when it has. */
    public CompletableFuture<ExitReason> exit() {
        return exit.copy();
    }

    /** The last {@code max} lines of its output at most, oldest first, without keys. */
    public List<String> logTail(int max) {
        return ring.tail(max);
    }

    /**
     * TERM to all processes of the engine, and KILL to what is left after {@code graceMs}. A later call can only shorten
     * the time.
     */
    public void stop(long graceMs) {
        stopAsked = true;
        long grace = Math.max(0, graceMs);
        boolean first;
        synchronized (orders) {
            first = !ordered;
            ordered = true;
        }
        if (first && order("stop " + EngineGuard.tenths(grace) + "\n")) {
            later(grace + GUARD_OVERTIME_MS, true);
        } else {
            later(grace, false);
        }
    }

    /** Writes to the guard; false where it is gone. A line is far smaller than a pipe's buffer: this does not wait. */
    private boolean order(String line) {
        synchronized (orders) {
            try {
                OutputStream out = guard.getOutputStream();
                out.write(line.getBytes(StandardCharsets.US_ASCII));
                out.flush();
                return true;
            } catch (IOException e) {
                return false;
            }
        }
    }

    /** Kills the engine in {@code ms} if it still runs, and a guard that hangs with it. */
    private void later(long ms, boolean guardToo) {
        CompletableFuture.delayedExecutor(ms, TimeUnit.MILLISECONDS, this::onThread)
                .execute(() -> {
                    if (!exit.isDone()) {
                        ProcessTable.kill(this::members, KILL_MS);
                        if (guardToo) {
                            guard.destroyForcibly();
                        }
                    }
                });
    }

    private List<ProcessTable.Entry> members() {
        return ProcessTable.membersOf(ownSession ? pid : 0, token);
    }

    private void watch(int lineBytes) {
        LogLines lines = new LogLines(lineBytes, this::line);
        byte[] bytes = new byte[READ_BYTES];
        try {
            InputStream in = guard.getInputStream();
            while (status < 0) {
                int count = in.read(bytes);
                if (count < 0) {
                    break;
                }
                lines.feed(bytes, count);
            }
        } catch (IOException e) {
            if (guard.isAlive()) {
                ring.add("[the engine's output could not be read: " + e.getMessage() + "]");
            }
        }
        try {
            lines.end();
            ended();
        } finally {
            // Never without an answer, whatever went wrong above.
            ExitReason reason =
                    ExitClassifier.classify(new ExitEvidence(status, false, List.of(), 0, 0, null, survivors));
            started.completeExceptionally(new IOException(reason.sentence()));
            exit.complete(reason);
        }
    }

    private void ended() {
        if (status < 0) {
            // The guard died. The engine went with it where the system has parent-death signals; its children did not.
            survivors = ProcessTable.pids(ProcessTable.kill(this::members, KILL_MS));
            guard.destroyForcibly();
        }
        try {
            // The guard waits for this: its last line has been read.
            guard.getOutputStream().close();
        } catch (IOException e) {
            // It is gone already.
        }
        OomCounters now = OomCounters.read();
        ExitReason reason = ExitClassifier.classify(new ExitEvidence(
                status,
                stopAsked,
                ring.tail(ExitSigns.LINES),
                now.cgroup() - oomBefore.cgroup(),
                now.host() - oomBefore.host(),
                driverHint.get(),
                survivors));
        if (file != null) {
            file.close();
        }
        started.completeExceptionally(new IOException(reason.sentence()));
        exit.complete(reason);
    }

    private void line(String text) {
        String voice = EngineGuard.VOICE + token + " ";
        if (!text.startsWith(voice)) {
            String clean = redactor.clean(text);
            ring.add(clean);
            if (file != null) {
                file.offer(clean);
            }
            return;
        }
        String[] words = text.substring(voice.length()).split(" ", -1);
        if (words[0].equals("start")) {
            pid = Long.parseLong(words[1]);
            ownSession = words[2].equals("1");
            ProcessTable.Entry entry = ProcessTable.read(pid);
            startTicks = entry == null ? 0 : entry.startTicks();
            started.complete(pid);
        } else if (words[0].equals("end")) {
            List<Long> left = new ArrayList<>();
            for (int i = 2; i < words.length; i++) {
                // A line this long may have been cut.
                if (words[i].matches("[0-9]{1,18}")) {
                    left.add(Long.parseLong(words[i]));
                }
            }
            survivors = left;
            status = Integer.parseInt(words[1]);
        }
    }
}
