package io.llamaorch.orchestratord.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessLogTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private final List<String> failures = new CopyOnWriteArrayList<>();

    private static AccessLine line(int number) {
        return new AccessLine("GET", "/v1/pools", 200, 3, 812, true, "127.0.0.1", "key:ops", "corr-" + number, null);
    }

    private AccessLog open(Path file, long fileBytes) throws IOException {
        return AccessLog.open(new Config.AccessLog(file, fileBytes, 2, 128), failures::add);
    }

    @Test
    void shouldWriteEachLineInOrderWhenItCloses() throws IOException {
        Path file = folder.resolve("access.log");
        List<String> expected = new ArrayList<>();
        AccessLog log = open(file, 1 << 20);
        try (log) {
            for (int i = 0; i < 100; i++) {
                log.offer(line(i));
                expected.add(",\"event\":\"access\",\"human\":\"GET /v1/pools was answered with 200.\","
                        + "\"correlation_id\":\"corr-" + i + "\",\"identity\":\"key:ops\",\"method\":\"GET\","
                        + "\"route\":\"/v1/pools\",\"status\":200,\"duration_ms\":3,\"bytes\":812,\"complete\":true,"
                        + "\"remote\":\"127.0.0.1\"}");
            }
        }
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(100);
        for (int i = 0; i < 100; i++) {
            assertThat(lines.get(i)).startsWith("{\"ts\":\"").endsWith("\"level\":\"INFO\"" + expected.get(i));
        }
        assertThat(log.lost()).isZero();
        assertThat(failures).isEmpty();
    }

    @Test
    void shouldWriteOrCountEachLineAndNotBlockWhenMoreComeThanItHolds() throws IOException {
        Path file = folder.resolve("access.log");
        AccessLog log = open(file, 64 << 20);
        int offered = 100_000;
        try (log) {
            for (int i = 0; i < offered; i++) {
                log.offer(line(i));
            }
        }
        assertThat(Files.readAllLines(file)).hasSize((int) (offered - log.lost()));
        assertThat(log.lost()).isPositive();
    }

    @Test
    void shouldCountAndTellOnceWhenTheDiskFails() throws IOException {
        Path inner = Files.createDirectory(folder.resolve("d"));
        Path file = inner.resolve("access.log");
        AccessLog log = open(file, 1); // each write rotates
        try (log) {
            log.offer(line(0));
            while (Files.size(file) == 0) {
                Thread.onSpinWait();
            }
            Files.createDirectory(inner.resolve("access.log.1")); // what is in the way of the rotation
            Files.createFile(inner.resolve("access.log.1").resolve("x"));
            for (int i = 1; i <= 3; i++) {
                long before = log.lost();
                log.offer(line(i));
                while (log.lost() == before) {
                    Thread.onSpinWait();
                }
            }
        }
        assertThat(log.lost()).isEqualTo(3);
        assertThat(failures).singleElement().asString().contains("access_log_lost_total");
    }
}
