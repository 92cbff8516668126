package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineLogFileTest {
    @TempDir
    Path folder;

    private void write(Path file, int filesMax, int lines) throws InterruptedException {
        EngineLogFile log = new EngineLogFile(file, 1_000, filesMax);
        for (int i = 0; i < lines; i++) {
            log.offer("line " + i);
        }
        log.close();
        log.awaitWritten();
        assertThat(log.failure()).isNull();
    }

    @Test
    void shouldRotateWithinItsBounds() throws IOException, InterruptedException {
        Path file = folder.resolve("e.log");
        write(file, 3, 500);
        try (Stream<Path> all = Files.list(folder)) {
            assertThat(all.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("e.log", "e.log.1", "e.log.2");
        }
        for (String name : List.of("e.log", "e.log.1", "e.log.2")) {
            assertThat(Files.size(folder.resolve(name))).isBetween(1L, 1_000L);
        }
        assertThat(Files.readAllLines(file)).last().asString().endsWith(" line 499");
        List<String> older = Files.readAllLines(folder.resolve("e.log.1"));
        assertThat(older.get(older.size() - 1)
                        .compareTo(Files.readAllLines(file).get(0)))
                .isNotPositive();
    }

    @Test
    void shouldGoOnWhereAnEarlierStartEnded() throws IOException, InterruptedException {
        Path file = folder.resolve("e.log");
        write(file, 1, 3);
        write(file, 1, 2);
        assertThat(Files.readAllLines(file)).hasSize(5);
        write(file, 1, 400);
        assertThat(Files.size(file)).isLessThanOrEqualTo(1_000);
        assertThat(folder.resolve("e.log.1")).doesNotExist();
    }

    @Test
    void shouldEndQuietlyWhenTheDiskFails() throws InterruptedException {
        EngineLogFile log = new EngineLogFile(folder.resolve("missing/e.log"), 1_000, 2);
        log.offer("line");
        log.awaitWritten();
        assertThat(log.failure()).isNotNull();
        for (int i = 0; i < 5_000; i++) {
            log.offer("never waits");
        }
    }
}
