package io.llamaorch.orchestratord.server.cli;

import io.llamaorch.orchestratord.server.config.ConfigKey;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.EffectiveValue;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code orchestratord config}. */
@Command(
        name = "config",
        description = "Shows what a configuration says, and what its keys mean.",
        mixinStandardHelpOptions = true,
        subcommands = {ConfigCommand.Print.class, ConfigCommand.Explain.class})
final class ConfigCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing: print or explain");
    }

    /** {@code orchestratord config print}. */
    @Command(
            name = "print",
            description = "Prints each value that is in force, as key: value; secrets are hidden.",
            mixinStandardHelpOptions = true)
    static final class Print implements Callable<Integer> {
        @Mixin
        @SuppressWarnings("NullAway.Init")
        private ConfigOptions options;

        @Option(names = "--origin", description = "Also says where each value comes from.")
        private boolean origin;

        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Override
        public Integer call() {
            PrintWriter err = spec.commandLine().getErr();
            ConfigLoader.Loaded loaded = ServeCommand.load(options.file, options.sets, err);
            if (loaded == null) {
                return ServeCommand.UNUSABLE;
            }
            for (String line : lines(loaded, origin)) {
                spec.commandLine().getOut().println(line);
            }
            loaded.errors().forEach(problem -> err.println("error: " + problem));
            return loaded.errors().isEmpty() ? 0 : ServeCommand.FAILED;
        }
    }

    /** One line for each value that is in force. */
    static List<String> lines(ConfigLoader.Loaded loaded, boolean origin) {
        List<String> lines = new ArrayList<>();
        for (EffectiveValue value : loaded.effective()) {
            lines.add(value.path() + ": " + value.value() + (origin ? "  # " + value.origin() : ""));
        }
        return lines;
    }

    /** {@code orchestratord config explain}. */
    @Command(
            name = "explain",
            description = "Tells what a key means: type, range, default, variable; with --config its value.",
            mixinStandardHelpOptions = true)
    static final class Explain implements Callable<Integer> {
        @Parameters(paramLabel = "KEY", description = "Such as pools.0.queue.capacity, pools.*.ctx or log.")
        @SuppressWarnings("NullAway.Init")
        private String key;

        @Option(names = "--config", paramLabel = "FILE", description = "Also tells the value that is in force.")
        private @Nullable String file;

        @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Overrides one key. May be given again.")
        private List<String> sets = new ArrayList<>();

        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            PrintWriter err = spec.commandLine().getErr();
            ConfigKey found = ConfigKey.of(key);
            if (found == null) {
                String near = ConfigKey.nearest(key);
                err.println(
                        "orchestratord: there is no key " + key + (near == null ? "" : "; did you mean " + near + "?"));
                return ServeCommand.FAILED;
            }
            out.println(found.path() + ": " + found.meaning());
            out.println("  " + String.join(", ", found.type()));
            if (found.variable() != null) {
                out.println("  set by " + found.variable() + "=… or --set " + found.path() + "=…");
            }
            if (!found.members().isEmpty()) {
                out.println("  holds " + String.join(", ", found.members()));
            }
            if (file == null) {
                return 0;
            }
            ConfigLoader.Loaded loaded = ServeCommand.load(file, sets, err);
            if (loaded == null) {
                return ServeCommand.UNUSABLE;
            }
            String inside = key + ".";
            for (EffectiveValue value : loaded.effective()) {
                if (value.path().equals(key) || value.path().startsWith(inside)) {
                    out.println("  " + value.path() + " is " + value.value() + " (" + value.origin() + ")");
                }
            }
            return 0;
        }
    }
}
