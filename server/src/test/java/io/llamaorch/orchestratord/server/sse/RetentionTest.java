package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** What two loops keep together. */
@NullUnmarked
class RetentionTest {
    private static final int KIB = 1024;
    private static final long HOUR_MS = 3_600_000;
    private static final String ABOUT_1_KIB = "x".repeat(KIB - 50);

    private static TaskStream over(StreamFixture loop, int kib) {
        TaskStream stream = loop.running();
        grow(loop, kib);
        loop.end();
        return stream;
    }

    private static void grow(StreamFixture loop, int kib) {
        for (int i = 0; i < kib; i++) {
            loop.tokens(ABOUT_1_KIB);
        }
    }

    private static long evicted(StreamFixture loop) {
        return loop.told.stream().filter("evicted"::equals).count();
    }

    private static int kept(StreamFixture... loops) {
        int kept = 0;
        for (StreamFixture loop : loops) {
            kept += loop.home.retainedTasks();
        }
        return kept;
    }

    private static StreamFixture.Client stuckReader(StreamFixture loop, TaskStream stream) {
        StreamFixture.Client reader = loop.new Client();
        reader.accepts = false;
        stream.attach(reader, 0);
        return reader;
    }

    @Test
    void shouldLetTheTaskGoThatEndedFirstWhicheverLoopHasIt() {
        Retention retention = new Retention(8 << 20, 3, HOUR_MS);
        StreamFixture one = new StreamFixture(retention);
        StreamFixture two = new StreamFixture(retention);
        TaskStream first = over(one, 1);
        over(two, 1);
        TaskStream third = over(one, 1);
        assertThat(kept(one, two)).isEqualTo(3); // the total, not a share of each
        over(two, 1);
        one.clock.runPendingTasks();
        assertThat(first.refusal(0)).isNotNull();
        assertThat(third.refusal(0)).isNull();
        assertThat(evicted(two)).isZero();
        for (int i = 0; i < 20; i++) {
            over(two, 1);
            one.clock.runPendingTasks();
            two.clock.runPendingTasks();
            assertThat(kept(one, two)).isEqualTo(3);
        }
        assertThat(kept(one)).isZero();
    }

    @Test
    void shouldKeepTheExcessBoundedWhenTheLoopWithTheOldestHasNoTurn() {
        Retention retention = new Retention(8 << 20, 3, HOUR_MS);
        StreamFixture asleep = new StreamFixture(retention);
        StreamFixture busy = new StreamFixture(retention);
        over(asleep, 1);
        for (int i = 0; i < 200; i++) {
            over(busy, 1);
        }
        assertThat(kept(asleep, busy)).isEqualTo(3 + 64);
        asleep.clock.runPendingTasks();
        busy.clock.runPendingTasks();
        assertThat(kept(asleep, busy)).isEqualTo(3);
    }

    @Test
    void shouldGiveARunningTaskTheMemoryOfAnotherLoopsOldest() {
        Retention retention = new Retention(KIB * KIB, 1000, HOUR_MS);
        StreamFixture one = new StreamFixture(retention);
        StreamFixture two = new StreamFixture(retention);
        TaskStream older = over(one, 500);
        TaskStream newer = over(two, 300);
        TaskStream running = two.running();
        grow(two, 250);
        assertThat(evicted(two)).as("the older one goes first").isZero();
        one.clock.runPendingTasks();
        assertThat(older.refusal(0)).isNotNull();
        assertThat(one.home.arena().usedBytes()).isZero();
        grow(two, 420);
        assertThat(newer.refusal(0)).as("there is room for both").isNull();
        grow(two, 300); // its own loop's goes at once
        assertThat(newer.refusal(0)).isNotNull();
        assertThat(running.ending()).isNull();
    }

    @Test
    void shouldFailTheTaskThatCannotGrowWhenOnlyRunningOnesAreLeft() {
        Retention retention = new Retention(KIB * KIB, 1000, HOUR_MS);
        StreamFixture one = new StreamFixture(retention);
        StreamFixture two = new StreamFixture(retention);
        TaskStream holder = one.stream(Priority.BATCH, false);
        one.dispatch(holder);
        one.sink.accepted();
        grow(one, 600);
        TaskStream late = two.running();
        grow(two, 1000);
        assertThat(late.ending().error().code()).isEqualTo(ErrorCode.INTERNAL);
        assertThat(late.ending().error().message()).contains("streams.retained_bytes");
        assertThat(holder.ending()).isNull();
        assertThat(retention.pool().usedBytes()).isLessThanOrEqualTo(KIB * KIB * 9 / 8 + KIB); // and its last event
    }

    @Test
    void shouldCutWhoReadsWhatIsNoLongerKeptBeforeMoreIsLetGo() {
        Retention retention = new Retention(KIB * KIB, 1, HOUR_MS);
        StreamFixture loop = new StreamFixture(retention);
        TaskStream first = over(loop, 400);
        StreamFixture.Client reader = stuckReader(loop, first);
        TaskStream second = over(loop, 400);
        assertThat(evicted(loop)).isEqualTo(1);
        assertThat(reader.cut).as("it gets all while there is room").isFalse();
        TaskStream running = loop.running();
        grow(loop, 300);
        assertThat(reader.cut).isTrue();
        assertThat(loop.told).containsOnlyOnce("cut evicted").containsOnlyOnce("evicted");
        assertThat(second.refusal(0)).isNull();
        assertThat(running.ending()).isNull();
        assertThat(loop.home.arena().usedBytes()).isLessThan(800 * KIB);
    }

    @Test
    void shouldForgetWhatIsNoLongerKeptWhenItsReaderIsDone() {
        StreamFixture loop = new StreamFixture(new Retention(KIB * KIB, 0, HOUR_MS));
        TaskStream stream = loop.running();
        StreamFixture.Client reader = stuckReader(loop, stream);
        loop.tokens("a");
        loop.end();
        assertThat(kept(loop)).isZero();
        assertThat(loop.home.retained().oldest(true)).isSameAs(stream);
        reader.drainNow();
        assertThat(reader.events()).contains("event: end");
        assertThat(loop.home.retained().oldest(true)).isNull();
        assertThat(loop.home.arena().usedBytes()).isZero();
    }
}
