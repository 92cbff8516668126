package io.llamaorch.orchestratord.artifacts.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class SegmentLogTest {
    private static final SegmentSettings SMALL = new SegmentSettings(400, 128);

    @TempDir
    private Path temp;

    private final Disk disk = new HostDisk();
    private final Random salts = new Random(7);
    private final List<String> seen = new ArrayList<>();

    private SegmentLog open(SegmentSettings settings) throws IOException {
        seen.clear();
        return SegmentLog.open(disk, temp, settings, salts::nextLong, record -> seen.add(text(record)));
    }

    private static String text(SegmentRecord record) {
        ByteBuffer payload = record.payload().duplicate();
        return record.type() + "." + record.version() + ":" + StandardCharsets.ISO_8859_1.decode(payload);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static long commit(SegmentLog log, String text) throws IOException {
        if (!log.hasRoom(text.length())) {
            log.roll();
        }
        long position = log.append(3, 1, bytes(text));
        log.write();
        log.sync();
        return position;
    }

    private Path only() throws IOException {
        try (var files = Files.list(temp)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(1);
            return all.get(0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 128})
    void shouldGiveBackEveryRecordInOrderAndByPosition(int extendBytes) throws IOException {
        List<String> expected = new ArrayList<>();
        for (int start = 0; start < 4; start++) {
            try (SegmentLog log = open(new SegmentSettings(400, extendBytes))) {
                assertThat(seen).isEqualTo(expected);
                List<Long> positions = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    positions.add(commit(log, "x".repeat(i * 5)));
                    expected.add("3.1:" + "x".repeat(i * 5));
                }
                for (int i = 0; i < 20; i++) {
                    assertThat(text(log.read(positions.get(i)))).isEqualTo("3.1:" + "x".repeat(i * 5));
                }
                assertThat(log.segments()).isGreaterThanOrEqualTo(4);
            }
        }
    }

    @Test
    void shouldTakeARecordThatIsLongerThanASegment() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            commit(log, "short");
            commit(log, "l".repeat(1000));
            commit(log, "short");
        }
        try (SegmentLog log = open(SMALL)) {
            assertThat(seen).containsExactly("3.1:short", "3.1:" + "l".repeat(1000), "3.1:short");
            assertThat(log.newest() - log.oldest()).isEqualTo(3);
        }
    }

    @Test
    void shouldCutATornTailWhereverItTore() throws IOException {
        int whole;
        try (SegmentLog log = open(SegmentSettings.DEFAULT)) {
            commit(log, "one");
            whole = (int) log.bytes();
            log.append(3, 1, bytes("two, of the last batches"));
            log.append(3, 1, bytes("three of the same"));
            log.write();
            log.sync();
        }
        Path file = only();
        byte[] content = Files.readAllBytes(file);
        for (int cut = whole; cut < whole + 73; cut++) {
            byte[] torn = content.clone();
            for (int i = cut; i < torn.length; i++) {
                torn[i] =
                        cut % 2 == 0 ? 0 : (byte) (torn[i] ^ 0x55); // not written at all, or written as something else
            }
            clear();
            Files.write(file, torn);
            try (SegmentLog log = open(SegmentSettings.DEFAULT)) {
                assertThat(seen).as("cut at %d", cut).startsWith("3.1:one").hasSize(cut >= whole + 40 ? 2 : 1);
                commit(log, "after");
            }
            open(SegmentSettings.DEFAULT).close();
            assertThat(seen).endsWith("3.1:after");
        }
    }

    private void clear() throws IOException {
        for (String name : disk.list(temp)) {
            disk.delete(temp.resolve(name));
        }
    }

    @Test
    void shouldRefuseDamageBeforeTheLastSyncAndChangeNothing() throws IOException {
        int synced;
        try (SegmentLog log = open(SegmentSettings.DEFAULT)) {
            commit(log, "one");
            commit(log, "two");
            synced = (int) log.bytes();
            commit(log, "three");
        }
        Path file = only();
        byte[] content = Files.readAllBytes(file);
        for (int at = 0; at < synced; at++) {
            byte[] damaged = content.clone();
            damaged[at] ^= 0x10;
            Files.write(file, damaged);
            if (at >= Frames.HEADER_BYTES - 4 && at < Frames.HEADER_BYTES) {
                continue; // the four bytes that mean nothing
            }
            assertThatThrownBy(() -> open(SegmentSettings.DEFAULT))
                    .as("byte %d", at)
                    .isInstanceOf(LogDamaged.class)
                    .hasMessageContaining(file.toString());
            assertThat(Files.readAllBytes(only())).isEqualTo(damaged);
        }
    }

    @Test
    void shouldRefuseDamageOfAClosedSegment() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            commit(log, "one");
            log.roll();
            commit(log, "two");
        }
        Path file = temp.resolve("0000000001.seg");
        byte[] content = Files.readAllBytes(file);
        for (int length : new int[] {0, Frames.HEADER_BYTES + 1, content.length - 1, content.length + 8}) {
            Files.write(file, java.util.Arrays.copyOf(content, length));
            assertThatThrownBy(() -> open(SMALL)).as("length %d", length).isInstanceOf(LogDamaged.class);
        }
        disk.delete(file);
        Files.write(temp.resolve("0000000000.seg"), content);
        assertThatThrownBy(() -> open(SMALL)).hasMessageContaining("0000000000.seg is no file of this daemon");
    }

    @Test
    void shouldRefuseAGap() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            for (int i = 0; i < 3; i++) {
                commit(log, "one");
                log.roll();
            }
        }
        disk.delete(temp.resolve("0000000002.seg"));
        assertThatThrownBy(() -> open(SMALL)).isInstanceOf(LogDamaged.class).hasMessageContaining("lacks a segment");
        assertThat(disk.list(temp)).hasSize(3);
    }

    @Test
    void shouldBeginAgainWhereACrashCameBeforeTheFirstSync() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            commit(log, "one");
            log.roll();
        }
        Path file = temp.resolve("0000000002.seg");
        for (int length = 0; length <= Frames.HEADER_BYTES; length++) {
            Files.write(file, new byte[length]);
            try (SegmentLog log = open(SMALL)) {
                assertThat(seen).containsExactly("3.1:one");
                assertThat(log.newest()).isEqualTo(2);
            }
        }
    }

    /** A payload is what a client sent: one that looks like records must not turn a torn tail into damage. */
    @Test
    void shouldNotTakeAPayloadForARecord() throws IOException {
        int whole;
        String forged;
        try (SegmentLog log = open(SegmentSettings.DEFAULT)) {
            commit(log, "one");
            commit(log, "two");
            whole = (int) log.bytes();
            byte[] own = Files.readAllBytes(only());
            long guessedSalt = 42;
            ByteBuffer fake = ByteBuffer.allocate(64);
            Frames.put(fake, guessedSalt, whole + 16, 3, 1, bytes("forged"));
            forged = new String(fake.array(), StandardCharsets.ISO_8859_1)
                    + new String(own, Frames.HEADER_BYTES, 24, StandardCharsets.ISO_8859_1);
            commit(log, "xxxxxxxx".repeat(2) + forged);
        }
        Path file = only();
        byte[] content = Files.readAllBytes(file);
        content[whole] ^= 1;
        Files.write(file, content);
        open(SegmentSettings.DEFAULT).close();
        assertThat(seen).containsExactly("3.1:one", "3.1:two");
    }

    @Test
    void shouldRemoveTheOldestSegments() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            long first = commit(log, "one");
            log.roll();
            long second = commit(log, "two");
            List<String> visited = new ArrayList<>();
            log.visit(log.oldest(), record -> visited.add(text(record)));
            assertThat(visited).containsExactly("3.1:one");
            long before = log.bytes();
            log.removeOldest();
            assertThat(log.bytes()).isEqualTo(before - Frames.HEADER_BYTES - Frames.length(3));
            assertThatThrownBy(() -> log.read(first)).isInstanceOf(NoSuchFileException.class);
            assertThat(text(log.read(second))).isEqualTo("3.1:two");
            assertThatThrownBy(log::removeOldest).isInstanceOf(IllegalStateException.class);
        }
        open(SMALL).close();
        assertThat(seen).containsExactly("3.1:two");
    }

    @Test
    void shouldNotReadWhatIsNoRecord() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            long position = commit(log, "one");
            assertThatThrownBy(() -> log.read(position + 8)).isInstanceOf(LogDamaged.class);
            assertThatThrownBy(() -> log.read(position + 4096)).isInstanceOf(LogDamaged.class);
        }
    }

    @Test
    void shouldNotGrowByStartsThatWriteNothing() throws IOException {
        try (SegmentLog log = open(SMALL)) {
            commit(log, "one");
        }
        for (int i = 0; i < 5; i++) {
            try (SegmentLog log = open(SMALL)) {
                assertThat(log.newest()).isEqualTo(2);
            }
        }
    }
}
