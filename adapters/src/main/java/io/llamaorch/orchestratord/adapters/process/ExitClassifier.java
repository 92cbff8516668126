package io.llamaorch.orchestratord.adapters.process;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** From what is known about an engine's end to one reason and one sentence. Pure. */
final class ExitClassifier {
    /** Longest line of the engine's that is shown, characters. */
    static final int LINE_MAX = 240;

    private static final int SIGKILL = 9;
    private static final int SIGNALS = 64;
    private static final int NOT_EXECUTABLE = 126;
    private static final int NOT_FOUND = 127;

    /** Signals that a program brings upon itself: ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS. */
    private static final Set<Integer> OF_ITS_OWN = Set.of(4, 5, 6, 7, 8, 11, 31);

    private static final Map<Integer, String> NAMES = Map.ofEntries(
            Map.entry(1, "SIGHUP"),
            Map.entry(2, "SIGINT"),
            Map.entry(3, "SIGQUIT"),
            Map.entry(4, "SIGILL"),
            Map.entry(5, "SIGTRAP"),
            Map.entry(6, "SIGABRT"),
            Map.entry(7, "SIGBUS"),
            Map.entry(8, "SIGFPE"),
            Map.entry(9, "SIGKILL"),
            Map.entry(10, "SIGUSR1"),
            Map.entry(11, "SIGSEGV"),
            Map.entry(12, "SIGUSR2"),
            Map.entry(13, "SIGPIPE"),
            Map.entry(14, "SIGALRM"),
            Map.entry(15, "SIGTERM"),
            Map.entry(24, "SIGXCPU"),
            Map.entry(25, "SIGXFSZ"),
            Map.entry(31, "SIGSYS"));

    private ExitClassifier() {}

    static ExitReason classify(ExitEvidence evidence) {
        int status = evidence.status();
        int signal = status > 128 && status <= 128 + SIGNALS ? status - 128 : 0;
        int code = signal == 0 ? status : -1;
        String how = signal != 0 ? "ended by " + name(signal) : "exit code " + code;
        String last = evidence.tail().isEmpty()
                ? null
                : evidence.tail().get(evidence.tail().size() - 1);

        if (evidence.stopAsked()) {
            return reason(evidence, ExitKind.STOPPED, true, code, signal, "stopped as asked", null);
        }
        if (status < 0) {
            return reason(evidence, ExitKind.GUARD_LOST, true, -1, 0, "its guard was killed, and it with it", last);
        }
        if (status == 0) {
            return reason(evidence, ExitKind.CLEAN, true, 0, 0, "exited with code 0, and nobody had asked it to", last);
        }
        if (signal == SIGKILL && evidence.cgroupOomKills() > 0) {
            return reason(
                    evidence,
                    ExitKind.HOST_OUT_OF_MEMORY,
                    true,
                    code,
                    signal,
                    "killed by the kernel: out of host memory (oom_kill in the daemon's cgroup)",
                    last);
        }
        ExitSigns.Sign sign = ExitSigns.find(evidence.tail());
        if (sign != null && sign.certain()) {
            return reason(
                    evidence, sign.kind(), true, code, signal, words(sign.kind()) + " (" + how + ")", sign.line());
        }
        if (evidence.cgroupOomKills() > 0 || (evidence.hostOomKills() > 0 && signal == SIGKILL)) {
            String what = signal == SIGKILL
                    ? "presumably killed by the kernel: out of host memory (" + how + ")"
                    : "presumably out of host memory: the kernel killed a process of the daemon's cgroup (" + how + ")";
            return reason(evidence, ExitKind.HOST_OUT_OF_MEMORY, false, code, signal, what, last);
        }
        String hint = evidence.driverHint();
        if (hint != null) {
            return reason(
                    evidence,
                    ExitKind.DRIVER_FAULT,
                    false,
                    code,
                    signal,
                    "presumably a driver fault, " + bounded(hint) + " (" + how + ")",
                    last);
        }
        if (sign != null) {
            String what = "presumably " + words(sign.kind()) + " (" + how + ")";
            return reason(evidence, sign.kind(), false, code, signal, what, sign.line());
        }
        if (OF_ITS_OWN.contains(signal)) {
            return reason(evidence, ExitKind.CRASH, true, code, signal, "crashed: " + how, last);
        }
        if (signal != 0) {
            String by = signal == SIGKILL ? " from outside the daemon" : "";
            return reason(evidence, ExitKind.SIGNAL, true, code, signal, how + by, last);
        }
        if (code == NOT_EXECUTABLE || code == NOT_FOUND) {
            return reason(
                    evidence, ExitKind.CANNOT_START, false, code, 0, "presumably could not be started: " + how, last);
        }
        return reason(evidence, ExitKind.EXIT_CODE, true, code, 0, how, last);
    }

    /** A reason that the engine did not give itself: it was stopped because it did not answer. */
    static ExitReason unresponsive(ExitReason end, String why) {
        return new ExitReason(ExitKind.UNRESPONSIVE, true, end.exitCode(), end.signal(), bounded(why));
    }

    private static String words(ExitKind kind) {
        return switch (kind) {
            case VRAM_OUT_OF_MEMORY -> "out of GPU memory";
            case HOST_OUT_OF_MEMORY -> "out of host memory";
            case PORT_IN_USE -> "its port is in use";
            case MODEL_MISSING -> "its model is missing or unreadable";
            case DRIVER_FAULT -> "a driver or device fault";
            default -> "could not be started";
        };
    }

    private static ExitReason reason(
            ExitEvidence evidence,
            ExitKind kind,
            boolean certain,
            int code,
            int signal,
            String what,
            @Nullable String line) {
        StringBuilder out = new StringBuilder(what);
        List<Long> left = evidence.survivors();
        if (!left.isEmpty()) {
            out.append("; could not be killed: ")
                    .append(left.stream().limit(8).map(String::valueOf).collect(Collectors.joining(", ")));
        }
        if (line != null) {
            out.append(": \"").append(bounded(line.strip())).append('"');
        }
        return new ExitReason(kind, certain, code, signal, out.toString());
    }

    private static String name(int signal) {
        return NAMES.getOrDefault(signal, "signal " + signal);
    }

    private static String bounded(String text) {
        if (text.length() <= LINE_MAX) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(LINE_MAX - 1)) ? LINE_MAX - 1 : LINE_MAX;
        return text.substring(0, end) + "…";
    }
}
