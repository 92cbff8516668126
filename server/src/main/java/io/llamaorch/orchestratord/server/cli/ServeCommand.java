package io.llamaorch.orchestratord.server.cli;

import io.llamaorch.orchestratord.server.Daemon;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.Problem;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code orchestratord serve}. */
@Command(name = "serve", description = "Runs the daemon until SIGTERM.", mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
    /** Exit status of {@code check}: the configuration has errors. */
    static final int FAILED = 1;
    /** Exit status: wrong usage, or, of {@code serve}, a configuration that cannot be read or has errors. */
    static final int UNUSABLE = 2;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ConfigOptions options;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public Integer call() {
        return serve(options.file, options.sets, spec.commandLine().getErr());
    }

    /** Loads the configuration and runs the daemon. */
    static int serve(String file, List<String> sets, PrintWriter err) {
        ConfigLoader.Loaded loaded = load(file, sets, err);
        if (loaded == null) {
            return UNUSABLE;
        }
        for (Problem error : loaded.errors()) {
            err.println("error: " + error);
        }
        if (loaded.config() == null) {
            for (Problem warning : loaded.warnings()) {
                err.println("warning: " + warning);
            }
            err.println("orchestratord: not started: " + count(loaded.errors().size(), "error") + " in " + file);
            return UNUSABLE;
        }
        return Daemon.run(loaded);
    }

    /** The loaded configuration, or null after a sentence on {@code err} where the file cannot be read. */
    static ConfigLoader.@Nullable Loaded load(String file, List<String> sets, PrintWriter err) {
        try {
            return ConfigLoader.load(Path.of(file), System.getenv(), sets);
        } catch (IOException | InvalidPathException e) {
            err.println("orchestratord: cannot read " + file + ": " + ConfigLoader.reason(e));
            return null;
        }
    }

    /** {@code 1 error}, {@code 2 errors}. */
    static String count(int count, String noun) {
        return count + " " + noun + (count == 1 ? "" : "s");
    }
}
