package io.llamaorch.orchestratord.adapters.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A command that can be started: all places filled in, the program an absolute path.
 *
 * @param argv program and arguments
 * @param environment variables added to the daemon's own
 * @param directory where it runs, null for the daemon's own directory
 */
public record EngineCommand(List<String> argv, Map<String, String> environment, @Nullable Path directory) {
    /** Copies both collections. */
    public EngineCommand {
        argv = List.copyOf(argv);
        environment = Map.copyOf(environment);
        if (argv.isEmpty()) {
            throw new IllegalArgumentException("argv is empty");
        }
    }

    /** The command line for people, arguments that are secrets by their names left out. Not for a shell. */
    @Override
    public String toString() {
        return new Redactor(this).commandLine();
    }
}
