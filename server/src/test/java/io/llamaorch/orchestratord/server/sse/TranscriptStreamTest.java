package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptEvents;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptSettings;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streams on a hand-driven loop whose frames go to a disk. */
@NullUnmarked
class TranscriptStreamTest {
    private static final int MIB = 1 << 20;
    private static final long HOUR_MS = 3_600_000;

    @TempDir
    Path folder;

    private final FillableDisk disk = new FillableDisk();
    private TranscriptLog log;

    @BeforeEach
    void open() throws FolderRefused {
        TranscriptSettings settings =
                new TranscriptSettings(folder.resolve("t"), 256L * MIB, 10_000, -1, MIB, 10_000, 64 * MIB, 2);
        log = TranscriptLog.open(
                settings, disk, () -> 0, new AtomicLong(5)::incrementAndGet, new TranscriptEvents() {});
        log.start();
    }

    @AfterEach
    void close() {
        log.close();
    }

    private StreamFixture fixture(int tasksMax) {
        return new StreamFixture(new Retention(MIB, tasksMax, HOUR_MS), HOUR_MS, -1, log);
    }

    /** What was handed over is written, and the loop has heard of it. */
    private void written(StreamFixture loop) {
        await(() -> log.queuedBytes() == 0);
        loop.runArrived();
    }

    /** Lets everybody read to the end. */
    private void drained(StreamFixture loop, TaskStream stream, List<StreamFixture.Client> readers) {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (!readers.stream().allMatch(reader -> reader.finished || reader.cut)) {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            loop.runArrived();
            for (StreamFixture.Client reader : readers) {
                if (!reader.accepts) {
                    reader.drainNow();
                }
            }
        }
        assertThat(stream.isOver()).isTrue();
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            Thread.onSpinWait();
        }
    }

    private StreamFixture.Client reader(StreamFixture loop, TaskStream stream, int after, boolean accepts) {
        StreamFixture.Client reader = loop.new Client();
        reader.accepts = accepts;
        assertThat(stream.attach(reader, after)).isNull();
        return reader;
    }

    private static String after(String events, int id) {
        String rest = events;
        for (int i = 0; i < id; i++) {
            rest = rest.substring(rest.indexOf("\n\n") + 2);
        }
        return rest;
    }

    @Test
    void shouldGiveEveryReaderTheSameBytesHoweverSpillsReadsAndEvictionsFollowEachOther() {
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            StreamFixture loop = fixture(1000);
            TaskStream stream = loop.running();
            StreamFixture.Client first = reader(loop, stream, 0, true);
            List<StreamFixture.Client> readers = new ArrayList<>(List.of(first));
            List<Integer> from = new ArrayList<>(List.of(0));
            boolean over = false;
            for (int step = 0; step < 60; step++) {
                switch (random.nextInt(over ? 4 : 6)) {
                    case 0 -> {
                        int after = random.nextInt(stream.lastEventId() + 1);
                        readers.add(reader(loop, stream, after, random.nextBoolean()));
                        from.add(after);
                    }
                    case 1 -> written(loop);
                    case 2 -> {
                        StreamFixture.Client some = readers.get(random.nextInt(readers.size()));
                        if (some != first) {
                            some.drainNow();
                            some.accepts = random.nextBoolean();
                        }
                    }
                    case 3 -> loop.runArrived();
                    case 4 -> loop.tokens("x".repeat(1 + random.nextInt(random.nextInt(10) == 0 ? 40_000 : 900)));
                    default -> {
                        if (random.nextInt(4) > 0) {
                            stream.spill(1);
                        } else if (step > 30) {
                            loop.end();
                            over = true;
                        }
                    }
                }
            }
            if (!over) {
                loop.end();
            }
            written(loop);
            assertThat(stream.archived()).isNotNull();
            if (random.nextBoolean()) {
                assertThat(loop.home.retained().evictOldest()).isTrue();
                assertThat(loop.home.arena().usedBytes()).isZero();
                readers.add(reader(loop, stream, stream.lastEventId() / 2, true));
                from.add(stream.lastEventId() / 2);
            }
            drained(loop, stream, readers);
            String whole = first.events();
            assertThat(whole).contains("event: end");
            for (int i = 0; i < readers.size(); i++) {
                assertThat(readers.get(i).finished).isTrue();
                assertThat(readers.get(i).events())
                        .as("seed %d, reader %d after %d", seed, i, from.get(i))
                        .isEqualTo(after(whole, from.get(i)));
            }
            assertThat(loop.told).noneMatch(line -> line.startsWith("defect"));
        }
    }

    @Test
    void shouldGoOnBeyondItsMemoryWhereTheDiskTakesWhatItHas() {
        StreamFixture loop = fixture(1000);
        loop.home.start();
        TaskStream stream = loop.running();
        for (int i = 0; i < 4_000; i++) {
            loop.tokens("x".repeat(1_000));
            written(loop);
            loop.advance(50); // a stream that had to wait is driven on
            assertThat(stream.ending()).isNull();
            assertThat(loop.home.arena().usedBytes()).isLessThanOrEqualTo(MIB * 9 / 8);
        }
        loop.end();
        loop.advance(50);
        written(loop);
        assertThat(stream.tokens()).isEqualTo(4_000);
        StreamFixture.Client late = reader(loop, stream, 0, true);
        drained(loop, stream, List.of(late));
        assertThat(late.events()).startsWith("id: 1\nevent: started").contains("\"i\":3999}", "event: end");
        assertThat(late.events().split("\n\n")).hasSize(stream.lastEventId());
    }

    @Test
    void shouldKeepWhatHasGoneToDiskWhenItIsCanceled() {
        StreamFixture loop = fixture(1000);
        TaskStream stream = loop.running();
        StreamFixture.Client behind = reader(loop, stream, 0, false);
        for (int i = 0; i < 10; i++) {
            loop.tokens("x".repeat(900));
        }
        assertThat(stream.spill(1)).isPositive();
        int spilled = stream.lastEventId();
        loop.tokens("never shown");
        stream.requestCancel();
        boolean[] settled = {false};
        stream.cancel("client", () -> settled[0] = true);
        loop.advance(60);
        assertThat(settled[0]).isTrue();
        assertThat(behind.cut).isTrue();
        assertThat(stream.lastEventId()).isEqualTo(spilled + 1);
        assertThat(stream.tokens()).isEqualTo(10);
        written(loop);
        StreamFixture.Client later = reader(loop, stream, 0, true);
        drained(loop, stream, List.of(later));
        assertThat(later.events()).contains("\"canceled\":true").doesNotContain("never shown");
    }

    @Test
    void shouldStayInMemoryAndEndAsEverWhenTheDiskIsFull() {
        StreamFixture loop = fixture(1000);
        disk.full(true);
        TaskStream stream = loop.running();
        StreamFixture.Client live = reader(loop, stream, 0, true);
        loop.tokens("a", "b");
        loop.end();
        assertThat(live.finished).isTrue();
        written(loop);
        assertThat(stream.archived()).isNull();
        assertThat(loop.home.retainedTasks()).isEqualTo(1);
        StreamFixture.Client again = reader(loop, stream, 0, true);
        assertThat(again.events()).isEqualTo(live.events());
        disk.full(false);
        TaskStream next = loop.running();
        loop.end();
        written(loop);
        assertThat(next.archived()).isNotNull();
        loop.home.retained().evictOldest();
        assertThat(stream.refusal(0).code()).isEqualTo(ErrorCode.NOT_FOUND);
    }

    @Test
    void shouldFailTheStreamThatCannotGrowWhenTheDiskIsFull() {
        StreamFixture loop = fixture(1000);
        disk.full(true);
        TaskStream stream = loop.running();
        for (int i = 0; i < 2_000 && stream.ending() == null; i++) {
            loop.tokens("x".repeat(1_000));
            written(loop);
        }
        assertThat(stream.ending().error().message()).contains("streams.retained_bytes");
        assertThat(loop.home.arena().usedBytes()).isLessThanOrEqualTo(MIB * 9 / 8 + 1024);
        written(loop);
        StreamFixture.Client late = reader(loop, stream, 0, true);
        assertThat(late.events()).contains("event: error");
        assertThat(loop.home.retainedTasks()).isEqualTo(1);
    }
}
