package io.llamaorch.orchestratord.server.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code orchestratord}. */
@Command(
        name = "orchestratord",
        description = "HTTP control and data plane in front of LLM engines.",
        mixinStandardHelpOptions = true,
        versionProvider = BuildInfo.class,
        subcommands = {
            ServeCommand.class,
            CheckCommand.class,
            ConfigCommand.class,
            BundleCommand.class,
            VersionCommand.class,
            CommandLine.HelpCommand.class
        })
final class RootCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "a command is missing: serve, check, config, bundle or version");
    }
}
