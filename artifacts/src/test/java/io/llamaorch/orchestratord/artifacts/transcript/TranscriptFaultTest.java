package io.llamaorch.orchestratord.artifacts.transcript;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.disk.FaultyDisk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every call to the disk fails once: what is told to be stored is, what is not is told, and the log goes on or says so. */
@NullUnmarked
class TranscriptFaultTest {
    private static final int SEGMENT_BYTES = 64 << 10;
    private static final int CALLS_MAX = 200;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(FaultyDisk.Fault.class)
    void shouldStoreOrSayThatItDidNotWhicheverCallFails(FaultyDisk.Fault fault) throws FolderRefused {
        boolean fired = true;
        int nth = 1;
        for (; fired && nth < CALLS_MAX; nth++) {
            FaultyDisk disk = new FaultyDisk();
            try (TranscriptProbe probe =
                    new TranscriptProbe(disk, folder.resolve(fault + "-" + nth), 128 << 10, 100, SEGMENT_BYTES)) {
                disk.failAt(nth, fault);
                LiveTranscript live = new LiveTranscript(UUID.randomUUID());
                PartTable parts = probe.write(live, 1, 100, 300);
                ArchivedTask spilled = probe.finish(live, 101, 200, 300);
                ArchivedTask[] whole = new ArchivedTask[4];
                for (int i = 0; i < whole.length; i++) {
                    whole[i] = probe.store(100, 400);
                }
                fired = disk.disarm();
                if (parts == null) {
                    assertThat(spilled).as("a part is missing").isNull();
                }
                check(probe, spilled);
                for (ArchivedTask task : whole) {
                    check(probe, task);
                }
                boolean stored = probe.store(5, 5) != null;
                assertThat(stored).isNotEqualTo(probe.log.hasFailed());
                assertThat(probe.told).noneMatch(line -> line.startsWith("defect") || line.equals("answered twice"));
            }
        }
        assertThat(nth).as("the faults came to an end").isBetween(10, CALLS_MAX - 1);
    }

    private static void check(TranscriptProbe probe, ArchivedTask task) {
        if (task != null && probe.log.get(task.id()) != null) {
            assertThat(probe.bytes(task, 4_096)).hasSize((int) task.transcript().contentBytes());
        }
    }
}
