package io.llamaorch.orchestratord.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The manual page names every command and option that there is. */
@NullUnmarked
class ManualTest {
    private static final Path PAGE = Path.of("../scripts/packaging/man/orchestratord.8");

    @Test
    void shouldNameEveryCommandAndOption() throws IOException {
        String page = Files.readString(PAGE).replace("\\-", "-");
        CommandLine root = Main.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
        for (CommandLine command : root.getSubcommands().values()) {
            String name = command.getCommandName();
            assertThat(page.lines()).as("a heading for %s", name).contains(".B " + name);
            command.getCommandSpec().options().forEach(option -> assertThat(page)
                    .as("%s of %s", option.longestName(), name)
                    .contains(option.longestName()));
        }
    }
}
