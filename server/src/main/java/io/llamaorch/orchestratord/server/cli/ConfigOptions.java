package io.llamaorch.orchestratord.server.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of the commands that read a configuration. */
final class ConfigOptions {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "Configuration file (YAML). Variables ORCHESTRATORD_* override it.")
    @SuppressWarnings("NullAway.Init")
    String file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Overrides one key, such as pools.0.queue.capacity=16. May be given again.")
    List<String> sets = new ArrayList<>();
}
