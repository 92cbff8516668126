package io.llamaorch.orchestratord.bench.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Where and on what a report was made. */
final class Host {
    private Host() {}

    /** One line a fact. */
    static List<String> describe(JavaCommand java) {
        List<String> lines = new ArrayList<>();
        lines.add("date: " + ZonedDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS));
        lines.add("host: " + processor() + ", " + Runtime.getRuntime().availableProcessors() + " processors, kernel "
                + System.getProperty("os.version"));
        lines.add("JDK: " + System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        lines.add("flags of the bench's JVMs: " + java.flags());
        String changed = first(List.of("git", "status", "--porcelain", "--untracked-files=no"));
        lines.add("commit: " + first(List.of("git", "rev-parse", "--short=12", "HEAD"))
                + (changed.isEmpty() ? "" : " with changes"));
        lines.add(
                "peers: " + first(List.of("/usr/sbin/nginx", "-v")) + "; " + first(List.of("/usr/sbin/haproxy", "-v")));
        return lines;
    }

    private static String processor() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).trim())
                    .findFirst()
                    .orElse(System.getProperty("os.arch", "?"));
        } catch (IOException e) {
            return System.getProperty("os.arch", "?");
        }
    }

    /** The first line that a command prints; empty when there is none or no such command. */
    private static String first(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String text = new String(process.getInputStream().readNBytes(10_000), StandardCharsets.UTF_8);
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            return text.lines().findFirst().orElse("").strip();
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }
}
