package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The host's processes as {@code /proc} shows them (proc_pid_stat(5)). Each call reads afresh, and blocks on procfs. */
final class ProcessTable {
    private static final Path PROC = Path.of("/proc");
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(20);

    /**
     * One process.
     *
     * @param startTicks when it started, clock ticks after boot: with the pid, a name that is never reused
     */
    record Entry(long pid, char state, long parent, long group, long session, long startTicks) {
        /** Whether it is more than a dead process's name. */
        boolean lives() {
            return state != 'Z' && state != 'X';
        }
    }

    private ProcessTable() {}

    /** The process {@code pid}, null where there is none. */
    static @Nullable Entry read(long pid) {
        byte[] stat = bytes(PROC.resolve(Long.toString(pid)).resolve("stat"));
        return stat == null ? null : parse(pid, new String(stat, StandardCharsets.ISO_8859_1));
    }

    /** {@code stat} of {@code pid}; null where it is cut. The second field, the name, may hold blanks and brackets. */
    static @Nullable Entry parse(long pid, String stat) {
        int name = stat.lastIndexOf(')');
        if (name < 0 || name + 2 >= stat.length()) {
            return null;
        }
        String[] fields = stat.substring(name + 2).split(" ", -1);
        if (fields.length < 20 || fields[0].isEmpty()) {
            return null;
        }
        return new Entry(
                pid,
                fields[0].charAt(0),
                Long.parseLong(fields[1]),
                Long.parseLong(fields[2]),
                Long.parseLong(fields[3]),
                Long.parseLong(fields[19]));
    }

    /** All that live. */
    static List<Entry> living() {
        List<Entry> out = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path one : all) {
                Entry entry = read(Long.parseLong(one.getFileName().toString()));
                if (entry != null && entry.lives()) {
                    out.add(entry);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + PROC, e);
        }
        return out;
    }

    /** The engine's mark in the environment that {@code pid} was started with, null where it has none or it is secret. */
    static @Nullable String mark(long pid) {
        return variable(pid, EngineGuard.MARK);
    }

    /** The value of {@code name} in the environment that {@code pid} was started with, null where it cannot be seen. */
    static @Nullable String variable(long pid, String name) {
        byte[] environment = bytes(PROC.resolve(Long.toString(pid)).resolve("environ"));
        if (environment == null) {
            return null;
        }
        String prefix = name + "=";
        for (String variable : new String(environment, StandardCharsets.ISO_8859_1).split("\0", -1)) {
            if (variable.startsWith(prefix)) {
                return variable.substring(prefix.length());
            }
        }
        return null;
    }

    /**
     * What belongs to an engine and lives: its session and process group, what carries its mark, and the descendants of
     * all these.
     *
     * @param session pid of the engine, which leads a session of its own; 0 where none is known
     * @param token its mark
     */
    static List<Entry> membersOf(long session, String token) {
        return closure(
                living(),
                entry -> (session != 0 && (entry.session() == session || entry.group() == session))
                        || token.equals(mark(entry.pid())));
    }

    /** Those of {@code all} that {@code belongs} picks, and their descendants. */
    static List<Entry> closure(List<Entry> all, java.util.function.Predicate<Entry> belongs) {
        Set<Long> pids = new HashSet<>();
        List<Entry> found = new ArrayList<>();
        for (Entry entry : all) {
            if (belongs.test(entry)) {
                pids.add(entry.pid());
                found.add(entry);
            }
        }
        for (int before = -1; before != found.size(); ) {
            before = found.size();
            for (Entry entry : all) {
                if (pids.contains(entry.parent()) && pids.add(entry.pid())) {
                    found.add(entry);
                }
            }
        }
        return found;
    }

    /**
     * SIGKILL to all that {@code listing} finds, until it finds none or time is up. Blocks.
     *
     * @return what is left
     */
    static List<Entry> kill(Supplier<List<Entry>> listing, long timeoutMs) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        List<Entry> left = listing.get();
        while (!left.isEmpty()) {
            for (Entry entry : left) {
                kill(entry);
            }
            LockSupport.parkNanos(POLL_NS);
            left = listing.get();
            if (System.nanoTime() - end >= 0) {
                break;
            }
        }
        return left;
    }

    private static void kill(Entry entry) {
        // The handle remembers the start time too: a pid that was reused in between is not hit.
        ProcessHandle.of(entry.pid()).ifPresent(handle -> {
            Entry now = read(entry.pid());
            if (now != null && now.startTicks() == entry.startTicks()) {
                handle.destroyForcibly();
            }
        });
    }

    /** Pids of {@code entries}. */
    static List<Long> pids(Collection<Entry> entries) {
        return entries.stream().map(Entry::pid).toList();
    }

    private static byte @Nullable [] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            // It ended meanwhile, or is somebody else's.
            return null;
        }
    }
}
