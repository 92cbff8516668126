package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandTemplateTest {
    private static final CommandTemplate.Values VALUES =
            new CommandTemplate.Values("/models/my model;$(x).gguf", "0,2", 4096, 8);

    @TempDir
    Path folder;

    @Test
    void shouldFillPlacesWithoutSplittingArguments() throws IOException {
        CommandTemplate template = new CommandTemplate(
                List.of("/bin/sh", "-m", "{model}", "--port={port}", "{devices}", "-c", "{ctx}", "-np", "{slots}"),
                Map.of(),
                null);
        assertThat(template.resolve(VALUES, 8123).argv())
                .containsExactly(
                        "/bin/sh", "-m", "/models/my model;$(x).gguf", "--port=8123", "0,2", "-c", "4096", "-np", "8");
    }

    @Test
    void shouldTakeDoubledBracesForOne() throws IOException {
        CommandTemplate template = new CommandTemplate(List.of("/bin/sh", "{{\"a\":{ctx}}}", "}}{{"), Map.of(), null);
        assertThat(template.resolve(VALUES, 1).argv()).containsExactly("/bin/sh", "{\"a\":4096}", "}{");
    }

    @Test
    void shouldNameArgumentAndColumnOfAMistake() {
        assertMistake("ab{prt}", "command[1], column 3: {prt} is unknown; there are {model}, {port}, {devices}");
        assertMistake("a{port", "command[1], column 2: { without }");
        assertMistake("ab}c", "command[1], column 3: a single }");
        assertMistake("a\0", "command[1], column 2: a NUL");
        assertThatThrownBy(() -> new CommandTemplate(List.of("/bin/sh"), Map.of("X", "{gpu}"), null))
                .hasMessageContaining("environment X, column 1: {gpu} is unknown");
        assertThatThrownBy(() -> new CommandTemplate(List.of(), Map.of(), null)).hasMessageContaining("is empty");
        assertThatThrownBy(() -> new CommandTemplate(List.of("/bin/sh"), Map.of("A B", "x"), null))
                .hasMessageContaining("\"A B\" cannot be the name");
        assertThatThrownBy(() -> new CommandTemplate(List.of("/bin/sh"), Map.of("ORCHESTRATORD_ENGINE", "x"), null))
                .hasMessageContaining("set by the daemon");
    }

    private static void assertMistake(String argument, String message) {
        assertThatThrownBy(() -> new CommandTemplate(List.of("/bin/sh", argument), Map.of(), null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldShowTheEngineItsDevicesOnly() throws IOException {
        CommandTemplate template = new CommandTemplate(List.of("sh"), Map.of("CACHE", "/tmp/{port}"), null);
        assertThat(template.resolve(VALUES, 7).environment())
                .containsOnly(
                        Map.entry("CACHE", "/tmp/7"),
                        Map.entry("CUDA_VISIBLE_DEVICES", "0,2"),
                        Map.entry("CUDA_DEVICE_ORDER", "PCI_BUS_ID"));
        assertThat(template.resolve(new CommandTemplate.Values("m", "", 1, 1), 7)
                        .environment())
                .containsOnly(Map.entry("CACHE", "/tmp/7"));
        CommandTemplate other = new CommandTemplate(List.of("sh"), Map.of("CUDA_VISIBLE_DEVICES", "1"), null);
        assertThatThrownBy(() -> other.resolve(VALUES, 7))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(
                        "CUDA_VISIBLE_DEVICES is 1 in the engine's environment and 0,2 by its device mask");
    }

    @Test
    void shouldFindTheProgramInPathOrByPath() throws IOException {
        Path program = Files.writeString(folder.resolve("engine"), "#!/bin/sh\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        CommandTemplate named = new CommandTemplate(List.of("engine"), Map.of("PATH", "/nonexistent:" + folder), null);
        assertThat(named.resolve(VALUES, 1).argv()).containsExactly(program.toString());
        CommandTemplate beside = new CommandTemplate(List.of("./engine"), Map.of(), folder);
        assertThat(Path.of(beside.resolve(VALUES, 1).argv().get(0)).normalize()).isEqualTo(program);
    }

    @Test
    void shouldSayWhatIsWrongWithTheProgram() throws IOException {
        Path text = Files.writeString(folder.resolve("text"), "hello");
        assertThatThrownBy(() -> resolve(folder.resolve("gone").toString())).hasMessageContaining("does not exist");
        assertThatThrownBy(() -> resolve(folder.toString())).hasMessageContaining("is not a file");
        assertThatThrownBy(() -> resolve(text.toString())).hasMessageContaining("cannot be executed by this user");
        assertThatThrownBy(() -> resolve("no-such-program-here")).hasMessageContaining("was not found in PATH");
        assertThatThrownBy(() -> new CommandTemplate(List.of("sh"), Map.of(), text).resolve(VALUES, 1))
                .hasMessageContaining("is not a directory");
    }

    private static EngineCommand resolve(String program) throws IOException {
        return new CommandTemplate(List.of(program), Map.of(), null).resolve(VALUES, 1);
    }
}
