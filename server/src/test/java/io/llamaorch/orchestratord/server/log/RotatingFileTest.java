package io.llamaorch.orchestratord.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotatingFileTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Path path(String name) {
        return folder.resolve(name);
    }

    private static void write(RotatingFile file, String text) throws IOException {
        file.write(text.getBytes(UTF_8));
    }

    @Test
    void shouldKeepSoManyFilesOfAtMostThatLengthWhenItGrows() throws IOException {
        RotatingFile file = RotatingFile.open(path("a"), 10, 3);
        for (int i = 0; i < 9; i++) {
            write(file, "line" + i + "\n");
        }
        file.close();
        assertThat(path("a")).hasContent("line8\n");
        assertThat(path("a.1")).hasContent("line7\n");
        assertThat(path("a.2")).hasContent("line6\n");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).hasSize(3);
        }
    }

    @Test
    void shouldGoOnBehindWhatIsThere() throws IOException {
        Files.writeString(path("a"), "123456\n");
        RotatingFile file = RotatingFile.open(path("a"), 10, 2);
        write(file, "7\n");
        write(file, "8\n");
        file.close();
        assertThat(path("a.1")).hasContent("123456\n7\n");
        assertThat(path("a")).hasContent("8\n");
    }

    @Test
    void shouldStartEmptyAgainWhenOneFileIsKept() throws IOException {
        RotatingFile file = RotatingFile.open(path("a"), 4, 1);
        write(file, "123\n");
        write(file, "456\n");
        file.close();
        assertThat(path("a")).hasContent("456\n");
    }

    @Test
    void shouldOpenTheFileAnewAfterAFailure() throws IOException {
        Path inner = Files.createDirectory(path("d"));
        RotatingFile file = RotatingFile.open(inner.resolve("a"), 4, 2);
        write(file, "123\n");
        file.close();
        Files.delete(inner.resolve("a"));
        Files.delete(inner);
        assertThatThrownBy(() -> write(file, "456\n")).isInstanceOf(IOException.class);
        Files.createDirectory(inner);
        write(file, "789\n");
        file.close();
        assertThat(inner.resolve("a")).hasContent("789\n");
    }
}
