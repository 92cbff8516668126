package io.llamaorch.orchestratord.artifacts.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk;
import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk.Fault;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.artifacts.segment.SegmentLog;
import io.llamaorch.orchestratord.artifacts.segment.SegmentSettings;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class LedgerTest {
    @TempDir
    private Path temp;

    private LedgerProbe open(Path folder) throws FolderRefused {
        return new LedgerProbe(new HostDisk(), folder, LedgerProbe.SMALL);
    }

    private List<String> recovered(Path folder) throws FolderRefused {
        try (LedgerProbe probe = open(folder)) {
            return LedgerProbe.lines(probe.recovery);
        }
    }

    private static LedgerSettings settings(boolean sync, int queueCount, long queueBytes, long maxBytes) {
        return new LedgerSettings(sync, 10, queueCount, queueBytes, 1_000, maxBytes, 1_000);
    }

    /** What a reader of all records knows: the whole of a random life, over many restarts and cleanings. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldRememberWhatWasSaidWhateverIsCleaned(long seed) throws Exception {
        Random random = new Random(seed);
        Map<Long, String> expected = new TreeMap<>();
        Map<Long, AdmittedTask> open = new TreeMap<>();
        long next = 0;
        for (int start = 0; start < 12; start++) {
            try (LedgerProbe probe = open(temp)) {
                assertThat(LedgerProbe.lines(probe.recovery))
                        .as("seed %d, start %d", seed, start)
                        .isEqualTo(expected.values().stream().sorted().toList());
                assertThat(probe.recovery.open().stream()
                                .map(task -> task.task().ordinal()))
                        .isSorted();
                for (int step = 0; step < 60; step++) {
                    long pick = expected.isEmpty()
                            ? -1
                            : new ArrayList<>(expected.keySet()).get(random.nextInt(expected.size()));
                    int what = random.nextInt(10);
                    if (what < 4 || pick < 0) {
                        AdmittedTask task = LedgerProbe.task(next, random.nextInt(300));
                        if (probe.admit(task) == null) {
                            open.put(next, task);
                            expected.put(next, LedgerProbe.line(task, false));
                        }
                        next++;
                    } else if (open.containsKey(pick) && what < 6) {
                        assertThat(probe.expose(pick)).isNull();
                        expected.put(pick, LedgerProbe.line(open.get(pick), true));
                    } else if (open.containsKey(pick)) {
                        EndedTask ended = LedgerProbe.ended(pick, random.nextBoolean());
                        assertThat(probe.end(ended)).isNull();
                        open.remove(pick);
                        expected.put(pick, LedgerProbe.line(ended));
                    } else {
                        probe.forget(pick);
                        expected.remove(pick);
                    }
                }
                assertThat(probe.defects).isEmpty();
                assertThat(probe.ledger.bytes()).isLessThan(2 * LedgerProbe.SMALL.maxBytes());
            }
        }
        assertThat(next).isGreaterThan(100);
    }

    @Test
    void shouldKeepAnOldTaskAndLittleElse() throws Exception {
        try (LedgerProbe probe = open(temp)) {
            assertThat(probe.admit(LedgerProbe.task(0, 200))).isNull();
            for (long i = 1; i < 400; i++) {
                assertThat(probe.admit(LedgerProbe.task(i, 200))).isNull();
                assertThat(probe.end(LedgerProbe.ended(i, false))).isNull();
                probe.forget(i);
            }
            assertThat(probe.ledger.bytes()).isLessThan(LedgerProbe.SMALL.maxBytes() + 2_000);
        }
        assertThat(recovered(temp)).containsExactly(LedgerProbe.line(LedgerProbe.task(0, 200), false));
    }

    @Test
    void shouldGiveAnIdFreeThatWasForgotten() throws Exception {
        AdmittedTask again = LedgerProbe.task(1, 20);
        try (LedgerProbe probe = open(temp)) {
            probe.admit(LedgerProbe.task(1, 10));
            probe.expose(1);
            probe.end(LedgerProbe.ended(1, true));
            probe.forget(1);
            probe.admit(again);
        }
        assertThat(recovered(temp)).containsExactly(LedgerProbe.line(again, false));
    }

    @Test
    void shouldKeepTheNewestOfTheEnded() throws Exception {
        LedgerSettings two = new LedgerSettings(true, 10, 100, 100_000, 1_000, 80_000, 2);
        try (LedgerProbe probe = new LedgerProbe(new HostDisk(), temp, two)) {
            for (long i = 1; i < 6; i++) {
                probe.admit(LedgerProbe.task(i, 10));
                probe.end(LedgerProbe.ended(i, false));
            }
        }
        try (LedgerProbe probe = new LedgerProbe(new HostDisk(), temp, two)) {
            assertThat(probe.recovery.ended().stream().map(EndedTask::endedAtMs))
                    .containsExactly(4L, 5L);
        }
    }

    @Test
    void shouldRefuseMoreThanMayWaitOrLive() throws Exception {
        try (LedgerProbe probe = new LedgerProbe(new HostDisk(), temp, settings(true, 2, 1_000, 8_600))) {
            Ledger ledger = probe.ledger;
            assertThat(ledger.reserve(5_000)).isEqualTo(LedgerFailure.BYTES);
            assertThat(ledger.reserve(2_000))
                    .as("one that is too long waits alone")
                    .isNull();
            assertThat(ledger.reserve(1)).isEqualTo(LedgerFailure.QUEUE);
            ledger.release(2_000);
            assertThat(ledger.reserve(500)).isNull();
            assertThat(ledger.reserve(501)).isEqualTo(LedgerFailure.QUEUE);
            assertThat(ledger.reserve(500)).isNull();
            assertThat(ledger.reserve(0)).isEqualTo(LedgerFailure.QUEUE);
            ledger.release(500);
            ledger.release(500);
            assertThat(ledger.waiting()).isZero();
            assertThat(ledger.waitingBytes()).isZero();
            for (long i = 0; i < 4; i++) {
                assertThat(probe.admit(LedgerProbe.task(i, 900))).isNull();
            }
            assertThat(probe.admit(LedgerProbe.task(4, 900))).isEqualTo(LedgerFailure.BYTES);
            probe.end(LedgerProbe.ended(1, false));
            assertThat(probe.admit(LedgerProbe.task(4, 900))).isNull();
        }
    }

    @Test
    void shouldAcknowledgeABatchOnALaneAtOnce() throws Exception {
        try (LedgerProbe probe = open(temp)) {
            List<Runnable> crossings = new ArrayList<>();
            LedgerLane lane = new LedgerLane(crossings::add, probe.defects::add);
            List<String> told = new ArrayList<>();
            for (long i = 0; i < 50; i++) {
                long number = i;
                probe.ledger.admit(LedgerProbe.task(i, 3), lane, failure -> {
                    told.add(number + " " + failure);
                    if (number == 3) {
                        throw new IllegalStateException("an asker's defect");
                    }
                });
            }
            probe.ledger.close(); // all of it comes first
            assertThat(crossings).hasSizeLessThan(50);
            crossings.forEach(Runnable::run);
            assertThat(told).hasSize(50).startsWith("0 null").endsWith("49 null");
            assertThat(probe.defects).hasSize(1);
        }
        assertThat(recovered(temp)).hasSize(50);
    }

    @Test
    void shouldRefuseARecordOfANewerVersion() throws Exception {
        open(temp).close();
        try (SegmentLog log = SegmentLog.open(new HostDisk(), temp, SegmentSettings.DEFAULT, () -> 1, record -> {})) {
            log.append(9, 1, ByteBuffer.allocate(16));
            log.write();
            log.sync();
        }
        assertThatThrownBy(() -> open(temp))
                .isInstanceOf(FolderRefused.class)
                .hasMessageContaining("type 9, version 1")
                .hasMessageContaining("start the version that wrote it");
    }

    @Test
    void shouldSyncWithinThePeriodWhereNobodyWaitsForIt() throws Exception {
        FaultyDisk disk = new FaultyDisk();
        try (LedgerProbe probe = new LedgerProbe(disk, temp, settings(false, 100, 100_000, 8_000))) {
            assertThat(probe.admit(LedgerProbe.task(0, 10))).isNull();
            disk.failAt(3, Fault.IO_ERROR); // write, step, and the sync that comes by itself
            assertThat(probe.admit(LedgerProbe.task(1, 10))).isNull();
            for (int i = 0; !probe.ledger.failed() && i < 1_000_000; i++) {
                probe.admit(LedgerProbe.task(2 + i, 1));
            }
            assertThat(disk.disarm()).isTrue();
        }
    }

    /** R4: each call fails once in every way, amid a life of tasks. */
    @ParameterizedTest
    @EnumSource
    void shouldNeverAcknowledgeWhatIsNotThere(Fault fault) throws Exception {
        boolean fired = true;
        int refused = 0;
        int failed = 0;
        for (int n = 1; fired; n++) {
            Path folder = Files.createDirectory(temp.resolve(fault + "" + n));
            FaultyDisk disk = new FaultyDisk();
            Map<Long, String> sure = new TreeMap<>();
            List<Long> unsure = new ArrayList<>();
            try (LedgerProbe probe = new LedgerProbe(disk, folder, LedgerProbe.SMALL)) {
                disk.failAt(n, fault);
                for (long i = 0; i < 12; i++) {
                    AdmittedTask task = LedgerProbe.task(i, 150);
                    LedgerFailure answer = probe.admit(task);
                    if (answer == null) {
                        sure.put(i, LedgerProbe.line(task, false));
                        if (i % 3 > 0) {
                            answer = probe.end(LedgerProbe.ended(i, i % 3 == 1));
                            sure.put(
                                    i, LedgerProbe.line(LedgerProbe.ended(i, i % 3 == 1))); // a full disk gets it later
                        }
                    }
                    if (answer == LedgerFailure.FAILED) {
                        sure.remove(i);
                        unsure.add(i);
                        assertThat(probe.ledger.failure()).isNotNull();
                    } else if (answer != null) {
                        refused++;
                    }
                }
                fired = disk.disarm();
                failed += probe.failures.isEmpty() ? 0 : 1;
                assertThat(probe.failures.isEmpty()).isEqualTo(!probe.ledger.failed());
                if (probe.ledger.failed()) {
                    assertThat(probe.admit(LedgerProbe.task(50, 1))).isEqualTo(LedgerFailure.FAILED);
                } else {
                    assertThat(probe.admit(LedgerProbe.task(50, 1))).isNull();
                    sure.put(50L, LedgerProbe.line(LedgerProbe.task(50, 1), false));
                }
                assertThat(probe.defects).isEmpty();
            }
            List<String> seen = recovered(folder);
            assertThat(seen).as("call %d", n).containsAll(sure.values());
            seen.removeAll(sure.values());
            assertThat(seen).as("call %d: refused and yet there", n).allMatch(line -> unsure.stream()
                    .anyMatch(id -> line.startsWith(LedgerProbe.id(id).toString())));
        }
        assertThat(refused).isGreaterThanOrEqualTo(fault == Fault.SHORT ? 0 : 5);
        assertThat(failed).isGreaterThanOrEqualTo(fault == Fault.SHORT ? 0 : 5);
    }

    @Test
    void shouldReplayQuickly() throws Exception {
        LedgerSettings large = new LedgerSettings(false, 1_000, 200_000, 1L << 30, 8 << 20, 1L << 30, 100_000);
        int records = 100_000;
        try (LedgerProbe probe = new LedgerProbe(new HostDisk(), temp, large)) {
            for (long i = 0; i < records; i++) {
                probe.ledger.admit(LedgerProbe.task(i, 300), probe.lane, failure -> {});
            }
        }
        try (LedgerProbe probe = new LedgerProbe(new HostDisk(), temp, large)) {
            Recovery recovery = probe.recovery;
            assertThat(recovery.records()).isEqualTo(records);
            assertThat(recovery.open()).hasSize(records);
            System.out.printf("LedgerTest: %d records came back in %d ms%n", records, recovery.tookNs() / 1_000_000);
        }
    }
}
