package io.llamaorch.orchestratord.artifacts.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk;
import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk.Fault;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every call to the disk fails once, in every way: what was acknowledged is there, what was refused is not. */
@NullUnmarked
class SegmentFaultTest {
    private static final SegmentSettings SMALL = new SegmentSettings(300, 64);

    @TempDir
    private Path temp;

    private final Random salts = new Random(11);
    private final List<String> acknowledged = new ArrayList<>();
    private final List<String> unknown = new ArrayList<>();
    private boolean failed;
    private int refused;

    private static String text(SegmentRecord record) {
        return StandardCharsets.US_ASCII.decode(record.payload().duplicate()).toString();
    }

    private SegmentLog open(Disk disk, Path folder, List<String> seen) throws IOException {
        return SegmentLog.open(disk, folder, SMALL, salts::nextLong, record -> seen.add(text(record)));
    }

    /** One commit as an owner makes it; what a failed log was given may be there or not. */
    private void commit(SegmentLog log, String text) {
        boolean written = false;
        try {
            ByteBuffer payload = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            if (!log.hasRoom(payload.remaining())) {
                log.roll();
            }
            log.append(1, 1, payload);
            log.write();
            written = true;
            log.sync();
            acknowledged.add(text);
        } catch (LogFailed e) {
            failed = true;
            unknown.add(text);
        } catch (IOException e) {
            assertThat(written).as("a sync that fails is for good").isFalse();
            refused++;
        }
    }

    private void work(Disk disk, Path folder) throws IOException {
        acknowledged.clear();
        unknown.clear();
        failed = false;
        refused = 0;
        try (SegmentLog log = open(disk, folder, new ArrayList<>())) {
            for (int i = 0; i < 12; i++) {
                commit(log, "record " + i + " " + "x".repeat(i * 9));
                assertThat(log.failed() != null).isEqualTo(failed);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepWhatWasAcknowledgedAndNothingThatWasRefused(Fault fault) throws IOException {
        boolean fired = true;
        int failures = 0;
        int refusals = 0;
        for (int n = 1; fired; n++) {
            Path folder = Files.createDirectory(temp.resolve(fault + "-" + n));
            FaultyDisk disk = new FaultyDisk();
            disk.failAt(n, fault);
            try {
                work(disk, folder);
            } catch (IOException e) {
                assertThat(n).as("opening or closing").isNotNull();
            }
            fired = disk.disarm();
            failures += failed ? 1 : 0;
            refusals += refused;
            List<String> seen = new ArrayList<>();
            open(new HostDisk(), folder, seen).close();
            assertThat(seen).as("call %d", n).doesNotHaveDuplicates();
            assertThat(seen.stream().filter(acknowledged::contains)).isEqualTo(acknowledged);
            seen.removeAll(acknowledged);
            assertThat(unknown).as("call %d", n).containsAll(seen);
        }
        assertThat(failures).isGreaterThanOrEqualTo(fault == Fault.SHORT ? 0 : 5);
        assertThat(refusals).isGreaterThanOrEqualTo(fault == Fault.SHORT ? 0 : 5);
    }

    @ParameterizedTest
    @EnumSource
    void shouldOpenOrSayWhyAndLoseNothing(Fault fault) throws IOException {
        Path origin = Files.createDirectory(temp.resolve("origin"));
        work(new HostDisk(), origin);
        List<String> expected = List.copyOf(acknowledged);
        Path last = origin.resolve(
                new HostDisk().list(origin).stream().max(String::compareTo).orElseThrow());
        Files.write(last, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, java.nio.file.StandardOpenOption.APPEND); // torn
        boolean fired = true;
        for (int n = 1; fired; n++) {
            Path folder = Files.createDirectory(temp.resolve("o" + n));
            for (String name : new HostDisk().list(origin)) {
                Files.copy(origin.resolve(name), folder.resolve(name));
            }
            FaultyDisk disk = new FaultyDisk();
            disk.failAt(n, fault);
            List<String> seen = new ArrayList<>();
            try {
                open(disk, folder, seen).close();
                assertThat(seen).isEqualTo(expected);
            } catch (IOException e) {
                assertThat(e).hasMessageMatching("(?s).*(No space left|Input/output error).*");
            }
            fired = disk.disarm();
            seen.clear();
            open(new HostDisk(), folder, seen).close();
            assertThat(seen).as("call %d", n).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRemoveOrKeepASegmentWhole(Fault fault) throws IOException {
        boolean fired = true;
        for (int n = 1; fired; n++) {
            Path folder = Files.createDirectory(temp.resolve("r" + n));
            FaultyDisk disk = new FaultyDisk();
            try (SegmentLog log = open(disk, folder, new ArrayList<>())) {
                acknowledged.clear();
                for (int i = 0; i < 12; i++) {
                    commit(log, "record " + i + " " + "x".repeat(i * 9));
                }
                disk.failAt(n, fault);
                try {
                    log.removeOldest();
                } catch (LogFailed e) {
                    assertThat(log.failed()).isSameAs(e);
                } catch (IOException e) {
                    log.removeOldest();
                }
                fired = disk.disarm();
            }
            List<String> seen = new ArrayList<>();
            open(new HostDisk(), folder, seen).close();
            assertThat(acknowledged).as("call %d", n).endsWith(seen.toArray(new String[0]));
            assertThat(seen).isNotEmpty();
        }
    }
}
