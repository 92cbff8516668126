package io.llamaorch.orchestratord.artifacts.transcript;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written, found, read again, removed and refused. */
@NullUnmarked
class TranscriptLogTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private TranscriptProbe probe(long bytesMax, int tasksMax, int segmentBytes, ArchivedTask... restored)
            throws FolderRefused {
        return new TranscriptProbe(
                new HostDisk(), folder.resolve("t"), bytesMax, tasksMax, segmentBytes, List.of(restored));
    }

    private static byte[] content(ArchivedTask task, byte[] events) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(Transcript.preamble(TranscriptProbe.head(task.id())));
        all.writeBytes(events);
        return all.toByteArray();
    }

    @Test
    void shouldGiveEveryByteBackWhenAStreamWasWrittenInOneGoAndInParts() throws FolderRefused {
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB)) {
            ArchivedTask whole = probe.store(3_000, 40);
            LiveTranscript live = new LiveTranscript(UUID.randomUUID());
            assertThat(probe.write(live, 1, 500, 40).size()).isGreaterThan(1);
            assertThat(probe.write(live, 501, 502, 50_000).size()).isEqualTo(8); // four pieces each
            ArchivedTask parts = probe.finish(live, 503, 600, 40);
            for (ArchivedTask task : List.of(whole, parts)) {
                byte[] bytes = probe.bytes(task, 10_007);
                assertThat(Digest.of(ByteBuffer.wrap(bytes)))
                        .isEqualTo(task.transcript().digest());
                assertThat(task.transcript().contentBytes()).isEqualTo(bytes.length);
                assertThat(probe.log.get(task.id())).isEqualTo(task);
                assertThat(probe.log.find(task.transcript().digest())).isEqualTo(task);
            }
            assertThat(probe.bytes(whole, 1 << 20)).isEqualTo(content(whole, TranscriptProbe.events(1, 3_000, 40)));
            assertThat(probe.told).isEmpty();
        }
    }

    @Test
    void shouldFindThePartOfEachEventWhenSomeAreLongerThanAPart() throws FolderRefused {
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB)) {
            LiveTranscript live = new LiveTranscript(UUID.randomUUID());
            probe.write(live, 1, 1, 40_000);
            probe.write(live, 2, 400, 60);
            ArchivedTask task = probe.finish(live, 401, 401, 100_000);
            Transcript transcript = probe.open(task).transcript();
            PartTable parts = transcript.parts();
            assertThat(transcript.events()).isEqualTo(401);
            assertThat(new String(transcript.state(), StandardCharsets.UTF_8))
                    .contains(task.id().toString());
            for (int event = 1; event <= 401; event++) {
                int part = parts.find(event);
                assertThat(parts.firstEvent(part)).isBetween(1, event);
                int next = part + 1;
                while (next < parts.size() && parts.firstEvent(next) == 0) {
                    next++;
                }
                assertThat(next == parts.size() || parts.firstEvent(next) > event)
                        .as("event %d", event)
                        .isTrue();
            }
            assertThat(parts.find(0)).isEqualTo(-1);
        }
    }

    @Test
    void shouldKnowTasksOfAnEarlierRunWhenTheirReferencesAreRestored() throws FolderRefused {
        ArchivedTask task;
        byte[] bytes;
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB)) {
            task = probe.store(100, 400);
            bytes = probe.bytes(task, MIB);
        }
        byte[] encoded = task.transcript().encode();
        assertThat(encoded.length).isLessThanOrEqualTo(TranscriptRef.ENCODED_BYTES_MAX);
        TranscriptRef ref = TranscriptRef.decode(encoded);
        assertThat(ref).isEqualTo(task.transcript());
        encoded[0]++;
        assertThat(TranscriptRef.decode(encoded)).isNull();
        ArchivedTask restored = new ArchivedTask(task.id(), "ops", 1, 2, "default", 1_000_000, ref);
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB, restored)) {
            assertThat(probe.bytes(probe.log.get(task.id()), 333)).isEqualTo(bytes);
            ArchivedTask more = probe.store(3, 10);
            assertThat(probe.bytes(more, MIB)).hasSize((int) more.transcript().contentBytes());
        }
    }

    @Test
    void shouldNotKnowATaskWhoseTranscriptWasLostWithThePower() throws FolderRefused, IOException {
        ArchivedTask early;
        ArchivedTask late;
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB)) {
            early = probe.store(10, 10);
            late = probe.store(10, 10);
        }
        Path segment;
        try (Stream<Path> files = Files.list(folder.resolve("t"))) {
            segment = files.filter(file -> file.toString().endsWith(".seg"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(segment);
        Files.write(segment, Arrays.copyOf(bytes, bytes.length - 200));
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB, early, late)) {
            assertThat(probe.log.get(late.id())).isNull();
            assertThat(probe.bytes(early, MIB)).hasSize((int) early.transcript().contentBytes());
        }
    }

    @Test
    void shouldReportAndNeverServeWhatIsDamagedOnTheDisk() throws FolderRefused, IOException {
        ArchivedTask task;
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB)) {
            task = probe.store(2_000, 40);
        }
        Path segment;
        try (Stream<Path> files = Files.list(folder.resolve("t"))) {
            segment = files.filter(file -> file.toString().endsWith(".seg"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length / 2] ^= 1;
        Files.write(segment, bytes);
        try (TranscriptProbe probe = probe(64 * MIB, 100, MIB, task)) {
            assertThat(probe.content(task).failure()).isEqualTo(TranscriptReads.Failure.CORRUPT);
            PartTable parts = probe.open(task).transcript().parts();
            int damaged = 0;
            for (int i = 0; i < parts.size(); i++) {
                int part = i;
                TranscriptReads.PartRead read =
                        TranscriptProbe.await(answer -> probe.log.read(task.id(), parts, part, answer));
                damaged += read.failure() == TranscriptReads.Failure.CORRUPT ? 1 : 0;
            }
            assertThat(damaged).isEqualTo(1);
            assertThat(probe.told).contains("corrupt " + task.id());
            assertThat(probe.content(probe.store(10, 10)).failure()).isNull();
        }
    }

    @Test
    void shouldLetTheOldestGoWhenThereAreTooManyBytes() throws FolderRefused {
        try (TranscriptProbe probe = probe(4 * MIB, 10_000, MIB)) {
            List<ArchivedTask> tasks = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                tasks.add(probe.store(4, 50_000));
            }
            assertThat(probe.log.bytes()).isLessThanOrEqualTo(5 * MIB);
            assertThat(probe.log.get(tasks.get(0).id())).isNull();
            assertThat(probe.log.find(tasks.get(0).transcript().digest())).isNull();
            assertThat(probe.open(tasks.get(0)).failure()).isEqualTo(TranscriptReads.Failure.GONE);
            boolean known = false;
            for (ArchivedTask task : tasks) {
                boolean now = probe.log.get(task.id()) != null;
                assertThat(now || !known).as("the oldest go first").isTrue();
                known = now;
                if (now) {
                    assertThat(probe.bytes(task, MIB))
                            .hasSize((int) task.transcript().contentBytes());
                }
            }
            assertThat(known).isTrue();
        }
    }

    @Test
    void shouldKeepThePartsOfAStreamThatIsNotOverWhenTheLogIsFull() throws FolderRefused {
        try (TranscriptProbe probe = probe(4 * MIB, 10_000, MIB)) {
            LiveTranscript live = new LiveTranscript(UUID.randomUUID());
            probe.write(live, 1, 2, 1_000);
            int stored = 0;
            while (probe.store(4, 50_000) != null) {
                stored++;
            }
            assertThat(stored).isBetween(15, 40);
            assertThat(probe.told).contains("disk finish");
            ArchivedTask task = probe.finish(live, 3, 3, 10);
            assertThat(task).as("there is room for it in the segment").isNotNull();
            byte[] events = TranscriptProbe.events(1, 2, 1_000);
            assertThat(probe.bytes(task, MIB)).startsWith(content(task, events));
            assertThat(probe.store(4, 50_000))
                    .as("it holds nothing up any more")
                    .isNotNull();
        }
    }

    @Test
    void shouldForgetWhoIsTooManyOrTooOldAndRemoveWhatNobodyNeeds() throws FolderRefused {
        try (TranscriptProbe probe = probe(64 * MIB, 3, 64 << 10)) {
            List<ArchivedTask> tasks = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                tasks.add(probe.store(2, 30_000));
            }
            await(() -> probe.log.size() == 3 && probe.log.bytes() < 400_000);
            assertThat(probe.told)
                    .containsSequence(tasks.subList(0, 7).stream()
                            .map(task -> "forgotten " + task.id())
                            .toList());
            assertThat(probe.log.get(tasks.get(6).id())).isNull();
            assertThat(probe.log.get(tasks.get(7).id())).isNotNull();
            probe.nowMs.addAndGet(61_000);
            await(() -> probe.log.size() == 0 && probe.log.bytes() < 130_000);
        }
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            Thread.onSpinWait();
        }
    }
}
