package io.llamaorch.orchestratord.bench.report;

import io.llamaorch.orchestratord.bench.report.MarkdownReport.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The report's command: measures the daemon beside HAProxy, nginx and the engine alone, in turn, in several rounds, and
 * writes one Markdown file and one file of JSON lines.
 *
 * <p>Ends in the time that was set: what does not fit is left out, and the report says so. Exit status: 0 when all was
 * measured and every answer was right, else 1.
 */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures orchestratord beside nginx, HAProxy and the engine alone.")
public final class BenchReport implements Callable<Integer> {
    private static final int[] UNPACED_STREAMS = {64, 512, 2000};
    private static final double WARM_SECONDS = 5;
    /** Admissions of a round, with its warm-up, for one that is counted. */
    private static final double ADMITTED_PER_COUNTED = 1.5;
    /** The daemon's queue holds 1,000,000; the next round must fit. */
    private static final double QUEUE_FILL_MAX = 700_000;

    private static final String FOREIGN = "foreign_processors";
    private static final List<String> PEERS = List.of(Target.HAPROXY, Target.NGINX, Target.DIRECT);

    @Parameters(arity = "0..1", description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    private Figure figure = Figure.ALL;

    @Option(names = "--daemon", paramLabel = "LAUNCHER", description = "scripts/orchestratord; absent: left out")
    private @Nullable Path launcher;

    @Option(names = "--rounds", description = "default: ${DEFAULT-VALUE}")
    private int rounds = 3;

    @Option(names = "--limit", paramLabel = "SECONDS", description = "for the whole run (default: ${DEFAULT-VALUE})")
    private double limitSeconds = 480;

    @Option(
            names = "--quiet",
            paramLabel = "CPUS",
            description = "measure again, twice at most, while other work takes more; the quietest counts")
    private double foreignMax = Double.POSITIVE_INFINITY;

    @Option(names = "--out", paramLabel = "FOLDER", description = "default: ${DEFAULT-VALUE}")
    private Path out = Path.of("bench", "target", "report");

    private final long startNs = System.nanoTime();
    private final List<String> arguments;
    private final JavaCommand java = new JavaCommand();
    private final Results results = new Results();
    private String daemonFlags = "–";

    private BenchReport(List<String> arguments) {
        this.arguments = arguments;
    }

    /** See {@code --help}. */
    public static void main(String[] arguments) {
        int status = new CommandLine(new BenchReport(List.of(arguments)))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(arguments);
        System.exit(status);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path parent = Files.createDirectories(out).toRealPath();
        Path folder = Files.createTempDirectory(parent, "run-");
        Path daemon = launcher;
        if (daemon != null && !Files.isExecutable(daemon)) {
            results.note("orchestratord is left out: " + daemon + " is not executable");
            daemon = null;
        } else if (daemon == null) {
            results.note("orchestratord is left out: no --daemon was given");
        } else {
            daemon = daemon.toRealPath();
        }
        try (Children children = new Children(folder)) {
            Loader loader = new Loader(children, java);
            measure(Figure.P8, children, folder, daemon, loader);
            measure(Figure.P1, children, folder, daemon, loader, "--pace-ms", "20", "--stamp");
            measure(Figure.P5, children, folder, daemon, loader, "--ttft-ms", "3600000");
            measure(Figure.P3, children, folder, daemon, loader);
        }
        String report = report();
        Files.writeString(parent.resolve("report.md"), report);
        Files.write(
                parent.resolve("samples.jsonl"),
                results.all().stream().map(Sample::json).toList());
        System.out.print(report);
        System.out.println("\nwritten to " + parent + "; logs in " + folder);
        return results.notes().isEmpty() ? 0 : 1;
    }

    private void measure(
            Figure wanted, Children children, Path folder, @Nullable Path daemon, Loader loader, String... engine)
            throws IOException, InterruptedException {
        if (!figure.includes(wanted) || (wanted == Figure.P8 && daemon == null)) {
            return;
        }
        try (Bed bed = new Bed(children, folder, daemon, java, List.of(engine))) {
            Target machine = bed.daemon();
            if (machine != null) {
                daemonFlags = flags(javaPid(machine.pid()));
            }
            for (int round = 0; round < rounds; round++) {
                switch (wanted) {
                    case P1 -> paced(bed, loader, round);
                    case P3 -> unpaced(bed, loader, round);
                    case P5 -> admission(bed, loader, round);
                    default -> allocation(bed, loader, round);
                }
            }
        } catch (IOException e) {
            results.note(wanted + " is not complete: " + e.getMessage());
        }
    }

    /** The targets, another one first in each round. */
    private static List<Target> rotated(Bed bed, int round) {
        List<Target> targets = new ArrayList<>(bed.targets());
        Collections.rotate(targets, -round);
        return targets;
    }

    private void paced(Bed bed, Loader loader, int round) throws IOException, InterruptedException {
        List<String> load = List.of("--connections", "1000", "--tokens", "100", "--drain", "6", "--stamped");
        warm(bed, loader, round, "STREAM", load);
        for (Target target : rotated(bed, round)) {
            run(bed, loader, "P1", target, 10, streamMode(target), with(load, "--warmup", "1.5", "--seconds", "5"));
        }
    }

    private void unpaced(Bed bed, Loader loader, int round) throws IOException, InterruptedException {
        for (int streams : UNPACED_STREAMS) {
            List<String> load = List.of("--connections", Integer.toString(streams), "--tokens", "200", "--drain", "15");
            if (streams == UNPACED_STREAMS[0]) {
                warm(bed, loader, round, "STREAM", load);
            }
            for (Target target : rotated(bed, round)) {
                List<String> options = with(load, "--warmup", "1", "--seconds", "2.5");
                run(bed, loader, "P3 " + streams, target, 8, streamMode(target), options);
            }
        }
    }

    private void admission(Bed bed, Loader loader, int round) throws IOException, InterruptedException {
        List<String> load = List.of("--connections", "64", "--deadline-ms", "1000000000000");
        Target daemon = bed.daemon();
        double queued = daemon == null ? 0 : results.sum("P5", daemon.name(), "requests") * ADMITTED_PER_COUNTED;
        boolean restart = queued / Math.max(1, round) * (round + 1) > QUEUE_FILL_MAX;
        if (restart) {
            bed.restartDaemon();
        }
        warm(bed, loader, restart ? 0 : round, "ADMIT", load);
        for (Target target : rotated(bed, round)) {
            if (!target.name().equals(Target.HAPROXY)) {
                run(bed, loader, "P5", target, 6, "ADMIT", with(load, "--warmup", "1", "--seconds", "3"));
            }
        }
    }

    private void allocation(Bed bed, Loader loader, int round) throws IOException, InterruptedException {
        Target daemon = bed.daemon();
        if (daemon == null) {
            return;
        }
        Target machine = new Target(daemon.name(), daemon.port(), javaPid(daemon.pid()));
        List<String> load = List.of("--connections", "64");
        warm(bed, loader, round, "STREAM", load);
        for (int tokens : new int[] {20, 1000}) {
            List<String> options =
                    with(load, "--tokens", Integer.toString(tokens), "--warmup", "1", "--seconds", "2.5", "--heap");
            run(bed, loader, "P8 " + tokens, machine, 8, "STREAM", options);
        }
    }

    /** Before the first round the daemon's code is compiled under the same load; not counted. */
    private void warm(Bed bed, Loader loader, int round, String mode, List<String> load)
            throws IOException, InterruptedException {
        Target daemon = bed.daemon();
        if (round == 0 && daemon != null && elapsedSeconds() + WARM_SECONDS < limitSeconds) {
            List<String> options = with(load, "--mode", mode, "--seconds", Double.toString(WARM_SECONDS));
            loader.run(daemon, bed.enginePid(), options);
        }
    }

    private static List<String> with(List<String> load, String... more) {
        return Stream.concat(load.stream(), Stream.of(more)).toList();
    }

    private double elapsedSeconds() {
        return (System.nanoTime() - startNs) / 1e9;
    }

    /** A launcher may keep the JVM as its child. */
    private static long javaPid(long pid) {
        return ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::descendants)
                .filter(process -> process.info().command().orElse("").endsWith("/java"))
                .mapToLong(ProcessHandle::pid)
                .findFirst()
                .orElse(pid);
    }

    /** What a JVM was started with, without its class path and program. */
    private static String flags(long pid) {
        String[] all = ProcessHandle.of(pid)
                .flatMap(process -> process.info().arguments())
                .orElse(new String[0]);
        return Stream.of(all).takeWhile(argument -> !argument.equals("-cp")).collect(Collectors.joining(" "));
    }

    private static String streamMode(Target target) {
        return target.daemon() ? "STREAM" : "PROXY";
    }

    private void run(
            Bed bed, Loader loader, String test, Target target, double seconds, String mode, List<String> options)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("--mode", mode, "--label", test + " " + target.name()));
        arguments.addAll(options);
        Sample sample = null;
        for (int attempt = 0; attempt < 3; attempt++) {
            double elapsed = elapsedSeconds();
            boolean noisy = sample == null || sample.number(FOREIGN) > foreignMax;
            if (noisy && elapsed + seconds <= limitSeconds) {
                Sample next = loader.run(target, bed.enginePid(), arguments);
                sample = sample == null || next.number(FOREIGN) < sample.number(FOREIGN) ? next : sample;
            }
        }
        if (sample == null) {
            results.note("some rounds were left out: the run may take " + limitSeconds + " s");
            return;
        }
        results.add(test, target.name(), sample);
        String complaint = sample.complaint();
        if (complaint != null) {
            results.note(test + " " + target.name() + ": " + complaint);
        }
        System.err.printf(
                "%4.0f s  %-8s %-14s %10.0f tokens/s %9.0f requests/s%s%n",
                elapsedSeconds(),
                test,
                target.name(),
                sample.number("tokens_s"),
                sample.number("requests_s"),
                complaint == null ? "" : "  " + complaint);
    }

    private String report() {
        MarkdownReport text = new MarkdownReport(results);
        Host.describe(java).forEach(line -> text.line("- " + line));
        text.line("- flags of the daemon's JVM: " + daemonFlags);
        text.line("- command: scripts/bench " + String.join(" ", arguments) + "; " + rounds
                + " rounds, targets in turn; median (min–max)");
        Column foreign = new Column("foreign CPUs", sample -> sample.number(FOREIGN));
        Column loader = new Column("loader CPUs", sample -> sample.number("loader_processors"));
        Column cpu = new Column("CPU s per million tokens", sample -> sample.number("target_cpu_s_per_mtok"));
        Column rate = new Column("k tokens/s", sample -> sample.number("tokens_s") / 1e3);
        text.table(
                "P1: 1,000 streams, a token each 20 ms",
                "P1",
                List.of(
                        cpu,
                        new Column("delivery p50 ms", sample -> sample.number("delivery_p50_us") / 1e3),
                        new Column("p99 ms", sample -> sample.number("delivery_p99_us") / 1e3),
                        new Column("ttft p99 ms", sample -> sample.number("ttft_p99_us") / 1e3),
                        rate,
                        new Column("RSS MB", sample -> sample.number("target_rss_bytes") / 1e6),
                        loader,
                        foreign),
                PEERS);
        for (int streams : UNPACED_STREAMS) {
            text.table(
                    "P3: " + streams + " streams, unpaced, 200 tokens a task",
                    "P3 " + streams,
                    List.of(rate, cpu, loader, foreign),
                    PEERS);
        }
        text.table(
                "P5: POST /v1/tasks to 202, 64 connections, closed loop (the daemon's engine holds 2,000 tasks, the rest"
                        + " queue; proxies pass on to the engine's stub)",
                "P5",
                List.of(
                        new Column("k requests/s", sample -> sample.number("requests_s") / 1e3),
                        new Column("p50 ms", sample -> sample.number("admission_p50_us") / 1e3),
                        new Column("p99 ms", sample -> sample.number("admission_p99_us") / 1e3),
                        new Column(
                                "CPU µs a request",
                                sample -> sample.number("target_cpu_s") / sample.number("requests") * 1e6),
                        new Column("RSS MB", sample -> sample.number("target_rss_bytes") / 1e6),
                        loader,
                        foreign),
                List.of(Target.NGINX, Target.HAPROXY, Target.DIRECT));
        allocation(text);
        if (!results.notes().isEmpty()) {
            text.line("");
            text.line("Notes:");
            results.notes().forEach(note -> text.line("- " + note));
        }
        return text.toString();
    }

    /** Two lengths of a task give two equations: bytes = tasks × a + tokens × b. */
    private void allocation(MarkdownReport text) {
        String few = "P8 20";
        String many = "P8 1000";
        Series short20 = results.series(few, Target.DAEMON, BenchReport::bytesPerToken);
        Series long1000 = results.series(many, Target.DAEMON, BenchReport::bytesPerToken);
        if (short20.isEmpty() || long1000.isEmpty()) {
            return;
        }
        double perToken = slope(short20.median(), 20, long1000.median(), 1000);
        text.line("");
        text.line(
                "**P8: heap bytes allocated by the daemon (all its threads, ThreadMXBean over JMX), 64 streams unpaced**");
        text.line("");
        text.line("| | median (min–max) |");
        text.line("|---|---|");
        text.line("| bytes per token, 20 tokens a task | " + short20.text() + " |");
        text.line("| bytes per token, 1,000 tokens a task | " + long1000.text() + " |");
        text.line("| a further token (from the two) | " + Series.number(perToken) + " |");
        text.line("| a task | " + Series.number((short20.median() - perToken) * 20) + " |");
    }

    private static double bytesPerToken(Sample sample) {
        return sample.number("allocated_bytes") / sample.number("tokens");
    }

    /**
     * What one more token costs, when a token costs {@code shortCost} on average in tasks of {@code shortTokens} and
     * {@code longCost} in tasks of {@code longTokens}.
     */
    static double slope(double shortCost, int shortTokens, double longCost, int longTokens) {
        return (longCost * longTokens - shortCost * shortTokens) / (longTokens - shortTokens);
    }
}
