package io.llamaorch.orchestratord.bench.report;

import io.llamaorch.orchestratord.bench.load.LoadGenerator;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the load generator as a process of its own and reads its result. */
final class Loader {
    private final Children children;
    private final JavaCommand java;

    Loader(Children children, JavaCommand java) {
        this.children = children;
        this.java = java;
    }

    /**
     * One run.
     *
     * @param target what is measured
     * @param enginePid the engine behind it, whose work is not foreign
     * @param options of the load generator
     */
    Sample run(Target target, long enginePid, List<String> options) throws IOException, InterruptedException {
        List<String> command = java.command(LoadGenerator.class);
        command.addAll(List.of("--port", Integer.toString(target.port()), "--pid", Long.toString(target.pid())));
        if (target.pid() != enginePid) {
            command.addAll(List.of("--beside", Long.toString(enginePid)));
        }
        command.addAll(options);
        Process process = children.startPiped("load", command);
        List<String> lines = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            out.lines().forEach(lines::add);
            process.waitFor(5, TimeUnit.SECONDS);
        } finally {
            children.stop(process);
        }
        String last = lines.isEmpty() ? "it printed nothing" : lines.get(lines.size() - 1);
        if (!last.startsWith("{")) {
            throw new IOException("the load generator failed on " + target.name() + ": " + last);
        }
        return Sample.parse(last);
    }
}
